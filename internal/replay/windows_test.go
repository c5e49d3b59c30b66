package replay_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/value"

	"tocsin/config"
	"tocsin/rules"
)

// windows returns the range queries of expr as pairs of minutes.
func (w *world) windows(expr string) (all [][2]float64) {
	for _, q := range w.datasource.AskedRanges() {
		if q.Expr == expr {
			all = append(all, [2]float64{q.From.Sub(start).Minutes(), q.To.Sub(start).Minutes()})
		}
	}
	return all
}

func TestWindowsHaveNoTimeInCommon(t *testing.T) {
	w := newWorld(t)
	w.counts("x")
	w.options.Asking.MaxPoints = 4
	got := w.mustReplay(group("g", recording("r", "x")))
	if diff := cmp.Diff([][2]float64{{0, 3}, {4, 7}, {8, 10}}, w.windows("x")); diff != "" {
		t.Errorf("windows (-want +got):\n%s", diff)
	}
	if len(got) != 11 || len(slices.Compact(got)) != 11 {
		t.Errorf("written %q, want eleven samples", got)
	}
}

// To VictoriaMetrics a range of one time would be an instant.
func TestSingleTimeIsAskedForWithTheOneBefore(t *testing.T) {
	w := newWorld(t)
	w.exists("x", 0, 1, 2, 9, 10)
	w.options.Asking.MaxPoints = 5
	got := w.mustReplay(group("g", alerting("A", "x", 0)))
	if diff := cmp.Diff([][2]float64{{0, 4}, {5, 9}, {9, 10}}, w.windows("x")); diff != "" {
		t.Errorf("windows (-want +got):\n%s", diff)
	}
	if want := 2*5 + 2; len(got) != want {
		t.Errorf("written %q, want %d samples", got, want)
	}
}

func TestQueriesHaveTheStepOfTheInterval(t *testing.T) {
	w := newWorld(t)
	g := group("g", recording("r", "x"))
	g.Interval = 30 * time.Second
	w.mustReplay(g)
	for _, q := range w.datasource.AskedRanges() {
		if q.Step != g.Interval || q.Interval != g.Interval {
			t.Errorf("step %s of a group with interval %s", q.Step, q.Interval)
		}
	}
}

// Evaluation times are those of groups that run, whenever the replay begins.
func TestTimesAreThoseOfRunningGroups(t *testing.T) {
	offset := config.Duration{Duration: 20 * time.Second, Set: true}
	for _, c := range []struct {
		name        string
		from, to    time.Duration // since start
		offset      config.Duration
		aligned     bool
		first, last time.Duration
	}{
		{"on the grid", 0, 2 * time.Minute, config.Duration{}, true, 0, 2 * time.Minute},
		{"between", time.Second, 2*time.Minute + time.Second, config.Duration{}, true, time.Minute, 2 * time.Minute},
		{"eval_offset", time.Second, 2 * time.Minute, offset, true, 20 * time.Second, 80 * time.Second},
		{"not aligned", time.Second, 2 * time.Minute, config.Duration{}, false, time.Second, 61 * time.Second},
		{"fraction of a second", 100 * time.Millisecond, 2 * time.Minute, config.Duration{}, false, time.Second, 61 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.options.Period.From, w.options.Period.To = start.Add(c.from), start.Add(c.to)
			g := group("g", recording("r", "x"))
			g.EvalOffset, g.EvalAlignment = c.offset, c.aligned
			w.mustReplay(g)
			q := w.datasource.AskedRanges()[0]
			if from, to := q.From.Sub(start), q.To.Sub(start); from != c.first || to != c.last {
				t.Errorf("from %s to %s, want %s to %s", from, to, c.first, c.last)
			}
		})
	}
}

func TestPeriodThatEndsNowLeavesOutWhatIsYetToCome(t *testing.T) {
	w := newWorld(t)
	w.options.Period.Open = true
	late, exact := group("late", recording("r", "x")), group("exact", recording("s", "y"))
	late.EvalDelay.Duration = 90 * time.Second
	exact.EvalDelay.Duration = 90 * time.Second
	exact.EvalOffset = config.Duration{Set: true}
	w.mustReplay(late, exact)
	asked := w.datasource.AskedRanges()
	if got := asked[0].To.Sub(start); got != 8*time.Minute {
		t.Errorf("the group with a delay ends at %s, want 8m", got)
	}
	if got := asked[1].To.Sub(start); got != 10*time.Minute {
		t.Errorf("the group with an offset ends at %s, want 10m", got)
	}
}

func TestPeriodWithoutTimesAsksNothing(t *testing.T) {
	w := newWorld(t)
	w.options.Period.From, w.options.Period.To = start.Add(time.Second), start.Add(30*time.Second)
	if got := w.mustReplay(group("g", recording("r", "x"))); len(got) > 0 || len(w.datasource.AskedRanges()) > 0 {
		t.Errorf("written %q, want nothing", got)
	}
}

// The clock of an alert goes on from window to window, also when for is longer
// than one.
func TestForIsLongerThanAWindow(t *testing.T) {
	for _, ahead := range []int{1, 4} {
		w := newWorld(t)
		w.exists("x", 0, 1, 2, 3, 4, 5, 7)
		w.options.Asking.MaxPoints, w.options.Asking.Concurrency = 2, ahead
		got := w.mustReplay(group("g", alerting("A", "x", 5*time.Minute)))
		want := []string{
			`{__name__="ALERTS", alertgroup="g", alertname="A", alertstate="firing"} 1 @5`,
			`{__name__="ALERTS", alertgroup="g", alertname="A", alertstate="firing"} stale @6`,
			`{__name__="ALERTS", alertgroup="g", alertname="A", alertstate="pending"} 1 @0`,
			`{__name__="ALERTS", alertgroup="g", alertname="A", alertstate="pending"} 1 @1`,
			`{__name__="ALERTS", alertgroup="g", alertname="A", alertstate="pending"} 1 @2`,
			`{__name__="ALERTS", alertgroup="g", alertname="A", alertstate="pending"} 1 @3`,
			`{__name__="ALERTS", alertgroup="g", alertname="A", alertstate="pending"} 1 @4`,
			`{__name__="ALERTS", alertgroup="g", alertname="A", alertstate="pending"} 1 @7`,
			`{__name__="ALERTS", alertgroup="g", alertname="A", alertstate="pending"} stale @5`,
			`{__name__="ALERTS", alertgroup="g", alertname="A", alertstate="pending"} stale @8`,
			`{__name__="ALERTS_FOR_STATE", alertgroup="g", alertname="A"} 1.7145648e+09 @0`,
			`{__name__="ALERTS_FOR_STATE", alertgroup="g", alertname="A"} 1.7145648e+09 @1`,
			`{__name__="ALERTS_FOR_STATE", alertgroup="g", alertname="A"} 1.7145648e+09 @2`,
			`{__name__="ALERTS_FOR_STATE", alertgroup="g", alertname="A"} 1.7145648e+09 @3`,
			`{__name__="ALERTS_FOR_STATE", alertgroup="g", alertname="A"} 1.7145648e+09 @4`,
			`{__name__="ALERTS_FOR_STATE", alertgroup="g", alertname="A"} 1.7145648e+09 @5`,
			`{__name__="ALERTS_FOR_STATE", alertgroup="g", alertname="A"} 1.71456522e+09 @7`,
			`{__name__="ALERTS_FOR_STATE", alertgroup="g", alertname="A"} stale @6`,
			`{__name__="ALERTS_FOR_STATE", alertgroup="g", alertname="A"} stale @8`,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%d queries ahead: written (-want +got):\n%s", ahead, diff)
		}
	}
}

// No more queries are under way than is allowed, and answers are used in order
// although the first comes last.
func TestQueriesAheadAreUsedInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.counts("x")
		slow := &slowRanges{RangeQuerier: &w.datasource}
		w.options.Ranges = slow
		w.options.Asking.MaxPoints, w.options.Asking.Concurrency = 1, 3
		w.mustReplay(group("g", recording("r", "x")))
		if slow.most != 3 {
			t.Errorf("%d queries were under way at once, want 3", slow.most)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.exists("x", 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
		w.options.Ranges = &slowRanges{RangeQuerier: &w.datasource}
		w.options.Asking.MaxPoints, w.options.Asking.Concurrency = 1, 3
		s, err := w.replay(group("g", alerting("A", "x", 10*time.Minute)))
		if err != nil || s.Fired != 1 {
			t.Errorf("fired %d times, %v; want once", s.Fired, err)
		}
		var last int64
		for _, x := range w.sink.Appended() {
			if x.T < last {
				t.Fatal("samples are not written in order of time")
			}
			last = x.T
		}
	})
}

// slowRanges takes the longer for a query the earlier its time.
type slowRanges struct {
	rules.RangeQuerier

	mu        sync.Mutex // guards the fields below
	now, most int        // queries under way
}

func (s *slowRanges) QueryRange(ctx context.Context, q rules.RangeQuery) ([]rules.Track, error) {
	s.mu.Lock()
	s.now++
	s.most = max(s.most, s.now)
	s.mu.Unlock()
	time.Sleep(start.Add(time.Hour).Sub(q.From))
	s.mu.Lock()
	s.now--
	s.mu.Unlock()
	return s.RangeQuerier.QueryRange(ctx, q)
}

func TestGroupsAndRulesAreReplayedInOrder(t *testing.T) {
	w := newWorld(t)
	w.options.Asking.MaxPoints = 6
	w.mustReplay(group("z", recording("b", "2"), recording("a", "1")), group("a", alerting("C", "3", 0)))
	var got []string
	for _, q := range w.datasource.AskedRanges() {
		got = append(got, q.Expr)
	}
	if diff := cmp.Diff([]string{"2", "2", "1", "1", "3", "3"}, got); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

// An alert without for is active since it began, not since its window did.
func TestAlertWithoutForIsActiveSinceItBegan(t *testing.T) {
	w := newWorld(t)
	w.exists("x", 1, 2, 3, 4, 5, 6, 7, 8)
	w.options.Asking.MaxPoints = 3
	if _, err := w.replay(group("g", alerting("A", "x", 0))); err != nil {
		t.Fatal(err)
	}
	began := float64(start.Add(time.Minute).Unix())
	n := 0
	for _, s := range w.sink.Appended() {
		if s.Labels.Get("__name__") == "ALERTS_FOR_STATE" && !value.IsStaleNaN(s.V) {
			n++
			if s.V != began {
				t.Errorf("at %d it is active since %g, want %g", s.T/1000, s.V, began)
			}
		}
	}
	if n != 8 {
		t.Errorf("%d samples, want eight", n)
	}
}

func TestKeepFiringForHoldsAlertsOverWindows(t *testing.T) {
	w := newWorld(t)
	w.exists("x", 0, 1)
	w.options.Asking.MaxPoints = 2
	r := alerting("A", "x", 0)
	r.KeepFiringFor = 5 * time.Minute
	got := w.mustReplay(group("g", r))
	const firing = `{__name__="ALERTS", alertgroup="g", alertname="A", alertstate="firing"} `
	if !slices.Contains(got, firing+"1 @6") || !slices.Contains(got, firing+"stale @7") {
		t.Errorf("written %q, want the alert to fire for five minutes longer", got)
	}
}
