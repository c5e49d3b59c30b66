package remotewrite

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/rules"
)

func small(o *Options) { o.Concurrency, o.MaxQueueSize, o.MaxBatchSize = 1, 10, 5 }

func TestAppendWaitsForRoomWhileStorageDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{gate: make(chan struct{}, 100)}
		c := start(t, r, small)
		c.mustAppend(t, series(10, 1))
		var appends sync.WaitGroup
		for i := range 3 {
			appends.Go(func() { c.mustAppend(t, series(4, int64(i+2))) })
		}
		synctest.Wait()
		c.wantMetrics(t, map[string]string{"tocsin_remotewrite_queue_length": "10"})
		close(r.gate)
		appends.Wait()
		c.mustClose(t)
		if _, rows := r.count(); rows != 22 {
			t.Errorf("%d of 22 rows arrived", rows)
		}
	})
}

func TestWaitingForRoomDoesNotWaitForFlushInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{}
		c := start(t, r, func(o *Options) { small(o); o.MaxBatchSize, o.FlushInterval = 100, time.Hour })
		c.mustAppend(t, series(9, 1))
		began := time.Now()
		c.mustAppend(t, series(9, 2))
		if took := time.Since(began); took != 0 {
			t.Errorf("waited %s for room", took)
		}
		c.mustClose(t)
	})
}

func TestBatchLargerThanTheQueuePasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{}
		c := start(t, r, small)
		c.mustAppend(t, series(3, 1))
		c.mustAppend(t, series(95, 2))
		c.mustAppend(t, series(95, 3))
		c.mustClose(t)
		if _, rows := r.count(); rows != 193 {
			t.Errorf("%d of 193 rows arrived", rows)
		}
	})
}

func TestWaitForRoomEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{gate: make(chan struct{})}
		c := start(t, r, small)
		c.mustAppend(t, series(10, 1))
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		err := c.Append(ctx, series(2, 2))
		if !errors.Is(err, rules.ErrQueueFull) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("append: %v", err)
		}
		c.wantMetrics(t, map[string]string{
			"vmalert_remotewrite_total": "12", "vmalert_remotewrite_errors_total": "2", "vmalert_remotewrite_dropped_rows_total": "2",
			`tocsin_remotewrite_dropped_rows_total{reason="queue_full"}`: "2",
		})
		close(r.gate)
		c.mustClose(t)
		if _, rows := r.count(); rows != 10 {
			t.Errorf("%d rows arrived, want the 10 that were taken", rows)
		}
	})
}

func TestSmallBatchDoesNotOvertakeAWaitingOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{gate: make(chan struct{})}
		c := start(t, r, small)
		c.mustAppend(t, series(8, 1))
		done := make(chan int, 2)
		var appends sync.WaitGroup
		appends.Go(func() { c.mustAppend(t, series(7, 2)); done <- 7 })
		synctest.Wait()
		appends.Go(func() { c.mustAppend(t, series(1, 3)); done <- 1 })
		synctest.Wait()
		if len(done) != 0 {
			t.Error("a batch went ahead of one that came before it")
		}
		close(r.gate)
		appends.Wait()
		c.mustClose(t)
	})
}

func TestCloseRejectsWaitingBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{gate: make(chan struct{})}
		c := start(t, r, small)
		c.mustAppend(t, series(10, 1))
		err := make(chan error, 1)
		go func() { err <- c.Append(t.Context(), series(1, 2)) }()
		synctest.Wait()
		time.AfterFunc(time.Second, func() { close(r.gate) })
		c.mustClose(t)
		if err := <-err; !errors.Is(err, ErrClosed) {
			t.Errorf("append: %v", err)
		}
	})
}

func TestFullQueueOfAFailingStorageRejectsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{answer: always(http.StatusServiceUnavailable, "")}
		c := start(t, r, small)
		c.mustAppend(t, series(10, 1))
		time.Sleep(5 * time.Second)
		began := time.Now()
		err := c.Append(t.Context(), series(3, 2))
		if !errors.Is(err, rules.ErrQueueFull) {
			t.Errorf("append: %v", err)
		}
		if want := "append 3 samples: queue is full: 10 of at most 10 samples are waiting, no room for 3 more"; err.Error() != want {
			t.Errorf("error %q, want %q", err, want)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("rejected after %s", took)
		}
		c.wantMetrics(t, map[string]string{"vmalert_remotewrite_dropped_rows_total": "3", "vmalert_remotewrite_errors_total": "3"})
		r.set(nil)
		c.mustClose(t)
	})
}

func TestBatchesThatWaitAreRejectedWhenStorageBeginsToFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{gate: make(chan struct{})}
		c := start(t, r, func(o *Options) { small(o); o.SendTimeout = 4 * time.Second })
		c.mustAppend(t, series(10, 1))
		began := time.Now()
		if err := c.Append(t.Context(), series(3, 2)); !errors.Is(err, rules.ErrQueueFull) {
			t.Errorf("append: %v", err)
		}
		if took := time.Since(began); took != 4*time.Second {
			t.Errorf("rejected after %s, want when the request timed out", took)
		}
		close(r.gate)
		c.mustClose(t)
	})
}

func TestOldestSamplesAreGivenUpForNewerOnesAfterRetryMaxTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{answer: always(http.StatusServiceUnavailable, "")}
		c := start(t, r, func(o *Options) { small(o); o.RetryMaxTime = 30 * time.Second })
		c.mustAppend(t, series(5, 1))
		c.mustAppend(t, series(5, 2))
		time.Sleep(time.Minute)
		for i := range 3 {
			c.mustAppend(t, series(2, int64(3+i)))
		}
		c.wantMetrics(t, map[string]string{
			// The block that was being retried goes as a whole, then only what is needed.
			"vmalert_remotewrite_dropped_rows_total":                   "6",
			`tocsin_remotewrite_dropped_rows_total{reason="given_up"}`: "6",
			"vmalert_remotewrite_errors_total":                         "2",
			"tocsin_remotewrite_queue_length":                          "10",
		})
		if c.logged("the oldest samples are dropped") != 1 {
			t.Errorf("log: %s", c.log)
		}
		if err := c.Append(t.Context(), series(9, 6)); !errors.Is(err, rules.ErrQueueFull) {
			t.Errorf("samples that are not old enough are given up: %v", err)
		}
		r.set(nil)
		c.mustClose(t)
		got := map[int64]int{}
		for _, row := range r.rows {
			got[row.T]++
		}
		if got[1] != 0 || got[2] != 4 || got[3] != 2 || got[4] != 2 || got[5] != 2 {
			t.Errorf("rows that arrived, by time: %v", got)
		}
	})
}

func TestFlushEndsWhenItsSamplesAreGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{answer: always(http.StatusServiceUnavailable, "")}
		c := start(t, r, func(o *Options) { small(o); o.MaxBatchSize = 10 })
		c.mustAppend(t, series(10, 1))
		done := make(chan error, 1)
		go func() { done <- c.Flush(t.Context()) }()
		time.Sleep(time.Minute)
		c.mustAppend(t, series(10, 2))
		if err := <-done; err != nil {
			t.Error(err)
		}
		r.set(nil)
		c.mustClose(t)
	})
}
