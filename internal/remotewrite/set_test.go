package remotewrite

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/google/go-cmp/cmp"

	"tocsin/rules"
)

// newSetBench returns a set that writes to the receivers, with the surroundings
// it shares with its first client. It has not been started.
func newSetBench(t *testing.T, change func(*Options), receivers ...*receiver) (*Set, *bench) {
	t.Helper()
	b := &bench{set: metrics.NewSet(), log: &logText{}}
	o := Options{Metrics: b.set, Log: slog.New(slog.NewTextHandler(b.log, nil)), Concurrency: 1}
	if change != nil {
		change(&o)
	}
	targets := make([]Target, len(receivers))
	for i, r := range receivers {
		targets[i] = Target{URL: "http://user:hunter2@storage:8428/" + string('a'+rune(i)) + "?token=hunter2", Transport: r}
	}
	s, err := NewSet(o, targets)
	if err != nil {
		t.Fatal(err)
	}
	b.Client = s.clients[0]
	return s, b
}

func startSet(t *testing.T, change func(*Options), receivers ...*receiver) (*Set, *bench) {
	t.Helper()
	s, b := newSetBench(t, change, receivers...)
	s.Start()
	return s, b
}

func TestEveryTargetGetsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := &receiver{}, speaking(415, "snappy")
		s, b := startSet(t, nil, first, second)
		for i := range 4 {
			if err := s.Append(t.Context(), series(10, int64(i))); err != nil {
				t.Fatal(err)
			}
			if err := s.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(first.rows, second.rows, cmp.Comparer(sameRow)); d != "" || len(first.rows) != 40 {
			t.Errorf("%d rows arrived at the first; the second differs by %s", len(first.rows), d)
		}
		if first.requests[0].url == second.requests[0].url {
			t.Error("both are the same")
		}
		b.wantMetrics(t, map[string]string{
			"vmalert_remotewrite_total": "80", "vmalert_remotewrite_sent_rows_total": "80",
			"vmalert_remotewrite_queue_capacity": "200000", "vmalert_remotewrite_concurrency": "2",
			`tocsin_remotewrite_protocol_fallbacks_total{url="1:secret-url"}`: "0",
			`tocsin_remotewrite_protocol_fallbacks_total{url="2:secret-url"}`: "1",
		})
		if b.logged(`target=2:secret-url`) != 1 || strings.Contains(b.log.String(), "hunter2") {
			t.Errorf("log: %s", b.log)
		}
	})
}

func TestTargetThatFailsDoesNotHoldUpTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dead, well := &receiver{answer: always(-1, "")}, &receiver{}
		s, b := startSet(t, func(o *Options) { o.MaxQueueSize = 50 }, dead, well)
		began := time.Now()
		for i := range 30 {
			if err := s.Append(t.Context(), series(10, int64(i))); err != nil {
				t.Fatal(err)
			}
			time.Sleep(100 * time.Millisecond)
			if err := s.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("it took %s, want 3s", took)
		}
		if _, rows := well.count(); rows != 300 {
			t.Errorf("%d of 300 rows arrived", rows)
		}
		b.wantMetrics(t, map[string]string{
			`tocsin_remotewrite_queue_length{url="1:secret-url"}`:                           "50",
			`tocsin_remotewrite_queue_length{url="2:secret-url"}`:                           "0",
			`tocsin_remotewrite_dropped_rows_total{reason="queue_full",url="1:secret-url"}`: "250",
			`tocsin_remotewrite_dropped_rows_total{reason="queue_full",url="2:secret-url"}`: "0",
			"vmalert_remotewrite_dropped_rows_total":                                        "250",
		})
		if b.logged("new samples are dropped") != 1 {
			t.Errorf("log: %s", b.log)
		}
		dead.set(nil)
		time.Sleep(2 * time.Minute)
		if err := s.Append(t.Context(), series(10, 40)); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, rows := dead.count(); rows != 60 {
			t.Errorf("%d rows arrived late, want the 50 that were kept and 10 more", rows)
		}
		if b.logged("no longer drops new samples") != 1 {
			t.Errorf("log: %s", b.log)
		}
	})
}

func TestBatchThatNoTargetTakesIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := &receiver{answer: always(503, "")}, &receiver{answer: always(503, "")}
		s, bench := startSet(t, func(o *Options) { o.MaxQueueSize = 10 }, a, b)
		if err := s.Append(t.Context(), series(10, 1)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		err := s.Append(t.Context(), series(10, 2))
		if !errors.Is(err, rules.ErrQueueFull) || !strings.Contains(err.Error(), "1:secret-url: ") || !strings.Contains(err.Error(), "2:secret-url: ") {
			t.Errorf("append: %v", err)
		}
		if bench.logged("new samples are dropped") != 0 {
			t.Error("the error is both returned and logged")
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := s.Close(ctx); err == nil || strings.Count(err.Error(), "10 samples are not written") != 2 {
			t.Errorf("close: %v", err)
		}
	})
}

func TestFlushOfASet(t *testing.T) {
	const flushTime = 10 * time.Second
	for _, c := range []struct {
		name           string
		first, second  int // status; 0 is a storage that hangs
		wellAfter      time.Duration
		soonest, limit time.Duration // when the flush returns
	}{
		{"both work", 204, 204, 0, time.Second, 2 * time.Second},
		{"one fails", 503, 204, 0, time.Second, 2 * time.Second},
		{"the other fails", 204, 503, 0, time.Second, 2 * time.Second},
		{"one hangs", 0, 204, 0, flushTime, flushTime},
		{"both fail for a while", 503, 503, 4 * time.Second, 4 * time.Second, flushTime - 1},
		{"both fail", 503, 503, time.Hour, flushTime, flushTime},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				storage := func(code int) *receiver {
					r := &receiver{takes: time.Second}
					if code == 0 {
						r.gate = make(chan struct{})
						t.Cleanup(func() { close(r.gate) })
					}
					r.judge = func(http.Header, []rules.Series) *http.Response {
						if c.wellAfter > 0 && time.Since(began) > c.wellAfter || code == 204 {
							return nil
						}
						return status(code, "")
					}
					return r
				}
				a, b := storage(c.first), storage(c.second)
				s, _ := startSet(t, nil, a, b)
				if err := s.Append(t.Context(), series(3, 1)); err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), flushTime)
				defer cancel()
				err := s.Flush(ctx)
				if took := time.Since(began); took < c.soonest || took > c.limit {
					t.Errorf("flush returned after %s, want %s to %s", took, c.soonest, c.limit)
				}
				if late := c.soonest == flushTime; late != errors.Is(err, context.DeadlineExceeded) || !late && err != nil {
					t.Errorf("flush returned %v", err)
				}
				_ = s.Close(ctx)
			})
		})
	}
}

func TestBorrowedSamplesOfASet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b := newSetBench(t, nil, &receiver{answer: always(503, "")}, &receiver{})
		s.Borrow()
		s.Start()
		for _, c := range s.Clients() {
			if err := c.Put(t.Context(), 7, series(3, 1)); err != nil {
				t.Error(err)
			}
		}
		time.Sleep(time.Minute)
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if got := []uint64{s.clients[0].SettledThrough(), s.clients[1].SettledThrough()}; got[0] != 6 || got[1] != 7 {
			t.Errorf("settled through %d", got)
		}
		b.wantMetrics(t, map[string]string{"vmalert_remotewrite_dropped_rows_total": "0"})
	})
}

func TestSetOfOneIsLikeAClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{answer: always(-1, "")}
		s, b := startSet(t, nil, r)
		if err := s.Append(t.Context(), series(3, 1)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		b.wantMetrics(t, map[string]string{"tocsin_remotewrite_queue_length": "3"})
		if strings.Contains(b.log.String(), "target=") {
			t.Errorf("log: %s", b.log)
		}
		r.set(nil)
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestTargetsAreShownByAddressWhenAsked(t *testing.T) {
	s, b := newSetBench(t, func(o *Options) { o.ShowURL = true }, &receiver{}, &receiver{})
	b.wantMetrics(t, map[string]string{
		`tocsin_remotewrite_retries_total{url="2:http://user:xxxxx@storage:8428/b?token=hunter2"}`: "0",
	})
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestEveryBadAddressOfASetIsTold(t *testing.T) {
	_, err := NewSet(Options{Metrics: metrics.NewSet(), Log: slog.New(slog.DiscardHandler)},
		[]Target{{URL: "ftp://x"}, {URL: "http://ok"}, {URL: ""}})
	if err == nil {
		t.Fatal("no error")
	}
	want := "target 1: remote write: URL must begin with http:// or https://\ntarget 3: remote write: URL is empty"
	if err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}

func TestKeysOfTargetsOutliveARestart(t *testing.T) {
	keys := func(urls ...string) []string {
		targets := make([]Target, len(urls))
		for i, u := range urls {
			targets[i].URL = u
		}
		s, err := NewSet(Options{Metrics: metrics.NewSet(), Log: slog.New(slog.DiscardHandler)}, targets)
		if err != nil {
			t.Fatal(err)
		}
		return s.Keys()
	}
	before := keys("http://user:old@a", "http://b/x", "http://b/x")
	after := keys("http://b/x", "http://c", "http://user:new@a")
	if before[0] != after[2] || before[1] != after[0] {
		t.Errorf("before %q, after %q", before, after)
	}
	if before[2] != before[1]+"-2" || after[1] == before[0] || after[1] == before[1] {
		t.Errorf("before %q, after %q", before, after)
	}
}
