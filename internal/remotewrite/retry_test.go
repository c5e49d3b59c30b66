package remotewrite

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestRetriesUntilAcceptedAndLogsTheChangeOnly(t *testing.T) {
	for _, fault := range []*struct {
		name string
		code int
	}{{"broken connection", -1}, {"500", 500}, {"503", 503}, {"429", 429}, {"301", 301}} {
		t.Run(fault.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &receiver{answer: always(fault.code, "overloaded")}
				c := start(t, r, one)
				c.mustAppend(t, series(5, 1))
				time.Sleep(10 * time.Minute) // far beyond RetryMaxTime: there is room, so nothing is dropped
				r.set(nil)
				c.mustAppend(t, series(5, 2))
				c.mustClose(t)
				if _, rows := r.count(); rows != 10 {
					t.Errorf("%d of 10 rows arrived", rows)
				}
				if c.logged("remote write fails") != 1 || c.logged("works again") != 1 || strings.Count(c.log.String(), "\n") != 2 {
					t.Errorf("log: %s", c.log)
				}
				if strings.Contains(c.log.String(), "hunter2") || !strings.Contains(c.log.String(), "storage:8428/prefix/api/v1/write") {
					t.Errorf("log: %s", c.log)
				}
				c.wantMetrics(t, map[string]string{
					"vmalert_remotewrite_dropped_rows_total": "0", "vmalert_remotewrite_errors_total": "0",
					"vmalert_remotewrite_sent_rows_total": "10",
				})
				if c.metric("tocsin_remotewrite_retries_total") == "0" {
					t.Error("retries are not counted")
				}
			})
		})
	}
}

func TestFlushDurationIncludesRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{answer: func(n int, _ *http.Request) *http.Response {
			if n == 1 {
				return status(http.StatusTooManyRequests, "", "Retry-After", "20")
			}
			return nil
		}}
		c := start(t, r, one)
		c.mustAppend(t, series(5, 1))
		if err := c.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.wantMetrics(t, map[string]string{
			"vmalert_remotewrite_flush_duration_seconds_sum": "20", "vmalert_remotewrite_flush_duration_seconds_count": "1",
			"vmalert_remotewrite_send_duration_seconds_total": "20", "tocsin_remotewrite_retries_total": "1",
		})
		c.mustClose(t)
	})
}

func TestRetryAfterIsHonoured(t *testing.T) {
	for name, header := range map[string]func() string{
		"seconds": func() string { return "25" },
		"date":    func() string { return time.Now().Add(25 * time.Second).UTC().Format(http.TimeFormat) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &receiver{answer: func(n int, _ *http.Request) *http.Response {
					if n > 1 {
						return nil
					}
					return status(http.StatusServiceUnavailable, "", "Retry-After", header())
				}}
				c := start(t, r, one)
				began := time.Now()
				c.mustAppend(t, series(1, 1))
				if err := c.Flush(t.Context()); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(began); took != 25*time.Second {
					t.Errorf("tried again after %s, want 25s", took)
				}
				c.mustClose(t)
			})
		})
	}
}

func TestHangingRequestIsTriedAgainAfterSendTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{gate: make(chan struct{})}
		c := start(t, r, func(o *Options) { o.Concurrency, o.SendTimeout = 1, 3*time.Second })
		c.mustAppend(t, series(1, 1))
		time.Sleep(6 * time.Second)
		if c.logged("deadline exceeded") != 1 {
			t.Errorf("log: %s", c.log)
		}
		close(r.gate)
		c.mustClose(t)
		if _, rows := r.count(); rows != 1 {
			t.Errorf("%d rows arrived, want 1", rows)
		}
	})
}

func TestOrderOfASeriesSurvivesRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{answer: func(n int, _ *http.Request) *http.Response {
			switch n % 5 {
			case 0:
				return status(-1, "")
			case 1:
				return status(http.StatusServiceUnavailable, "")
			case 3:
				return status(http.StatusTooManyRequests, "", "Retry-After", "3")
			}
			return nil
		}}
		c := start(t, r, func(o *Options) { o.Concurrency, o.MaxBatchSize = 4, 7 })
		const names, rounds = 20, 50
		for i := range rounds {
			c.mustAppend(t, series(names, int64(i+1)))
			time.Sleep(100 * time.Millisecond)
		}
		c.mustClose(t)
		last := map[string]int64{}
		for _, row := range r.rows {
			name := row.Labels.Get("instance")
			if row.T != last[name]+1 {
				t.Fatalf("%s: time %d follows %d", name, row.T, last[name])
			}
			last[name] = row.T
		}
		for i := range names {
			if name := fmt.Sprintf("host-%d", i); last[name] != rounds {
				t.Errorf("%s ends at %d, want %d", name, last[name], rounds)
			}
		}
	})
}
