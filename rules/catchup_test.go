package rules_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/value"

	"tocsin/config"
	"tocsin/rules"
	"tocsin/rules/rulestest"
)

// catchesUp has evaluations made up for that are no older than window.
func (w *world) catchesUp(window time.Duration) {
	w.deps.CatchUp = rules.NewCatchUp(&w.datasource, window, 1, w.metrics)
}

// counts makes expr answer how many seconds have passed since start.
func (w *world) counts(expr string, start time.Time) {
	w.datasource.SetTrack(expr, func(at time.Time) []rules.Sample {
		return []rules.Sample{rulestest.Sample(at.Sub(start).Seconds())}
	})
}

// written returns the samples since the last look, as "r=30@30s".
func (w *world) written(start time.Time) string {
	var all []string
	for _, s := range w.appender.Appended() {
		v := fmt.Sprint(s.V)
		if value.IsStaleNaN(s.V) {
			v = "stale"
		}
		name := s.Labels.Get("__name__")
		if x := values(s.Labels); x != "{}" {
			name += x
		}
		all = append(all, fmt.Sprintf("%s=%s@%s", name, v, time.UnixMilli(s.T).Sub(start)))
	}
	return strings.Join(all, " ")
}

// ranges returns the range queries since the last look, as "x 30s-60s/10s".
func (w *world) ranges(start time.Time) string {
	var all []string
	for _, q := range w.datasource.AskedRanges() {
		all = append(all, fmt.Sprintf("%s %s-%s/%s", q.Expr, q.From.Sub(start), q.To.Sub(start), q.Step))
	}
	return strings.Join(all, ", ")
}

// gaps returns the gaps that group n shows, as "30s-60s filled 4".
func (w *world) gaps(n int, start time.Time) string {
	var all []string
	for _, g := range w.manager.Groups()[n].Stats.Gaps {
		text := fmt.Sprintf("%s-%s", g.From.Time().Sub(start), g.To.Time().Sub(start))
		if g.Filled > 0 {
			text += fmt.Sprint(" filled ", g.Filled)
		}
		if g.Unfilled > 0 {
			text += fmt.Sprint(" unfilled ", g.Unfilled)
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}

// freshMetrics has the metrics start over.
func (w *world) freshMetrics() *metrics.Set {
	w.metrics = metrics.NewSet()
	return w.metrics
}

func (w *world) expect(what, got, want string) {
	w.t.Helper()
	if got != want {
		w.t.Errorf("%s\n%q, want\n%q", what, got, want)
	}
}

func (w *world) expectCounts(queries, errs, filled, unfilled int) {
	w.t.Helper()
	for name, n := range map[string]int{"queries": queries, "errors": errs, "filled_evaluations": filled, "unfilled_evaluations": unfilled} {
		if line := fmt.Sprintf("tocsin_catchup_%s_total %d\n", name, n); !w.metric(line) {
			w.t.Errorf("the metrics lack %s", line)
		}
	}
}

// interrupted runs r for 25 seconds, and ends the process for 45.
func interrupted(t *testing.T, g config.Group) (w *world, j *journal, start time.Time) {
	w, start = newWorld(t), time.Now()
	j = w.journaled()
	w.catchesUp(time.Hour)
	w.counts("x", start)
	w.apply(g)
	w.pass(25 * time.Second)
	w.down(j, 45*time.Second)
	return w, j, start
}

func TestDowntimeIsMadeUpFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := group("g", recording("r", "x"))
		w, _, start := interrupted(t, g)
		w.apply(g)
		w.pass(time.Second)
		w.expect("written", w.written(start), "r=30@30s r=40@40s r=50@50s r=60@1m0s r=70@1m10s")
		w.expect("asked", w.ranges(start), "x 30s-1m0s/10s")
		w.expect("gaps", w.gaps(0, start), "30s-1m0s filled 4")
		w.expectCounts(1, 0, 4, 0)
		w.pass(20 * time.Second)
		w.expect("after that", w.written(start), "r=80@1m20s r=90@1m30s")
		w.expect("after that asked", w.ranges(start), "")
	})
}

// All rules of a group have the gap; it is shown once.
func TestGapOfSeveralRulesIsShownOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := group("g", recording("r", "x"), alerting("A", "x", 0), recording("s", "x"))
		g.Concurrency = 3
		w, _, start := interrupted(t, g)
		w.apply(g)
		w.pass(time.Second)
		w.expect("gaps", w.gaps(0, start), "30s-1m0s filled 12")
		w.expectCounts(3, 0, 12, 0)
		if s := w.manager.Groups()[0].Stats; s.Filled != 12 || s.Unfilled != 0 {
			t.Errorf("%d filled and %d unfilled, want 12 and 0", s.Filled, s.Unfilled)
		}
	})
}

func TestRestartWithinTheIntervalLeavesNoGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, start := newWorld(t), time.Now()
		j := w.journaled()
		w.catchesUp(time.Hour)
		w.counts("x", start)
		g := group("g", recording("r", "x"))
		w.apply(g)
		w.pass(25 * time.Second)
		w.down(j, 8*time.Second)
		w.apply(g)
		w.pass(time.Second)
		w.expect("written", w.written(start), "r=30@30s")
		w.expect("asked", w.ranges(start), "")
		w.expect("gaps", w.gaps(0, start), "")
	})
}

func TestOutageOfTheDatasourceIsMadeUpFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, start := newWorld(t), time.Now()
		w.catchesUp(time.Hour)
		w.counts("x", start)
		w.apply(group("g", recording("r", "x")))
		w.pass(25 * time.Second)
		w.forget()
		w.datasource.Hook(func(context.Context, rules.Query) error { return errors.New("no answer") })
		w.pass(30 * time.Second)
		w.expect("written meanwhile", w.written(start), "")
		w.expect("asked meanwhile", w.ranges(start), "")
		w.datasource.Hook(nil)
		w.pass(10 * time.Second)
		w.expect("written", w.written(start), "r=30@30s r=40@40s r=50@50s r=60@1m0s")
		w.expect("gaps", w.gaps(0, start), "30s-50s filled 3")
	})
}

// slowQueries has queries take d until a moment, unless they are for the past and
// have less time.
func (w *world) slowQueries(d time.Duration, until time.Time) {
	w.datasource.Hook(func(ctx context.Context, _ rules.Query) error {
		if deadline, _ := ctx.Deadline(); time.Now().Before(until) && time.Until(deadline) > 2500*time.Millisecond {
			time.Sleep(d)
		}
		return ctx.Err()
	})
}

// Three rules take 27 seconds, so that the slot at 10s is missed.
func TestMissedRoundsAreMadeUpFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, start := newWorld(t), time.Now()
		w.catchesUp(time.Hour)
		w.counts("x", start)
		w.slowQueries(9*time.Second, start.Add(25*time.Second))
		w.apply(group("g", recording("r", "x"), recording("s", "x"), recording("u", "x")))
		w.pass(58 * time.Second)
		if !w.metric(`vmalert_iteration_missed_total{group="g",file="f.yml"} 1`) {
			t.Error("it is not one round that was missed")
		}
		stored := w.written(start)
		for _, name := range []string{"r", "s", "u"} {
			for at := 0; at <= 50; at += 10 {
				want := fmt.Sprintf("%s=%d@%s", name, at, time.Duration(at)*time.Second)
				if n := strings.Count(" "+stored+" ", " "+want+" "); n != 1 {
					t.Errorf("%s was written %d times, want once: %s", want, n, stored)
				}
			}
		}
	})
}

// The first rule takes nine seconds, and the second has no more than one until the
// reload cuts it short.
func TestRoundThatAReloadCutsShortIsMadeUpFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, start := newWorld(t), time.Now()
		w.catchesUp(time.Hour)
		w.counts("x", start)
		w.counts("y", start)
		g := group("g", recording("r", "x"), recording("s", "y"))
		w.apply(g)
		w.pass(25 * time.Second)
		w.slowQueries(9*time.Second, start.Add(40*time.Second))
		w.pass(5500 * time.Millisecond)
		w.datasource.Asked()
		edited := holding(g, g.Rules[1], g.Rules[0])
		w.forget()
		w.apply(edited)
		w.pass(15 * time.Second)
		stored := w.written(start)
		if !w.metric("tocsin_evaluations_cut_short_total 1") {
			t.Error("no evaluation was cut short")
		}
		w.expect("gaps", w.gaps(0, start), "30s-30s filled 1")
		for _, want := range []string{"r=30@30s", "s=30@30s s=40@40s", "r=40@40s", "s=50@50s", "r=50@50s"} {
			if !strings.Contains(stored, want) {
				t.Errorf("written is %s, want %s in it", stored, want)
			}
		}
	})
}

// comings makes expr answer the label sets a, b and c as they come and go: a is
// there until 30s and again from 60s, b from 40s to 60s, c at 50s alone.
func (w *world) comings(expr string, start time.Time) {
	w.datasource.SetTrack(expr, func(at time.Time) (all []rules.Sample) {
		s := at.Sub(start).Seconds()
		add := func(x string, there bool) {
			if there {
				all = append(all, rulestest.Sample(s, "x", x))
			}
		}
		add("a", s <= 30 || s >= 60)
		add("b", s >= 40 && s <= 60)
		add("c", s == 50)
		return all
	})
}

// comingsWritten is what an uninterrupted run writes of comings from 30s to 70s.
const comingsWritten = "r{a}=30@30s r{b}=40@40s r{a}=stale@40s r{b}=50@50s r{c}=50@50s r{a}=60@1m0s r{b}=60@1m0s r{c}=stale@1m0s r{a}=70@1m10s r{b}=stale@1m10s"

func TestSeriesThatEndInAGapAreEndedThere(t *testing.T) {
	for name, gap := range map[string]time.Duration{"no gap": 0, "gap": 45 * time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, start := newWorld(t), time.Now()
				j := w.journaled()
				w.catchesUp(time.Hour)
				w.comings("x", start)
				g := group("g", recording("r", "x"))
				w.apply(g)
				w.pass(25 * time.Second)
				w.forget()
				if gap > 0 {
					w.down(j, gap)
					w.apply(g)
					w.pass(5 * time.Second)
				} else {
					w.pass(50 * time.Second)
				}
				w.expect("written", w.written(start), comingsWritten)
			})
		})
	}
}

// At first there is no time for the gap. Storage comes to hold the same, but for
// ends that are told twice.
func TestSeriesThatEndInAnOlderGapAreEndedThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, start := newWorld(t), time.Now()
		j := w.journaled()
		w.catchesUp(time.Hour)
		w.comings("x", start)
		g := group("g", recording("r", "x"))
		w.apply(g)
		w.pass(25 * time.Second)
		w.down(j, 45*time.Second)
		w.datasource.HookRange(func(context.Context, rules.RangeQuery) error { return errors.New("no answer") })
		w.apply(g)
		w.pass(5 * time.Second)
		w.expect("written at first", w.written(start), "r{a}=70@1m10s")
		w.datasource.HookRange(nil)
		w.pass(10 * time.Second)
		before := strings.TrimSuffix(comingsWritten, " r{a}=70@1m10s r{b}=stale@1m10s")
		w.expect("written later", w.written(start), before+" r{b}=stale@1m10s r{a}=80@1m20s")
		w.expect("gaps", w.gaps(0, start), "30s-1m0s filled 4")
		w.expectCounts(2, 1, 4, 0)
	})
}

func TestWhatIsTooOldIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := group("g", recording("r", "x"), alerting("A", "x", 0))
		w, _, start := interrupted(t, g)
		w.deps.CatchUp = rules.NewCatchUp(&w.datasource, 20*time.Second, 1, w.freshMetrics())
		w.apply(g)
		w.pass(time.Second)
		if got := w.written(start); !strings.HasPrefix(got, "r=50@50s r=60@1m0s r=70@1m10s ALERTS") {
			t.Errorf("written %s, want r from 50s on", got)
		}
		w.expect("asked", w.ranges(start), "x 50s-1m0s/10s, x 50s-1m0s/10s")
		w.expect("gaps", w.gaps(0, start), "30s-1m0s filled 4 unfilled 4")
		w.expectCounts(2, 0, 4, 4)
	})
}

func TestGapThatIsTooOldAsAWholeIsNotAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := group("g", recording("r", "x"))
		w, _, start := interrupted(t, g)
		w.deps.CatchUp = rules.NewCatchUp(&w.datasource, 5*time.Second, 1, w.freshMetrics())
		w.apply(g)
		w.pass(time.Second)
		w.expect("written", w.written(start), "r=70@1m10s")
		w.expect("asked", w.ranges(start), "")
		w.expectCounts(0, 0, 0, 4)
	})
}

func TestWithoutCatchingUpGapsStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := group("g", recording("r", "x"))
		w, _, start := interrupted(t, g)
		w.deps.CatchUp = nil
		w.apply(g)
		w.pass(11 * time.Second)
		w.expect("written", w.written(start), "r=70@1m10s r=80@1m20s")
		w.expect("asked", w.ranges(start), "")
		w.expect("gaps", w.gaps(0, start), "")
	})
}

// Other query languages have no range queries.
func TestGroupsOfOtherLanguagesAreLeftAlone(t *testing.T) {
	for _, typ := range []config.Type{config.Graphite, config.VLogs} {
		synctest.Test(t, func(t *testing.T) {
			g := group("g", recording("r", "x"), alerting("A", "x", 0))
			g.Type = typ
			w, _, start := interrupted(t, g)
			w.apply(g)
			w.pass(time.Second)
			w.expect("asked", w.ranges(start), "")
			w.expect("gaps", w.gaps(0, start), "")
			w.expectCounts(0, 0, 0, 0)
		})
	}
}

// Nobody takes the results.
func TestRecordingRulesWithoutRemoteWriteAreNotMadeUpFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := group("g", recording("r", "x"), alerting("A", "x", 0))
		w, _, start := interrupted(t, g)
		w.deps.Appender = nil
		w.apply(g)
		w.pass(time.Second)
		w.expect("asked", w.ranges(start), "x 30s-1m0s/10s")
		w.expectCounts(1, 0, 4, 0)
	})
}

func TestEvaluationBeforeTheDatasourceEverAnsweredIsNotMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, start := newWorld(t), time.Now()
		w.catchesUp(time.Hour)
		w.datasource.Fail("x", errors.New("no answer"))
		w.apply(group("g", recording("r", "x")))
		w.pass(25 * time.Second)
		w.counts("x", start)
		w.pass(10 * time.Second)
		w.expect("written", w.written(start), "r=30@30s")
		w.expect("asked", w.ranges(start), "")
	})
}

// The evaluation was made; that it came to nothing is the rule's fault.
func TestEvaluationThatFailsOfItselfIsNotMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, start := newWorld(t), time.Now()
		w.catchesUp(time.Hour)
		two := []rules.Sample{rulestest.Sample(1, "x", "1"), rulestest.Sample(1, "x", "2")}
		w.datasource.Set("x", two...)
		a := alerting("A", "x", 0)
		a.Labels = []config.Pair{{Name: "x", Value: ""}}
		r := recording("r", "x")
		r.Labels = a.Labels
		w.datasource.Set("x", two[0])
		w.apply(group("g", r, a))
		w.pass(15 * time.Second)
		w.datasource.Set("x", two...)
		w.pass(30 * time.Second)
		w.datasource.Set("x", two[0])
		w.pass(20 * time.Second)
		w.expect("asked", w.ranges(start), "")
		w.expect("gaps", w.gaps(0, start), "")
		w.expectCounts(0, 0, 0, 0)
	})
}

func TestChangedIntervalIsNoGap(t *testing.T) {
	for _, c := range []struct{ before, after time.Duration }{
		{time.Minute, 10 * time.Second}, {10 * time.Second, time.Minute},
	} {
		synctest.Test(t, func(t *testing.T) {
			w, start := newWorld(t), time.Now()
			w.catchesUp(time.Hour)
			w.counts("x", start)
			g := group("g", recording("r", "x"))
			g.Interval = c.before
			w.apply(g)
			w.pass(115 * time.Second)
			g.Interval = c.after
			w.apply(g)
			w.pass(3 * time.Minute)
			w.expect("asked", w.ranges(start), "")
			w.expect("gaps", w.gaps(0, start), "")
		})
	}
}

// An hour of the old interval and one failure are no gap either, but the failure is.
func TestFailureAfterTheIntervalWasChangedIsMadeUpFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, start := newWorld(t), time.Now()
		w.catchesUp(time.Hour)
		w.counts("x", start)
		g := group("g", recording("r", "x"))
		g.Interval = time.Minute
		w.apply(g)
		w.pass(65 * time.Second)
		g.Interval = 10 * time.Second
		w.apply(g)
		w.pass(10 * time.Second) // evaluated at 70s
		w.datasource.Hook(func(context.Context, rules.Query) error { return errors.New("no answer") })
		w.pass(10 * time.Second)
		w.datasource.Hook(nil)
		w.pass(10 * time.Second)
		w.expect("gaps", w.gaps(0, start), "1m20s-1m20s filled 1")
	})
}

func TestRuleThatComesFromASlowerGroupHasNoGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, start := newWorld(t), time.Now()
		w.catchesUp(time.Hour)
		w.counts("x", start)
		slow, quick := group("slow", recording("r", "x"), recording("s", "x")), group("quick", recording("q", "x"))
		slow.Interval = time.Minute
		w.apply(slow, quick)
		w.pass(55 * time.Second)
		w.apply(holding(slow, slow.Rules[0]), holding(quick, quick.Rules[0], slow.Rules[1]))
		w.pass(30 * time.Second)
		w.expect("asked", w.ranges(start), "")
		w.expect("gaps", w.gaps(1, start), "")
	})
}

// The state on record is of a time that has not come yet.
func TestClockThatWasSetBackIsNoGap(t *testing.T) {
	g := group("g", recording("r", "x"), alerting("A", "x", 0))
	var future []rules.Record
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		j := w.journaled()
		w.datasource.Set("x", rulestest.Sample(1))
		w.pass(time.Hour)
		w.apply(g)
		w.pass(25 * time.Second)
		future = j.kept()
	})
	synctest.Test(t, func(t *testing.T) {
		w, start := newWorld(t), time.Now()
		w.catchesUp(2 * time.Hour)
		w.counts("x", start)
		w.recover(future)
		w.apply(g)
		w.pass(25 * time.Second)
		w.expect("asked", w.ranges(start), "")
		w.expect("gaps", w.gaps(0, start), "")
		if got := w.written(start); !strings.HasPrefix(got, "r=0@0s") || !strings.Contains(got, "r=20@20s") {
			t.Errorf("written %s, want r from 0s on", got)
		}
	})
}

// A template that asks the datasource would have to do so for every alert and time.
func TestLabelsThatQueryAreNotMadeUpFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := alerting("A", "x", 0)
		a.Labels = []config.Pair{{Name: "l", Value: "{{query}}"}}
		g := group("g", a)
		w, _, start := interrupted(t, g)
		w.apply(g)
		w.pass(time.Second)
		w.expect("asked", w.ranges(start), "")
		w.expect("gaps", w.gaps(0, start), "30s-1m0s unfilled 4")
		w.expectCounts(0, 0, 0, 4)
	})
}

func TestOnlyTheLastGapsAreShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, start := newWorld(t), time.Now()
		w.catchesUp(time.Hour)
		w.counts("x", start)
		w.apply(group("g", recording("r", "x")))
		w.pass(5 * time.Second)
		for range 12 { // at 10s, 30s, and so on
			w.datasource.Hook(func(context.Context, rules.Query) error { return errors.New("no answer") })
			w.pass(10 * time.Second)
			w.datasource.Hook(nil)
			w.pass(10 * time.Second)
		}
		gaps := w.manager.Groups()[0].Stats.Gaps
		if len(gaps) != 10 || gaps[0].From.Time().Sub(start) != 50*time.Second || gaps[9].From.Time().Sub(start) != 230*time.Second {
			t.Errorf("%d gaps are shown: %s", len(gaps), w.gaps(0, start))
		}
		if s := w.manager.Groups()[0].Stats; s.Filled != 12 {
			t.Errorf("%d filled, want 12", s.Filled)
		}
	})
}

// What was shown once does not change afterwards.
func TestShownGapsStayAsTheyAre(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, start := newWorld(t), time.Now()
		w.catchesUp(time.Hour)
		w.counts("x", start)
		w.apply(group("g", recording("r", "x")))
		w.pass(15 * time.Second)
		w.datasource.Hook(func(context.Context, rules.Query) error { return errors.New("no answer") })
		w.pass(10 * time.Second)
		w.datasource.Hook(nil)
		w.pass(10 * time.Second)
		shown := w.manager.Groups()[0]
		before := append([]rules.Gap(nil), shown.Stats.Gaps...)
		w.datasource.Hook(func(context.Context, rules.Query) error { return errors.New("no answer") })
		w.pass(10 * time.Second)
		w.datasource.Hook(nil)
		w.pass(10 * time.Second)
		if diff := cmp.Diff(before, shown.Stats.Gaps); diff != "" || len(before) != 1 {
			t.Errorf("gaps (-before +later):\n%s", diff)
		}
		if n := len(w.manager.Groups()[0].Stats.Gaps); n != 2 {
			t.Errorf("%d gaps later, want 2", n)
		}
	})
}
