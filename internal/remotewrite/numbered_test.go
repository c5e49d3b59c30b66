package remotewrite

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/rules"
)

func borrowed(o *Options) { small(o); o.Borrowed = true }

func (c *bench) mustPut(t testing.TB, number uint64, batch []rules.Series) {
	t.Helper()
	if err := c.Put(t.Context(), number, batch); err != nil {
		t.Fatal(err)
	}
}

func (c *bench) mustFlush(t testing.TB) {
	t.Helper()
	if err := c.Flush(t.Context()); err != nil {
		t.Error(err)
	}
}

func (c *bench) wantSettled(t testing.TB, want uint64) {
	t.Helper()
	if got := c.SettledThrough(); got != want {
		t.Errorf("settled through %d, want %d", got, want)
	}
}

func TestBatchesAreSettledUnderTheirNumbers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{gate: make(chan struct{}, 1)}
		c := start(t, r, borrowed)
		c.mustPut(t, 107, series(5, 1))
		c.mustPut(t, 110, series(5, 2))
		c.wantSettled(t, 106)
		time.Sleep(time.Minute)
		c.wantSettled(t, 106)
		r.gate <- struct{}{}
		synctest.Wait()
		c.wantSettled(t, 109) // what is before 110
		close(r.gate)
		c.mustClose(t)
		c.wantSettled(t, 110)
	})
}

func TestRefusedBatchIsSettledToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{answer: always(http.StatusBadRequest, "")}
		c := start(t, r, borrowed)
		c.mustPut(t, 3, series(5, 1))
		c.mustFlush(t)
		c.wantSettled(t, 3)
		c.mustClose(t)
		c.wantMetrics(t, map[string]string{`tocsin_remotewrite_dropped_rows_total{reason="refused"}`: "5"})
	})
}

func TestEmptyBatchIsSettledAfterThoseBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{gate: make(chan struct{})}
		c := start(t, r, borrowed)
		c.mustPut(t, 1, nil)
		c.wantSettled(t, 1)
		c.mustPut(t, 2, series(3, 1))
		c.mustPut(t, 3, nil)
		c.wantSettled(t, 1)
		close(r.gate)
		c.mustFlush(t)
		c.wantSettled(t, 3)
		c.mustClose(t)
	})
}

func TestNumbersMustGrow(t *testing.T) {
	c := newBench(t, &receiver{}, borrowed)
	c.mustPut(t, 5, series(1, 1))
	for _, number := range []uint64{0, 4, 5} {
		if err := c.Put(t.Context(), number, series(1, 2)); err == nil {
			t.Errorf("number %d is taken after 5", number)
		}
	}
	c.mustPut(t, 6, series(1, 2))
	c.mustClose(t)
}

func TestBorrowedSamplesAreNeverGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{answer: always(http.StatusServiceUnavailable, "")}
		c := start(t, r, borrowed)
		c.mustPut(t, 1, series(10, 1))
		time.Sleep(24 * time.Hour)
		for range 3 {
			if err := c.Put(t.Context(), 2, series(5, 2)); !errors.Is(err, rules.ErrQueueFull) {
				t.Errorf("put: %v", err)
			}
		}
		c.wantMetrics(t, map[string]string{
			"vmalert_remotewrite_total": "10", "vmalert_remotewrite_errors_total": "0",
			"vmalert_remotewrite_dropped_rows_total": "0", "tocsin_remotewrite_queue_length": "10",
		})
		room := make(chan error, 1)
		go func() { room <- c.AwaitRoom(t.Context(), 5) }()
		time.Sleep(time.Minute)
		if len(room) != 0 {
			t.Error("there is room while storage fails")
		}
		r.set(nil)
		if err := <-room; err != nil {
			t.Error(err)
		}
		c.mustPut(t, 2, series(5, 2))
		c.mustClose(t)
		c.wantSettled(t, 2)
		if _, rows := r.count(); rows != 15 {
			t.Errorf("%d of 15 rows arrived", rows)
		}
	})
}

func TestFailingIsToldFromBusyAndIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{takes: time.Second, answer: always(503, "")}
		c := start(t, r, func(o *Options) { borrowed(o); o.FlushInterval = time.Second })
		want := func(want bool, when string) {
			t.Helper()
			if got := c.Failing(); got != want {
				t.Errorf("%s: failing is %t", when, got)
			}
		}
		want(false, "idle")
		c.mustPut(t, 1, series(3, 1))
		time.Sleep(1500 * time.Millisecond)
		want(false, "during the first attempt")
		time.Sleep(time.Minute)
		want(true, "after many")
		r.set(nil)
		c.mustFlush(t)
		want(false, "afterwards")
		c.mustClose(t)
	})
}

func TestWaitForRoomDoesNotWaitForCompany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := start(t, &receiver{}, func(o *Options) { borrowed(o); o.FlushInterval, o.MaxBatchSize = time.Hour, 100 })
		c.mustPut(t, 1, series(9, 1))
		began := time.Now()
		if err := c.AwaitRoom(t.Context(), 500); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("waited %s for room", took)
		}
		c.mustPut(t, 2, series(500, 2))
		c.mustClose(t)
	})
}

func TestWaitsEndWithTheirContextAndWithTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := start(t, &receiver{answer: always(-1, "")}, borrowed)
		c.mustPut(t, 1, series(10, 1))
		waits := map[string]func(context.Context) error{
			"room":  func(ctx context.Context) error { return c.AwaitRoom(ctx, 1) },
			"flush": c.Flush,
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for name, wait := range waits {
			if err := wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: %v", name, err)
			}
		}
		ended := make(chan error, len(waits))
		for _, wait := range waits {
			go func() { ended <- wait(t.Context()) }()
		}
		synctest.Wait()
		c.mustClose(t)
		for range waits {
			if err := <-ended; !errors.Is(err, ErrClosed) {
				t.Errorf("wait: %v", err)
			}
		}
		for name, wait := range waits {
			if err := wait(t.Context()); !errors.Is(err, ErrClosed) {
				t.Errorf("%s after close: %v", name, err)
			}
		}
		if err := c.Put(t.Context(), 9, nil); !errors.Is(err, ErrClosed) {
			t.Errorf("put after close: %v", err)
		}
	})
}

func TestCloseLetsBorrowedSamplesGoWhenStorageFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{answer: always(http.StatusServiceUnavailable, "", "Retry-After", "60")}
		c := start(t, r, func(o *Options) { borrowed(o); o.MaxQueueSize = 100 })
		for i := range 4 {
			c.mustPut(t, uint64(i+1), series(7, int64(i+1)))
		}
		time.Sleep(10 * time.Second)
		began := time.Now()
		c.mustClose(t)
		if took := time.Since(began); took != 0 {
			t.Errorf("close took %s", took)
		}
		c.wantSettled(t, 0)
		c.wantMetrics(t, map[string]string{"vmalert_remotewrite_dropped_rows_total": "0"})
	})
}

func TestCloseCutsBorrowedSamplesShortWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{gate: make(chan struct{}, 2)}
		c := start(t, r, func(o *Options) { borrowed(o); o.MaxQueueSize = 100 })
		for i := range 4 {
			c.mustPut(t, uint64(i+1), series(5, int64(i+1)))
		}
		r.gate <- struct{}{}
		r.gate <- struct{}{}
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		if err := c.Close(ctx); err != nil {
			t.Error(err)
		}
		c.wantSettled(t, 2)
		c.wantMetrics(t, map[string]string{"vmalert_remotewrite_dropped_rows_total": "0"})
	})
}

// What is settled after Close has arrived; what has not arrived is not settled.
func TestNothingThatIsLetGoCountsAsSettled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{takes: 100 * time.Millisecond}
		c := start(t, r, func(o *Options) { o.Borrowed, o.Concurrency, o.MaxBatchSize = true, 3, 4 })
		const batches, rows = 40, 10
		for i := range batches {
			c.mustPut(t, uint64(i+1), series(rows, int64(i+1)))
		}
		time.Sleep(1500 * time.Millisecond)
		ctx, cancel := context.WithTimeout(context.Background(), 1050*time.Millisecond)
		defer cancel()
		if err := c.Close(ctx); err != nil {
			t.Error(err)
		}
		arrived := map[int64]int{}
		for i := range r.rows {
			arrived[r.rows[i].T]++
		}
		through := c.SettledThrough()
		if through == 0 || through == batches {
			t.Fatalf("settled through %d: nothing or all", through)
		}
		for n := int64(1); n <= int64(through); n++ {
			if arrived[n] != rows {
				t.Errorf("batch %d is settled and %d of its %d rows arrived", n, arrived[n], rows)
			}
		}
		if next := int64(through) + 1; arrived[next] == rows {
			t.Errorf("batch %d has arrived and is not settled", next)
		}
	})
}
