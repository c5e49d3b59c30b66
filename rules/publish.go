package rules

import (
	"slices"

	"github.com/prometheus/prometheus/model/labels"
)

// publish turns a finished round into what is to be written and sent, and drops
// the alerts that are forgotten.
func (r *alertingRule) publish(o *alertRound, out *output) {
	at := o.ev.at
	if o.ev.write {
		out.series = make([]Series, 0, 2*len(o.alerts))
	}
	states := o.states()
	for i := range o.gone {
		a := &o.gone[i]
		r.depart(a, states[a.Labels], at, at.Milli(), out)
	}
	if !o.ev.quiet {
		out.alerts = slices.Grow(out.alerts, o.countDue())
	}
	kept := o.alerts[:0]
	for i := range o.alerts {
		a, was := &o.alerts[i], o.was[i]
		if o.ev.write {
			out.series = write(out.series, a, was, o.ev)
		}
		if a.State == Firing && was != Firing {
			out.fired++
		}
		if a.State == Pending && was == Firing {
			out.alerts = append(out.alerts, r.withdrawn(a, o.before[i].StartsAt, at))
		}
		switch {
		case o.due(i) && (!o.ev.quiet || o.ends(i)):
			out.alerts = append(out.alerts, r.tell(o, i))
		case o.ev.quiet && a.State != was:
			a.LastSent = 0 // nobody was told
		}
		if a.ActiveAt != 0 {
			kept = append(kept, *a)
		}
	}
	o.alerts = kept
}

// states returns the states of the alerts by their labels, if some alert has other
// labels than before: another one may have those now.
func (o *alertRound) states() map[labels.Labels]State {
	if len(o.gone) == 0 {
		return nil
	}
	states := make(map[labels.Labels]State, len(o.alerts))
	for i := range o.alerts {
		states[o.alerts[i].Labels] = o.alerts[i].State
	}
	return states
}

// ends reports whether the alert at i fires no more, and somebody was told that it
// does.
func (o *alertRound) ends(i int) bool {
	a := &o.alerts[i]
	return a.State == Inactive && o.was[i] == Firing && a.LastSent != 0
}

// tell returns what Alertmanager has to learn of the alert at i.
func (r *alertingRule) tell(o *alertRound, i int) Alert {
	a := &o.alerts[i]
	again := a.LastSent != 0 && a.State == o.was[i]
	a.LastSent = o.ev.at
	told := r.alert(a, o.ev.now)
	told.Again = again
	return told
}

// due reports whether the notifier is to be handed the alert at i.
func (o *alertRound) due(i int) bool {
	a := &o.alerts[i]
	return a.StartsAt != 0 && a.due(o.ev.at, o.was[i], o.rule.deps.Options.ResendDelay)
}

func (o *alertRound) countDue() int {
	n := 0
	for i := range o.alerts {
		if o.due(i) {
			n++
		}
	}
	return n
}

// withdrawn returns the end of an alert that fires no more because its rule now
// demands a longer for.
func (r *alertingRule) withdrawn(a *Instance, started, at Instant) Alert {
	gone := *a
	gone.State, gone.StartsAt, gone.ResolvedAt = Inactive, started, at
	return r.alert(&gone, at)
}

// write appends the samples of one alert: what it is now, and the end of what it
// was and is no longer.
func write(out []Series, a *Instance, was State, ev evaluation) []Series {
	t := ev.at.Milli()
	if was != a.State && was != Inactive {
		out = append(out, alertSeries(a.Labels, was).ended(t))
	}
	if a.State == Inactive {
		if was != Inactive {
			out = append(out, clockSeries(a.Labels).ended(t))
		}
		return out
	}
	active := alertSeries(a.Labels, a.State)
	active.T, active.V = t, 1
	out = append(out, active)
	if a.State == Pending && ev.unsettled {
		return out
	}
	return append(out, forState(a, t))
}

// forState returns the sample that tells since when an alert is active.
func forState(a *Instance, t int64) Series {
	s := clockSeries(a.Labels)
	s.T, s.V = t, float64(a.ActiveAt.seconds())
	return s
}
