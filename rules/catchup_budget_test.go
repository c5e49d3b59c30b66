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
	"tocsin/rules/rulestest"
)

// everySecond is a group with an interval of a second.
func everySecond(rs ...config.Rule) config.Group {
	g := group("g", rs...)
	g.Interval = time.Second
	return g
}

func TestGapOfMoreStepsThanAQueryMayAskFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := everySecond(recording("r", "x"), alerting("A", "x > 1e9", 0))
		w, start := newWorld(t), time.Now()
		j := w.journaled()
		w.catchesUp(4 * time.Hour)
		w.counts("x", start)
		w.apply(g)
		w.pass(4500 * time.Millisecond)
		w.down(j, 3*time.Hour)
		w.apply(g)
		w.pass(700 * time.Millisecond)
		if n := len(w.appender.Appended()); n != 10_001 {
			t.Errorf("%d samples at first, want 10,000 and the present one", n)
		}
		w.expect("asked", w.ranges(start), "x 13m24s-3h0m3s/1s, x > 1e9 13m24s-3h0m3s/1s")
		w.pass(time.Second)
		w.expect("asked later", w.ranges(start), "x 4s-13m24s/1s")
		stored := strings.Fields(w.written(start))
		if len(stored) < 799 || stored[0] != "r=5@5s" || stored[798] != "r=803@13m23s" {
			t.Errorf("%d samples later, want those from 5s to 13m23s first", len(stored))
		}
		w.expect("gaps", w.gaps(0, start), "13m24s-3h0m3s filled 10000, 5s-3h0m3s filled 10000 unfilled 799, 5s-13m23s filled 799")
	})
}

// rangeFunc answers range queries.
type rangeFunc func(q rules.RangeQuery) ([]rules.Track, error)

func (f rangeFunc) QueryRange(_ context.Context, q rules.RangeQuery) ([]rules.Track, error) {
	return f(q)
}

// All samples of a query are in memory at once.
func TestLargeResultsAreMadeUpForInParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, start := newWorld(t), time.Now()
		j := &journal{}
		w.deps.Journal = j
		many := make([]rules.Sample, 25_000)
		for i := range many {
			many[i] = rulestest.Sample(1, "i", fmt.Sprint(i))
		}
		var asked []string
		w.deps.CatchUp = rules.NewCatchUp(rangeFunc(func(q rules.RangeQuery) ([]rules.Track, error) {
			asked = append(asked, fmt.Sprintf("%s-%s", q.From.Sub(start), q.To.Sub(start)))
			var points []rules.Point
			for at := q.From; !at.After(q.To); at = at.Add(q.Step) {
				points = append(points, rules.Point{T: at.UnixMilli(), V: 1})
			}
			tracks := make([]rules.Track, len(many))
			for i := range tracks {
				tracks[i] = rules.Track{Labels: many[i].Labels, Points: points}
			}
			return tracks, nil
		}), time.Hour, 1, w.metrics)
		w.datasource.Set("x", many...)
		g := group("g", recording("r", "x"))
		w.apply(g)
		w.pass(5 * time.Second)
		w.down(j, 125*time.Second) // 10s to 120s are missing
		j.clear()
		w.apply(g)
		w.pass(15 * time.Second)
		w.expect("asked", joined(asked), "30s-2m0s, 0s-30s")
		w.expect("gaps", w.gaps(0, start), "30s-2m0s filled 10, 10s-20s filled 2")
		for i, want := range []int{11 * len(many), 3 * len(many)} {
			if n := len(j.kept()[i].Series); n != want {
				t.Errorf("record %d has %d samples, want %d", i, n, want)
			}
		}
	})
}

// A query that takes a second for each step it asks for is too slow for all of
// them at once.
func TestSlowRangeQueryIsTriedWithLess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := group("g", recording("r", "x"))
		w, _, start := interrupted(t, g)
		w.datasource.HookRange(func(ctx context.Context, q rules.RangeQuery) error {
			timer := time.NewTimer(q.To.Sub(q.From) / 20)
			defer timer.Stop()
			select {
			case <-timer.C:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		w.pass(30 * time.Second)
		w.apply(g)
		w.pass(2400 * time.Millisecond)
		w.expect("written before a quarter of the interval", w.written(start), "")
		w.pass(200 * time.Millisecond)
		w.expect("written after it", w.written(start), "r=100@1m40s")
		w.pass(2 * time.Minute)
		stored := w.written(start)
		for at := 30; at <= 200; at += 10 {
			want := fmt.Sprintf("r=%d@%s", at, time.Duration(at)*time.Second)
			if at != 100 && !strings.Contains(" "+stored+" ", " "+want+" ") {
				t.Errorf("%s was not written: %s", want, stored)
			}
		}
		if !w.metric(`vmalert_iteration_missed_total{group="g",file="f.yml"} 0`) {
			t.Error("rounds were missed")
		}
	})
}

// A datasource that hangs with range queries takes a quarter of the interval from
// a round, however many rules there are.
func TestHangingRangeQueriesDelayThePresentByAQuarterOfTheInterval(t *testing.T) {
	for _, workers := range []int{1, 3} {
		synctest.Test(t, func(t *testing.T) {
			g := group("g", recording("r", "x"), alerting("A", "x", 0), recording("s", "x"), recording("u", "x"))
			g.Concurrency = workers
			w, _, start := interrupted(t, g)
			w.datasource.HookRange(func(ctx context.Context, _ rules.RangeQuery) error { <-ctx.Done(); return ctx.Err() })
			w.apply(g)
			w.pass(2600 * time.Millisecond)
			got := w.written(start)
			for _, name := range []string{"r", "s", "u", "ALERTS{g A firing}"} {
				if !strings.Contains(got, name+"=") {
					t.Errorf("%s was not evaluated after a quarter of the interval: %s", name, got)
				}
			}
			w.pass(time.Minute)
			if !w.metric(`vmalert_iteration_missed_total{group="g",file="f.yml"} 0`) {
				t.Error("rounds were missed")
			}
		})
	}
}

// There is room for one query, and another group's hangs.
func TestBusyRangeQueriesAreWaitedForNoLongerThanAQuarterOfTheInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, start := newWorld(t), time.Now()
		j := w.journaled()
		w.catchesUp(time.Hour)
		w.counts("x", start)
		w.counts("y", start)
		first := group("first", recording("f", "y"))
		first.Interval = time.Minute
		g := group("g", recording("r", "x"), alerting("A", "x", 0))
		w.apply(first, g)
		w.pass(time.Second)
		w.down(j, 5*time.Minute)
		w.datasource.HookRange(func(ctx context.Context, q rules.RangeQuery) error {
			if q.Expr == "y" {
				<-ctx.Done() // for a quarter of a minute
				return ctx.Err()
			}
			return nil
		})
		w.datasource.Hook(func(_ context.Context, q rules.Query) error {
			if q.Expr == "x" {
				time.Sleep(time.Millisecond) // so that the other is there before
			}
			return nil
		})
		w.apply(first, g)
		w.pass(2400 * time.Millisecond)
		w.expect("written while the other group's query is waited for", w.written(start), "")
		w.pass(200 * time.Millisecond)
		if got, want := w.written(start), "r=300@5m0s ALERTS{g A firing}=1@5m0s"; !strings.HasPrefix(got, want) {
			t.Errorf("written after a quarter of the interval is %s, want %s", got, want)
		}
		w.expect("asked", w.ranges(start), "y 1m0s-4m0s/1m0s")
		w.pass(20 * time.Second)
		w.expect("gaps once there is room", w.gaps(1, start), "10s-4m50s filled 29 unfilled 29")
	})
}

// What a rule reads is made up for first: until then nothing is there.
func TestRuleWaitsForThePastOfWhatItReads(t *testing.T) {
	for _, workers := range []int{1, 3} {
		synctest.Test(t, func(t *testing.T) {
			g := group("g", recording("r", "x"), recording("s", "r + 0"), alerting("A", "r > 0", 0), recording("u", "y"))
			g.Concurrency = workers
			w, _, start := interrupted(t, g)
			for _, expr := range []string{"r + 0", "r > 0", "y"} {
				w.counts(expr, start)
			}
			w.refuses("x", errors.New("no answer"))
			w.apply(g)
			w.pass(time.Second)
			asked := w.ranges(start)
			if strings.Contains(asked, "r + 0") || strings.Contains(asked, "r > 0") || !strings.Contains(asked, "x 30s") {
				t.Errorf("asked %s, want x before what reads r", asked)
			}
			w.refuses("x", nil)
			w.pass(10 * time.Second)
			if got := w.ranges(start); got != "x 20s-1m10s/10s, r + 0 20s-1m10s/10s" {
				t.Errorf("asked %s, want x and then what reads r", got)
			}
		})
	}
}
