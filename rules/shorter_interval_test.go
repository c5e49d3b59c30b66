package rules_test

import (
	"testing"
	"testing/synctest"
	"time"
)

// What could have been evaluated had the interval been shorter all along is not
// missed.
func TestShorterIntervalMissesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		g := group("g", alerting("A", "a", 0))
		g.Interval = time.Hour
		w.apply(g)
		w.pass(30 * time.Minute)
		g.Interval = time.Minute
		w.apply(g)
		w.pass(61 * time.Second)
		if got := len(w.datasource.Asked()); got != 3 {
			t.Errorf("%d evaluations, want one by the hour and two by the minute", got)
		}
		if got := w.manager.Groups()[0].Stats.Missed; got != 0 {
			t.Errorf("%d missed evaluations, want none", got)
		}
	})
}
