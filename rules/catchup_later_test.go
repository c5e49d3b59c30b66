package rules_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/config"
	"tocsin/rules"
)

// refuses has range queries for expr fail with err, or answered if err is nil.
func (w *world) refuses(expr string, err error) {
	w.datasource.HookRange(func(_ context.Context, q rules.RangeQuery) error {
		if q.Expr == expr {
			return err
		}
		return nil
	})
}

// As asking again is useless.
func TestRejectedRangeQueryGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := group("g", recording("r", "x"), alerting("A", "x", 0))
		w, _, start := interrupted(t, g)
		w.refuses("x", fmt.Errorf("too much: %w", rules.ErrRejected))
		w.apply(g)
		w.pass(31 * time.Second)
		w.expect("asked", w.ranges(start), "x 30s-1m0s/10s, x 30s-1m0s/10s")
		w.expect("gaps", w.gaps(0, start), "30s-1m0s unfilled 8")
		w.expectCounts(2, 2, 0, 8)
	})
}

// Recording rules try again, round by round; alerts go on from the present, and
// cannot go back.
func TestFailedRangeQueryIsTriedAgainForRecordingRules(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := group("g", recording("r", "x"), alerting("A", "x", 0))
		w, _, start := interrupted(t, g)
		w.refuses("x", errors.New("no answer"))
		w.apply(g)
		w.pass(21 * time.Second)
		w.expect("asked", w.ranges(start), "x 30s-1m0s/10s, x 30s-1m0s/10s, x 20s-1m10s/10s, x 20s-1m10s/10s")
		w.expect("gaps", w.gaps(0, start), "30s-1m0s unfilled 4")
		w.forget()
		w.refuses("x", nil)
		w.pass(10 * time.Second)
		if got, want := w.written(start), "r=30@30s r=40@40s r=50@50s r=60@1m0s r=100@1m40s ALERTS"; !strings.HasPrefix(got, want) {
			t.Errorf("written %s, want %s", got, want)
		}
		w.expect("gaps", w.gaps(0, start), "30s-1m0s filled 4 unfilled 4")
		w.expectCounts(5, 4, 4, 4)
		w.ranges(start)
		w.pass(20 * time.Second)
		w.expect("after that asked", w.ranges(start), "")
	})
}

// The newest gap comes first.
func TestSeveralGapsAreMadeUpForFromTheNewest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := group("g", recording("r", "x"))
		w, j, start := interrupted(t, g)
		w.refuses("x", errors.New("no answer"))
		w.apply(g)
		w.pass(5 * time.Second)
		w.down(j, 25*time.Second) // 80s and 90s are missing as well
		w.apply(g)
		w.pass(time.Second)
		w.refuses("x", nil)
		w.ranges(start)
		w.pass(20 * time.Second)
		w.expect("asked", w.ranges(start), "x 1m10s-1m40s/10s, x 20s-1m10s/10s")
		w.expect("gaps", w.gaps(0, start), "1m20s-1m30s filled 2, 30s-1m0s filled 4")
	})
}

// What waits is on record: it survives a restart, whether the group is the same or
// not.
func TestWaitingGapsSurviveARestart(t *testing.T) {
	g := group("g", recording("r", "x"))
	for name, next := range map[string]config.Group{"same": g, "moved": inFile("new.yml", named("new", g)), "interval": func() config.Group {
		quick := g
		quick.Interval = 5 * time.Second
		return quick
	}()} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, j, start := interrupted(t, g)
				w.refuses("x", errors.New("no answer"))
				w.apply(g)
				w.pass(time.Second)
				w.down(j, 2*time.Second)
				w.refuses("x", nil)
				w.apply(next)
				w.pass(time.Second)
				if got, want := w.written(start), "r=30@30s r=40@40s r=50@50s r=60@1m0s r=70@1m10s"; got != want {
					t.Errorf("written %s, want %s", got, want)
				}
			})
		})
	}
}

func TestWaitingGapsAreMadeUpForInTheLanguageOfTheGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := group("g", recording("r", "x"))
		w, _, start := interrupted(t, g)
		w.refuses("x", errors.New("no answer"))
		w.apply(g)
		w.pass(time.Second)
		w.ranges(start)
		g.Type = config.Graphite
		w.refuses("x", nil)
		w.apply(g)
		w.pass(10 * time.Second)
		w.expect("asked", w.ranges(start), "x 20s-1m10s/10s")
		w.expect("gaps", w.gaps(0, start), "30s-1m0s filled 4")
	})
}

func TestWaitingGapsAreForgottenWhenCatchingUpIsTurnedOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := group("g", recording("r", "x"))
		w, j, start := interrupted(t, g)
		w.refuses("x", errors.New("no answer"))
		w.apply(g)
		w.pass(time.Second)
		w.down(j, time.Second)
		w.deps.CatchUp = nil
		w.refuses("x", nil)
		w.apply(g)
		w.pass(10 * time.Second)
		w.expect("written", w.written(start), "r=70@1m10s r=80@1m20s")
		w.down(j, time.Second)
		w.deps.CatchUp = rules.NewCatchUp(&w.datasource, time.Hour, 1, w.freshMetrics())
		w.ranges(start)
		w.apply(g)
		w.pass(time.Second)
		w.expect("asked when it is on again", w.ranges(start), "")
	})
}

// Gaps that wait do so until they are too old, and do not pile up.
func TestWaitingGapsAreGivenUpWhenTheyAreTooOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, start := newWorld(t), time.Now()
		j := w.journaled()
		w.catchesUp(time.Minute)
		w.counts("x", start)
		w.refuses("x", errors.New("no answer"))
		w.apply(group("g", recording("r", "x")))
		w.pass(5 * time.Second)
		size := 0
		for i := range 60 { // at 10s, 30s, and so on
			w.datasource.Hook(func(context.Context, rules.Query) error { return errors.New("no answer") })
			w.pass(10 * time.Second)
			w.datasource.Hook(nil)
			w.pass(10 * time.Second)
			records := j.clear()
			last := len(records[len(records)-1].States[0].Data)
			if i == 20 {
				size = last
			} else if i > 20 && last > size+40 {
				t.Fatalf("the state grows from %d to %d bytes", size, last)
			}
		}
		s := w.manager.Groups()[0].Stats
		if s.Filled != 0 || s.Unfilled < 55 || s.Unfilled > 60 {
			t.Errorf("%d filled and %d unfilled of 60, want all but the last ones given up", s.Filled, s.Unfilled)
		}
		for _, g := range s.Gaps {
			if g.Unfilled != 1 || g.From != g.To {
				t.Errorf("gap %+v, want one evaluation that is given up", g)
			}
		}
		w.refuses("x", nil)
		w.pass(time.Minute)
		s = w.manager.Groups()[0].Stats
		if s.Filled+s.Unfilled != 60 || s.Filled == 0 {
			t.Errorf("%d filled and %d unfilled, want 60 in all", s.Filled, s.Unfilled)
		}
	})
}

// Snapshots share what waits with the rule that goes on from there.
func TestShownStateStaysWhileWaitingGapsAreMadeUpFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := everySecond(recording("r", "x"))
		w, start := newWorld(t), time.Now()
		j := w.journaled()
		w.catchesUp(4 * time.Hour)
		w.counts("x", start)
		w.apply(g)
		w.pass(4500 * time.Millisecond)
		w.down(j, 3*time.Hour)
		w.refuses("x", errors.New("no answer"))
		w.apply(g)
		w.pass(700 * time.Millisecond)
		shown := w.manager.Groups()[0]
		before := rules.ContentForTest(shown)
		w.refuses("x", nil)
		w.ranges(start)
		w.pass(time.Second)
		// A part of the gap is left, in the place of the whole.
		w.expect("asked", w.ranges(start), "x 13m23s-3h0m4s/1s")
		w.expect("shown", rules.ContentForTest(shown), before)
	})
}
