package rules_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/value"
	"pgregory.net/rapid"

	"tocsin/config"
	"tocsin/rules"
	"tocsin/rules/rulestest"
)

// fault is something that keeps rules from being evaluated for a while.
type fault struct {
	after time.Duration // since the last one
	does  string        // outage, crash, slow
	lasts time.Duration
}

// season is what the expressions x and y have as results, and what goes wrong
// meanwhile.
type season struct {
	answers map[string][][]rules.Sample // for each multiple of the interval
	rules   []config.Rule
	faults  []fault
	// refusals of range queries, in order; only recording rules get over them.
	refusals []bool
}

const (
	seasonInterval = 10 * time.Second
	seasonLength   = 45 // intervals, of which the last ones are without faults
)

func drawSeason(t *rapid.T) season {
	s := season{answers: map[string][][]rules.Sample{}}
	for _, expr := range []string{"x", "y"} {
		answer := drawSamples(t)
		for range seasonLength + 1 {
			if rapid.IntRange(0, 2).Draw(t, "changes") == 0 {
				answer = drawSamples(t)
			}
			s.answers[expr] = append(s.answers[expr], answer)
		}
	}
	labelled := recording("s", "y")
	labelled.Labels = []config.Pair{{Name: "team", Value: "db"}}
	s.rules = []config.Rule{recording("r", "x"), drawAlerting(t, "A", "x"), drawAlerting(t, "B", "y"), labelled}
	for range rapid.IntRange(1, 3).Draw(t, "faults") {
		s.faults = append(s.faults, fault{
			after: time.Duration(rapid.IntRange(1, 60_000).Draw(t, "after")) * time.Millisecond,
			does:  rapid.SampledFrom([]string{"outage", "crash", "crash", "slow"}).Draw(t, "does"),
			lasts: time.Duration(rapid.IntRange(1, 60_000).Draw(t, "lasts")) * time.Millisecond,
		})
	}
	return s
}

// drawSamples draws results of different labels.
func drawSamples(t *rapid.T) (all []rules.Sample) {
	for _, x := range []string{"0", "1", "2"} {
		if rapid.IntRange(0, 2).Draw(t, "there") > 0 {
			all = append(all, rulestest.Sample(float64(rapid.IntRange(0, 1).Draw(t, "v")), "x", x))
		}
	}
	return all
}

func drawAlerting(t *rapid.T, name, expr string) config.Rule {
	durations := []time.Duration{0, seasonInterval, 25 * time.Second, time.Minute}
	r := alerting(name, expr, rapid.SampledFrom(durations).Draw(t, "for"))
	r.KeepFiringFor = rapid.SampledFrom(durations).Draw(t, "keep_firing_for")
	if label := rapid.SampledFrom([]string{"", "db", "{{label:x}}", "{{value}}"}).Draw(t, "label"); label != "" {
		r.Labels = []config.Pair{{Name: "l", Value: label}}
	}
	note := rapid.SampledFrom([]string{"text", "{{value}}", "{{activeAt}}"}).Draw(t, "annotation")
	r.Annotations = []config.Pair{{Name: "summary", Value: note}}
	return r
}

// outcomes are what storage, Alertmanager and the API have in the end.
type outcomes struct {
	stored map[string]string // by series and time
	clash  []string          // samples that were stored with two values
	told   map[string]bool   // transitions
	firing map[string]string // at Alertmanager
	alerts map[string]string // active ones
}

func (o *outcomes) enter(series []rules.Series, alerts []rules.Alert) {
	for _, s := range series {
		v := fmt.Sprint(s.V)
		if value.IsStaleNaN(s.V) {
			v = "stale"
		}
		at := fmt.Sprintf("%s @%d", s.Full(), s.T)
		if was, known := o.stored[at]; known && was != v {
			o.clash = append(o.clash, at)
		}
		o.stored[at] = v
	}
	for _, a := range alerts {
		text := fmt.Sprintf("firing since %s: %s", a.StartsAt, a.Annotations.Get("summary"))
		o.firing[a.Labels.String()] = text
		if a.Resolved {
			text = fmt.Sprintf("resolved %s to %s: %s", a.StartsAt, a.EndsAt, a.Annotations.Get("summary"))
			delete(o.firing, a.Labels.String())
		}
		o.told[a.Labels.String()+" "+text] = true
	}
}

// spent plays the season, with its faults or without.
func (s *season) spent(t *testing.T, faults []fault) (out outcomes) {
	synctest.Test(t, func(t *testing.T) {
		w, start := newWorld(t), time.Now()
		w.deps.Options.ErrorResend = 0 // what was told during an outage would be told by faults alone
		w.catchesUp(time.Hour)
		j := w.journaled()
		for expr, answers := range s.answers {
			w.datasource.SetTrack(expr, func(at time.Time) []rules.Sample {
				return answers[at.Sub(start)/seasonInterval]
			})
		}
		refusals := slices.Clone(s.refusals)
		w.datasource.HookRange(func(context.Context, rules.RangeQuery) error {
			if len(refusals) == 0 {
				return nil
			}
			refused := refusals[0]
			refusals = refusals[1:]
			if refused {
				return errors.New("no answer")
			}
			return nil
		})
		g := group("g", s.rules...)
		g.Interval = seasonInterval
		w.apply(g)
		for _, f := range faults {
			w.pass(f.after)
			w.befall(j, g, f)
		}
		// A restart puts off rounds by less than an interval.
		w.pass(time.Until(start.Add((seasonLength+1)*seasonInterval - time.Microsecond)))
		out = w.outcomes()
	})
	return out
}

// befall has f happen.
func (w *world) befall(j *journal, g config.Group, f fault) {
	switch f.does {
	case "outage":
		w.datasource.Hook(func(context.Context, rules.Query) error { return errors.New("no answer") })
		w.pass(f.lasts)
		w.datasource.Hook(nil)
	case "slow":
		// Four of these are more than an interval.
		w.slowQueries(4*time.Second, time.Now().Add(f.lasts))
		w.pass(f.lasts)
		w.pass(4 * time.Second) // an outage between the two queries of a rule is another story
	case "crash":
		w.crash(j)
		w.pass(f.lasts)
		w.apply(g)
	}
}

func (w *world) outcomes() outcomes {
	out := outcomes{stored: map[string]string{}, told: map[string]bool{}, firing: map[string]string{}, alerts: map[string]string{}}
	var alerts []rules.Alert
	for _, n := range w.notifier.Sent() {
		alerts = append(alerts, n.Alerts...)
	}
	out.enter(w.appender.Appended(), alerts)
	for _, r := range w.manager.Groups()[0].Rules {
		for i := range r.Alerts() {
			if a := &r.Alerts()[i]; a.State != rules.Inactive {
				out.alerts[a.Labels.String()] = fmt.Sprintf("%s since %s, starts %s, held since %s, value %v: %s", a.State,
					a.ActiveAt.Time(), a.StartsAt.Time(), a.KeepFiringSince.Time(), a.Value, a.Annotations.Get("summary"))
			}
		}
	}
	return out
}

// Whatever goes wrong, in the end everything is as if nothing had: storage has the
// same samples, alerts have the same clocks, and Alertmanager knows the same.
func TestFaultsLeaveNoTrace(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := drawSeason(rt)
		want, got := s.spent(t, nil), s.spent(t, s.faults)
		if diff := cmp.Diff(want.alerts, got.alerts); diff != "" {
			rt.Errorf("alerts (-without +with faults):\n%s", diff)
		}
		if diff := cmp.Diff(want.firing, got.firing); diff != "" {
			rt.Errorf("firing at Alertmanager (-without +with faults):\n%s", diff)
		}
		if diff := cmp.Diff(want.stored, got.stored); diff != "" || len(got.clash) > 0 {
			rt.Errorf("stored, %q with two values (-without +with faults):\n%s", got.clash, diff)
		}
		for _, told := range slices.Sorted(maps.Keys(got.told)) {
			if !want.told[told] {
				rt.Errorf("told %s", told)
			}
		}
	})
}

// Range queries fail as well, now and then. Recorded series come to be the same,
// but for ends that are told twice.
func TestRecordingRulesGetOverFailedRangeQueries(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := drawSeason(rt)
		for range 20 {
			s.refusals = append(s.refusals, rapid.Bool().Draw(rt, "refused"))
		}
		want, got := recorded(s.spent(t, nil)), recorded(s.spent(t, s.faults))
		for at, v := range got {
			if _, wanted := want[at]; v == "stale" && !wanted {
				delete(got, at)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			rt.Fatalf("stored (-without +with faults):\n%s", diff)
		}
	})
}

// recorded returns what is stored of recording rules.
func recorded(o outcomes) map[string]string {
	maps.DeleteFunc(o.stored, func(at, _ string) bool { return strings.Contains(at, `__name__="ALERTS`) })
	return o.stored
}
