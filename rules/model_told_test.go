package rules_test

import (
	"fmt"
	"strconv"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/rules"
)

// send tells of a transition, and again of what was told long enough ago.
func (m *modelRule) send(a *modelAlert, at, now time.Time, out *modelOut) {
	switch a.state {
	case rules.Pending:
		if a.was == rules.Firing {
			out.sends = append(out.sends, a.end(at))
		}
		a.sent = time.Time{}
	case rules.Firing:
		if a.was != rules.Firing || m.due(a, at) {
			a.sent = at
			out.sends = append(out.sends, m.firing(a, now))
		}
	case rules.Inactive:
		told := !a.sent.IsZero() && at.Sub(a.resolved) < 15*time.Minute
		if told && (a.was == rules.Firing || m.due(a, at)) {
			a.sent = at
			out.sends = append(out.sends, a.end(a.resolved))
		}
	}
}

func (m *modelRule) firing(a *modelAlert, now time.Time) string {
	return fmt.Sprintf("%s firing %s until %s: %s", a.labels, clock(a.starts), clock(now.Add(4*max(m.interval, m.resend))), a.note)
}

func (a *modelAlert) end(at time.Time) string {
	if at.Before(a.starts) {
		at = a.starts
	}
	return fmt.Sprintf("%s resolved %s until %s: %s", a.labels, clock(a.starts), clock(at), a.note)
}

func clock(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

// write tells storage what the alert is, and ends what it was.
func (a *modelAlert) write(at time.Time, out *modelOut) {
	if active(a.was) && a.was != a.state {
		out.writes = append(out.writes, sample(a.alerts(a.was), "stale", at))
	}
	if active(a.was) && !active(a.state) {
		out.writes = append(out.writes, sample(a.clock(), "stale", at))
	}
	if active(a.state) {
		out.writes = append(out.writes, sample(a.alerts(a.state), "1", at),
			sample(a.clock(), strconv.FormatInt(a.active.Unix(), 10), at))
	}
}

// depart ends the series of the alert at the time at, and the alert now, except
// for what others keep alive.
func (a *modelAlert) depart(at, now time.Time, others belief, out *modelOut) {
	if !active(a.state) {
		return
	}
	for _, l := range []labels.Labels{a.alerts(a.state), a.clock()} {
		if !others.live[l.String()] {
			out.writes = append(out.writes, sample(l, "stale", at))
		}
	}
	if a.state == rules.Firing && !others.firing[a.labels.String()] {
		out.sends = append(out.sends, a.end(now))
	}
}

func (a *modelAlert) alerts(s rules.State) labels.Labels {
	return labels.NewBuilder(a.labels).Set("__name__", "ALERTS").Set("alertstate", s.String()).Labels()
}

func (a *modelAlert) clock() labels.Labels {
	return labels.NewBuilder(a.labels).Set("__name__", "ALERTS_FOR_STATE").Labels()
}

func sample(l labels.Labels, v string, at time.Time) string {
	return fmt.Sprintf("%s %s @%d", l, v, at.UnixMilli())
}

// farewell is what is told when the rule is gone, and others are not.
func (m *modelRule) farewell(now time.Time, others belief) (out modelOut) {
	defer out.sort()
	at := m.lastGood.Add(time.Millisecond)
	for i := range m.alerts {
		m.alerts[i].depart(at, now, others, &out)
	}
	for _, l := range m.recorded {
		if !others.live[l.String()] {
			out.writes = append(out.writes, sample(l, "stale", at))
		}
	}
	return out
}

func (a *modelAlert) describe() string {
	s := fmt.Sprintf("%s %s value %g: %s", a.labels, a.state, a.value, a.note)
	if active(a.state) {
		s += " active " + clock(a.active)
	} else {
		s += " resolved " + clock(a.resolved)
	}
	if a.state == rules.Firing {
		s += " starts " + clock(a.starts)
	}
	if !a.held.IsZero() {
		s += " held since " + clock(a.held)
	}
	return s
}
