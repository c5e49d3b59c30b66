package rules_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/google/go-cmp/cmp"

	"tocsin/config"
	"tocsin/rules"
)

// freshMetrics has the metrics start over.
func (w *world) freshMetrics() *metrics.Set {
	w.metrics = metrics.NewSet()
	return w.metrics
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
		g := group("g", recording("r", "x"), alerting("A", "x", 0))
		w, _, start := interrupted(t, g)
		w.refuses("x", errors.New("no answer"))
		w.apply(g)
		w.pass(time.Second)
		shown := w.manager.Groups()[0]
		before := append([]rules.Gap(nil), shown.Stats.Gaps...)
		w.refuses("x", nil)
		w.pass(10 * time.Second)
		if diff := cmp.Diff(before, shown.Stats.Gaps); diff != "" || len(before) != 1 {
			t.Errorf("gaps (-before +later):\n%s", diff)
		}
		w.expect("gaps later", w.gaps(0, start), "30s-1m0s filled 4 unfilled 4")
	})
}
