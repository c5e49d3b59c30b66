package replay_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/config"
	"tocsin/internal/replay"
	"tocsin/rules"
	"tocsin/rules/rulestest"
)

// store is a storage whose queries find samples a moment after it accepted them.
// Expressions are names of series; a result is the last sample of the last minute.
type store struct {
	rulestest.Datasource

	mu       sync.Mutex // guards the fields below
	queued   []rules.Series
	accepted []stored
	flushes  int
}

type stored struct {
	rules.Series
	at time.Time
}

// showsAfter is how long it takes until queries find a sample.
const showsAfter = 3 * time.Second

func (s *store) Append(_ context.Context, batch []rules.Series) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queued = append(s.queued, batch...)
	return nil
}

func (s *store) Flush(context.Context) error {
	time.Sleep(time.Millisecond)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flushes++
	for _, x := range s.queued {
		s.accepted = append(s.accepted, stored{x, time.Now()})
	}
	s.queued = nil
	return nil
}

// find has expr answer what was written of the series, after offset.
func (s *store) find(expr, series string, offset time.Duration) {
	s.SetTrack(expr, func(at time.Time) (found []rules.Sample) {
		s.mu.Lock()
		defer s.mu.Unlock()
		for i := range s.accepted {
			x := &s.accepted[i]
			age := at.Add(-offset).Sub(time.UnixMilli(x.T))
			if x.Full().Get("__name__") == series && age >= 0 && age < time.Minute && time.Since(x.at) >= showsAfter {
				found = []rules.Sample{rulestest.Sample(x.V)}
			}
		}
		return found
	})
}

// QueryRange answers also when the samples of a series were written.
func (s *store) QueryRange(ctx context.Context, q rules.RangeQuery) ([]rules.Track, error) {
	if !strings.HasPrefix(q.Expr, "timestamp({__name__=") {
		return s.Datasource.QueryRange(ctx, q)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.accepted {
		if strings.Contains(q.Expr, strconv.Quote(x.Full().Get("__name__"))) && x.T == q.To.UnixMilli() && time.Since(x.at) >= showsAfter {
			return []rules.Track{{Points: []rules.Point{{T: x.T, V: float64(x.T) / 1000}}}}, nil
		}
	}
	return nil, nil
}

// shown returns what was accepted.
func (s *store) shown() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []rules.Series
	for _, x := range s.accepted {
		all = append(all, x.Series)
	}
	return shown(all)
}

// inStore has the world keep what it writes in a store, and find it there.
func (w *world) inStore() *store {
	s := &store{}
	w.options.Ranges, w.options.Sink = s, s
	s.SetTrack("x", func(at time.Time) []rules.Sample {
		return []rules.Sample{rulestest.Sample(at.Sub(start).Minutes())}
	})
	return s
}

func TestChainedRulesFindWhatEarlierOnesWrote(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.options.Period.To = start.Add(2 * time.Minute)
		s := w.inStore()
		s.find("a", "a", 0)
		s.find("b", "b", 0)
		if _, err := w.replay(group("first", recording("a", "x"), recording("b", "a")), group("second", recording("c", "b"))); err != nil {
			t.Fatal(err)
		}
		want := []string{
			`{__name__="a"} 0 @0`, `{__name__="a"} 1 @1`, `{__name__="a"} 2 @2`,
			`{__name__="b"} 0 @0`, `{__name__="b"} 1 @1`, `{__name__="b"} 2 @2`,
			`{__name__="c"} 0 @0`, `{__name__="c"} 1 @1`, `{__name__="c"} 2 @2`,
		}
		if diff := cmp.Diff(want, s.shown()); diff != "" {
			t.Errorf("stored (-want +got):\n%s", diff)
		}
	})
}

func TestOnlyRulesThatReadOthersWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := w.inStore()
		began := time.Now()
		if _, err := w.replay(group("g", recording("a", "x"), recording("b", "x + 1"), recording("c", "x + 2"))); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took >= showsAfter || s.flushes != 1 {
			t.Errorf("it took %s with %d flushes, want no wait and the flush at the end", took, s.flushes)
		}
	})
}

// What a former process wrote may not be found yet, either.
func TestReplayThatGoesOnFindsWhatWasWrittenBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.options.Period.To = start.Add(time.Minute)
		s := w.inStore()
		s.find("a", "a", 0)
		g := group("g", recording("a", "x"), recording("b", "a"))
		record := w.recorded()
		ctx, interrupt := context.WithCancel(context.Background())
		s.HookRange(func(_ context.Context, q rules.RangeQuery) error {
			if q.Expr == "a" {
				interrupt()
				return context.Canceled
			}
			return nil
		})
		w.options.Delay = 0 // the first process does not wait
		w.groups(g)
		if _, err := replay.Run(ctx, w.options); !errors.Is(err, replay.ErrInterrupted) {
			t.Fatal(err)
		}
		record.Close()
		s.HookRange(nil)
		w.options.Delay = time.Second
		record = w.recorded()
		defer record.Close()
		if _, err := w.replay(g); err != nil {
			t.Fatal(err)
		}
		want := []string{`{__name__="a"} 0 @0`, `{__name__="a"} 1 @1`, `{__name__="b"} 0 @0`, `{__name__="b"} 1 @1`}
		if diff := cmp.Diff(want, s.shown()); diff != "" {
			t.Errorf("stored (-want +got):\n%s", diff)
		}
	})
}

// A datasource that is not the storage shows nothing of what is written. It is
// waited for once.
func TestReplayDoesNotWaitForAnotherDatasource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var log bytes.Buffer
		w.options.Log = slog.New(slog.NewTextHandler(&log, nil))
		s := w.inStore()
		w.options.Ranges = &s.Datasource
		began := time.Now()
		if _, err := w.replay(group("g", recording("a", "x"), recording("b", "a"), recording("c", "b"), recording("d", "a"))); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < 30*time.Second || took > 35*time.Second {
			t.Errorf("it took %s, want one wait of 30s", took)
		}
		if got := strings.Count(log.String(), "does not have what was written"); got != 1 {
			t.Errorf("that is said %d times, want once:\n%s", got, &log)
		}
	})
}

func TestWithoutADelayNobodyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.options.Delay = 0
		s := w.inStore()
		began := time.Now()
		if _, err := w.replay(group("g", recording("a", "x"), recording("b", "a"))); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took >= time.Second || s.flushes != 2 {
			t.Errorf("it took %s with %d flushes, want only that storage has accepted what is read", took, s.flushes)
		}
	})
}

// A rule that reads its own series at earlier times finds there what it wrote, as
// it does when it runs.
func TestRuleReadsItsOwnPast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.options.Period.To = start.Add(3 * time.Minute)
		s := w.inStore()
		s.SetTrack("sum offset 1m", func(at time.Time) []rules.Sample {
			s.find("found", "sum", time.Minute)
			res, err := s.QueryRange(context.Background(), rules.RangeQuery{
				Query: rules.Query{Expr: "found"}, From: at, To: at, Step: time.Minute,
			})
			sum := 1.0
			if err == nil && len(res) == 1 {
				sum += res[0].Points[0].V
			}
			return []rules.Sample{rulestest.Sample(sum)}
		})
		if _, err := w.replay(group("g", recording("other", "x"), recording("sum", "sum offset 1m"))); err != nil {
			t.Fatal(err)
		}
		got := slices.DeleteFunc(s.shown(), func(x string) bool { return strings.Contains(x, "other") })
		want := []string{`{__name__="sum"} 1 @0`, `{__name__="sum"} 2 @1`, `{__name__="sum"} 3 @2`, `{__name__="sum"} 4 @3`}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("stored (-want +got):\n%s", diff)
		}
	})
}

// Of two rules that read each other, the first sees the second as it was one
// evaluation before.
func TestRuleReadsALaterOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.options.Period.To = start.Add(3 * time.Minute)
		s := w.inStore()
		s.find("b", "b", 0)
		s.find("b offset 1m", "b", time.Minute)
		if _, err := w.replay(group("g", recording("a", "b offset 1m"), recording("b", "x"))); err != nil {
			t.Fatal(err)
		}
		want := []string{
			`{__name__="a"} 0 @1`, `{__name__="a"} 1 @2`, `{__name__="a"} 2 @3`,
			`{__name__="b"} 0 @0`, `{__name__="b"} 1 @1`, `{__name__="b"} 2 @2`, `{__name__="b"} 3 @3`,
		}
		if diff := cmp.Diff(want, s.shown()); diff != "" {
			t.Errorf("stored (-want +got):\n%s", diff)
		}
	})
}

// Rules of a group are replayed side by side as its concurrency allows, but not
// those that read one another.
func TestConcurrencyIsForIndependentRules(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := w.inStore()
		slow := &slowRanges{RangeQuerier: s}
		w.options.Ranges = slow
		g := group("g", recording("a", "x"), recording("b", "x"), recording("c", "a + b"))
		g.Concurrency = 3
		if _, err := w.replay(g); err != nil {
			t.Fatal(err)
		}
		if slow.most != 2 {
			t.Errorf("%d queries were under way at once, want those of the two rules that read no other", slow.most)
		}
	})
}

func TestWhatTheReplayDoesNotShowIsSaid(t *testing.T) {
	w := newWorld(t)
	var log bytes.Buffer
	w.options.Log = slog.New(slog.NewTextHandler(&log, nil))
	w.mustReplay(
		group("first", recording("busy", "count(ALERTS)"), alerting("A", "x", 0)),
		config.Group{Key: config.Key{File: "f.yml", Name: "empty"}, Type: config.Prometheus, Interval: time.Minute},
	)
	if !strings.Contains(log.String(), "which the replay does not show them") || !strings.Contains(log.String(), "reader=busy writer=A") {
		t.Errorf("the log does not say that busy reads A too early:\n%s", &log)
	}
}
