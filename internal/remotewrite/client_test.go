package remotewrite

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/rules"
)

func one(o *Options) { o.Concurrency = 1 }

func TestSamplesArriveAsAppended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{}
		c := start(t, r, nil)
		batch := series(500, 1700000000000)
		c.mustAppend(t, batch)
		c.mustClose(t)
		byInstance := func(a, b rules.Series) int {
			return strings.Compare(a.Labels.Get("instance"), b.Labels.Get("instance"))
		}
		got, want := slices.SortedFunc(slices.Values(r.rows), byInstance), slices.SortedFunc(slices.Values(batch), byInstance)
		if d := cmp.Diff(want, got, cmp.Comparer(sameRow)); d != "" {
			t.Error(d)
		}
		c.wantMetrics(t, map[string]string{
			"vmalert_remotewrite_total": "500", "vmalert_remotewrite_sent_rows_total": "500",
			"vmalert_remotewrite_sent_rows_sum": "500", "vmalert_remotewrite_sent_rows_count": "4",
			"vmalert_remotewrite_flush_duration_seconds_count": "4", "vmalert_remotewrite_queue_size_count": "1",
			"vmalert_remotewrite_queue_size_sum": "500", "vmalert_remotewrite_queue_capacity": "100000",
			"vmalert_remotewrite_concurrency": "4", "vmalert_remotewrite_errors_total": "0",
			"vmalert_remotewrite_dropped_rows_total": "0", "vmalert_remotewrite_send_duration_seconds_total": "0",
		})
		if sum, total := c.metric("vmalert_remotewrite_sent_bytes_sum"), c.metric("vmalert_remotewrite_sent_bytes_total"); total == "0" || sum != total {
			t.Errorf("sent bytes: histogram %s, counter %s", sum, total)
		}
	})
}

func TestRequestOfVictoriaMetricsProtocol(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{}
		c := start(t, r, one)
		c.mustAppend(t, series(1, 1))
		c.mustClose(t)
		got := r.requests[0]
		if got.url != "http://user:hunter2@storage:8428/prefix/api/v1/write?token=hunter2" {
			t.Errorf("posted to %s", got.url)
		}
		for name, want := range map[string]string{
			"Content-Type": "application/x-protobuf", "Content-Encoding": "zstd",
			"X-Victoriametrics-Remote-Write-Version": "1", "X-Prometheus-Remote-Write-Version": "",
			"Authorization": "Basic dXNlcjpodW50ZXIy",
		} {
			if got := got.header.Get(name); got != want {
				t.Errorf("%s = %q, want %q", name, got, want)
			}
		}
	})
}

func TestPathIsNotAppendedWhenDisabled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{}
		c := start(t, r, func(o *Options) { o.URL, o.DisablePathAppend = "http://storage/push", true })
		c.mustAppend(t, series(1, 1))
		c.mustClose(t)
		if got := r.requests[0].url; got != "http://storage/push" {
			t.Errorf("posted to %s", got)
		}
	})
}

// One path for all tenants: what is whose is told by labels.
func TestTenantsOfAClusterShareOnePath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{}
		c := start(t, r, func(o *Options) { o.URL, o.ClusterMode = "http://vminsert:8480/", true })
		c.mustAppend(t, series(1, 1))
		c.mustClose(t)
		if got := r.requests[0].url; got != "http://vminsert:8480/insert/multitenant/prometheus/api/v1/write" {
			t.Errorf("posted to %s", got)
		}
	})
}

func TestUnusableURLIsRefusedWithoutShowingIt(t *testing.T) {
	for _, raw := range []string{"", "storage:8428", "http://", "http://host:hunter2"} {
		if _, err := New(Options{Target: Target{URL: raw}}); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("New with URL %q: %v", raw, err)
		}
	}
}

func TestSamplesWaitForCompanyUpToFlushInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{}
		c := start(t, r, func(o *Options) { o.Concurrency, o.FlushInterval = 1, 4*time.Second })
		c.mustAppend(t, series(2, 1))
		time.Sleep(2 * time.Second)
		c.mustAppend(t, series(3, 2))
		synctest.Wait()
		if n, _ := r.count(); n != 0 {
			t.Errorf("%d requests before the interval was over", n)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if n, rows := r.count(); n != 1 || rows != 5 {
			t.Errorf("%d requests with %d rows, want one with 5", n, rows)
		}
		c.mustClose(t)
	})
}

func TestFullBlockIsSentAtOnceAndNoRequestIsLarger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{}
		c := start(t, r, func(o *Options) { o.Concurrency, o.MaxBatchSize, o.FlushInterval = 1, 10, time.Hour })
		c.mustAppend(t, series(9, 1))
		synctest.Wait()
		if n, _ := r.count(); n != 0 {
			t.Errorf("%d requests for less than a block", n)
		}
		c.mustAppend(t, series(17, 2))
		synctest.Wait()
		var sizes []int
		for _, q := range r.requests {
			sizes = append(sizes, q.rows)
		}
		if d := cmp.Diff([]int{10, 10}, sizes); d != "" {
			t.Error(d)
		}
		c.mustClose(t)
		if _, rows := r.count(); rows != 26 {
			t.Errorf("%d rows arrived, want 26", rows)
		}
	})
}

func TestSlowFlushIsNotFollowedByTinyOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{gate: make(chan struct{})}
		c := start(t, r, one)
		c.mustAppend(t, series(1, 1))
		time.Sleep(2 * time.Second)
		for i := range 10 { // while the first request hangs
			c.mustAppend(t, series(1, int64(i)))
			time.Sleep(time.Second)
		}
		close(r.gate)
		time.Sleep(3 * time.Second)
		if n, rows := r.count(); n != 2 || rows != 11 {
			t.Errorf("%d requests with %d rows, want 2 with 11", n, rows)
		}
		c.mustClose(t)
	})
}

func TestFlushSendsAtOnceAndWaitsUntilAccepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{gate: make(chan struct{})}
		c := start(t, r, func(o *Options) { o.FlushInterval = time.Hour })
		c.mustAppend(t, series(50, 1))
		began := time.Now()
		var flushes sync.WaitGroup
		for range 100 {
			flushes.Go(func() {
				if err := c.Flush(t.Context()); err != nil {
					t.Error(err)
				}
				if _, rows := r.count(); rows != 50 {
					t.Errorf("flushed when %d of 50 rows had arrived", rows)
				}
			})
		}
		time.Sleep(time.Second)
		close(r.gate)
		flushes.Wait()
		if took := time.Since(began); took != time.Second {
			t.Errorf("flush took %s, want what storage took", took)
		}
		if n, _ := r.count(); n != 4 {
			t.Errorf("%d requests for one flush of 4 shards", n)
		}
		c.mustClose(t)
	})
}

func TestFlushOfNothingReturnsAtOnce(t *testing.T) {
	c := newBench(t, &receiver{}, nil)
	if err := c.Flush(t.Context()); err != nil {
		t.Error(err)
	}
	c.mustClose(t)
}

func TestFlushDoesNotWaitForLaterSamples(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{gate: make(chan struct{}, 1)}
		c := start(t, r, one)
		c.mustAppend(t, series(1, 1))
		done := make(chan error, 1)
		go func() { done <- c.Flush(t.Context()) }()
		synctest.Wait() // the request is under way
		c.mustAppend(t, series(1, 2))
		r.gate <- struct{}{}
		synctest.Wait()
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		default:
			t.Error("flush waits for samples appended after it")
		}
		close(r.gate)
		c.mustClose(t)
	})
}

func TestFlushEndsWithItsContextAndAfterRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{answer: always(http.StatusServiceUnavailable, "")}
		c := start(t, r, one)
		c.mustAppend(t, series(1, 1))
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := c.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("flush with storage down: %v", err)
		}
		r.set(always(http.StatusUnprocessableEntity, ""))
		if err := c.Flush(t.Context()); err != nil {
			t.Errorf("flush of refused samples: %v", err)
		}
		c.mustClose(t)
	})
}

func TestConcurrencyBoundsRequestsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{gate: make(chan struct{})}
		c := start(t, r, func(o *Options) { o.Concurrency, o.MaxBatchSize = 3, 5 })
		c.mustAppend(t, series(300, 1))
		time.Sleep(time.Second)
		close(r.gate)
		c.mustClose(t)
		if r.most != 3 {
			t.Errorf("%d requests in flight at once, want 3", r.most)
		}
	})
}

func TestCloseDrainsInPiecesAndRefusesMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{}
		c := start(t, r, func(o *Options) { o.Concurrency, o.MaxBatchSize, o.FlushInterval = 2, 10, time.Hour })
		for i := range 9 {
			c.mustAppend(t, series(1, int64(i)))
		}
		began := time.Now()
		c.mustClose(t)
		if took := time.Since(began); took != 0 {
			t.Errorf("close took %s with storage well", took)
		}
		if _, rows := r.count(); rows != 9 {
			t.Errorf("%d of 9 rows drained", rows)
		}
		if err := c.Append(t.Context(), series(3, 1)); !errors.Is(err, ErrClosed) {
			t.Errorf("append after close: %v", err)
		}
		c.wantMetrics(t, map[string]string{
			"vmalert_remotewrite_dropped_rows_total": "3", "vmalert_remotewrite_errors_total": "3",
			`tocsin_remotewrite_dropped_rows_total{reason="closing"}`: "3",
			"tocsin_remotewrite_queue_length":                         "",
		})
		c.mustClose(t)
	})
}

func TestCloseTriesAgainAtOnceAndCountsWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{answer: always(http.StatusServiceUnavailable, "", "Retry-After", "60")}
		c := start(t, r, func(o *Options) { o.Concurrency, o.MaxBatchSize = 1, 10 })
		c.mustAppend(t, series(25, 1))
		synctest.Wait()
		before, _ := r.count()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		err := c.Close(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "25 samples") {
			t.Errorf("close with storage down: %v", err)
		}
		if again := c.Close(context.Background()); again != err {
			t.Errorf("close again: %v", again)
		}
		if after, _ := r.count(); after != before+1 {
			t.Errorf("%d attempts during close, want one", after-before)
		}
		c.wantMetrics(t, map[string]string{"vmalert_remotewrite_dropped_rows_total": "25", "vmalert_remotewrite_total": "25"})
	})
}

func TestCloseCutsAHangingRequestShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{gate: make(chan struct{})}
		c := start(t, r, func(o *Options) { o.SendTimeout = time.Hour })
		c.mustAppend(t, series(40, 1))
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		began := time.Now()
		if err := c.Close(ctx); err == nil || !strings.Contains(err.Error(), "40 samples") {
			t.Errorf("close: %v", err)
		}
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("close took %s", took)
		}
		c.wantMetrics(t, map[string]string{"vmalert_remotewrite_dropped_rows_total": "40"})
		if c.logged("remote write fails") != 0 {
			t.Errorf("shutdown is logged as a failure: %s", c.log)
		}
	})
}

func TestCloseBeforeStartLosesWhatWasAppended(t *testing.T) {
	c := newBench(t, &receiver{}, nil)
	c.mustAppend(t, series(3, 1))
	if err := c.Close(t.Context()); err == nil || !strings.Contains(err.Error(), "3 samples") {
		t.Errorf("close: %v", err)
	}
	c.wantMetrics(t, map[string]string{"vmalert_remotewrite_dropped_rows_total": "3"})
}

func TestQueueGauges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{answer: always(-1, "")}
		c := start(t, r, nil)
		c.mustAppend(t, series(30, 1))
		time.Sleep(7 * time.Second)
		c.mustAppend(t, series(4, 2))
		c.wantMetrics(t, map[string]string{
			"tocsin_remotewrite_queue_length": "34", "tocsin_remotewrite_oldest_unsent_seconds": "7",
		})
		r.set(nil)
		c.mustClose(t)
	})
}
