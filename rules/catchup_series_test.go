package rules_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/rules"
	"tocsin/rules/rulestest"
)

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
