package rules_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

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
