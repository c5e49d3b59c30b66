package remotewrite

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/labels"

	"tocsin/rules"
)

// refusing is a storage that refuses every request which holds a row that is bad.
func refusing(code int, bad func(*rules.Series) bool) *receiver {
	return &receiver{judge: func(_ http.Header, rows []rules.Series) *http.Response {
		if slices.ContainsFunc(rows, func(s rules.Series) bool { return bad(&s) }) {
			return status(code, "out of order sample")
		}
		return nil
	}}
}

// instance reports whether a row is of one of the named instances.
func instance(names ...string) func(*rules.Series) bool {
	return func(s *rules.Series) bool { return slices.Contains(names, s.Labels.Get("instance")) }
}

func (c *bench) appendAndFlush(t *testing.T, batch []rules.Series) {
	t.Helper()
	c.mustAppend(t, batch)
	if err := c.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestOneBadSampleDoesNotCostTheOthers(t *testing.T) {
	for _, code := range []int{400, 409, 413, 422} {
		t.Run(http.StatusText(code), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := refusing(code, instance("host-1234"))
				c := start(t, r, one)
				c.appendAndFlush(t, series(10_000, 7000))
				c.mustClose(t)
				if len(r.rows) != 9999 || slices.ContainsFunc(r.rows, func(s rules.Series) bool { return instance("host-1234")(&s) }) {
					t.Errorf("%d rows arrived, want all 9999 good ones", len(r.rows))
				}
				c.wantMetrics(t, map[string]string{
					`tocsin_remotewrite_dropped_rows_total{reason="refused"}`:          "1",
					`tocsin_remotewrite_dropped_rows_total{reason="refused_together"}`: "0",
					"vmalert_remotewrite_dropped_rows_total":                           "1",
					"vmalert_remotewrite_errors_total":                                 "1",
					"vmalert_remotewrite_sent_rows_total":                              "9999",
					"tocsin_remotewrite_bisections_total":                              "6",
					"tocsin_remotewrite_refused_requests_total":                        "7",
					"tocsin_remotewrite_retries_total":                                 "0",
				})
				if !strings.Contains(c.log.String(), `series="{__name__=\"m\", instance=\"host-1234\"}" at=1970-01-01T00:00:07.000Z`) ||
					!strings.Contains(c.log.String(), "out of order sample") {
					t.Errorf("log: %s", c.log)
				}
			})
		})
	}
}

func TestRefusalIsLoggedWhenItBeginsAndWhenItIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := refusing(http.StatusUnprocessableEntity, instance("host-1", "host-3"))
		c := start(t, r, one)
		for i := range 3 {
			c.appendAndFlush(t, series(5, int64(i)))
		}
		c.wantMetrics(t, map[string]string{
			"vmalert_remotewrite_dropped_rows_total": "6", "vmalert_remotewrite_sent_rows_total": "9",
		})
		if c.logged("refuses samples") != 1 || strings.Count(c.log.String(), "\n") != 1 {
			t.Errorf("log: %s", c.log)
		}
		time.Sleep(quiet)
		c.mustAppend(t, series(1, 10))
		c.mustClose(t)
		if c.logged("no longer refuses samples") != 1 || c.logged("rows=6") != 1 {
			t.Errorf("log: %s", c.log)
		}
	})
}

func TestLongSeriesIsCutInTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := start(t, &receiver{answer: always(http.StatusBadRequest, strings.Repeat("no ", 5000))}, one)
		c.appendAndFlush(t, []rules.Series{{Labels: labels.FromStrings("__name__", "m", "x", strings.Repeat("ü", 5000))}})
		c.mustClose(t)
		if n := len(c.log.String()); n > 3000 || c.logged("üüü...") != 1 {
			t.Errorf("%d bytes of log: %s", n, c.log)
		}
	})
}

func TestOrderOfASeriesSurvivesTheSearchForBadSamples(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := refusing(http.StatusBadRequest, func(s *rules.Series) bool { return s.T%17 == 0 && instance("host-3")(s) })
		c := start(t, r, func(o *Options) { o.Concurrency, o.FlushInterval = 2, time.Hour })
		const names, rounds = 6, 50
		for i := range rounds {
			c.mustAppend(t, series(names, int64(i+1)))
		}
		c.mustClose(t)
		last := map[string]int64{}
		for i := range r.rows {
			name := r.rows[i].Labels.Get("instance")
			if r.rows[i].T <= last[name] {
				t.Fatalf("%s: time %d follows %d", name, r.rows[i].T, last[name])
			}
			last[name] = r.rows[i].T
		}
		if want := names*rounds - 2; len(r.rows) != want {
			t.Errorf("%d rows arrived, want %d", len(r.rows), want)
		}
	})
}

func TestSearchForBadSamplesGoesOnAfterAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := refusing(http.StatusBadRequest, instance("host-77"))
		r.answer = func(n int, _ *http.Request) *http.Response {
			if n%3 == 0 {
				return status(http.StatusServiceUnavailable, "")
			}
			return nil
		}
		c := start(t, r, one)
		c.appendAndFlush(t, series(200, 1))
		c.mustClose(t)
		c.wantMetrics(t, map[string]string{
			"vmalert_remotewrite_sent_rows_total":                     "199",
			`tocsin_remotewrite_dropped_rows_total{reason="refused"}`: "1",
		})
		if c.metric("tocsin_remotewrite_retries_total") == "0" {
			t.Error("there was no outage")
		}
	})
}

func TestRowsAreDroppedTogetherWhenTooManyAreBad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := refusing(http.StatusBadRequest, func(s *rules.Series) bool { return s.V >= 500 })
		c := start(t, r, func(o *Options) { o.Concurrency, o.MaxBatchSize = 1, 10_000 })
		c.appendAndFlush(t, series(10_000, 1))
		c.mustClose(t)
		if len(r.rows) != 500 {
			t.Errorf("%d rows arrived, want the 500 good ones", len(r.rows))
		}
		if n, _ := r.count(); n > 4*maxEffort {
			t.Errorf("%d requests for one block", n)
		}
		alone := c.metric(`tocsin_remotewrite_dropped_rows_total{reason="refused"}`)
		together := c.metric(`tocsin_remotewrite_dropped_rows_total{reason="refused_together"}`)
		if alone == "0" || together == "0" {
			t.Errorf("%s rows dropped alone, %s together", alone, together)
		}
		c.wantMetrics(t, map[string]string{"vmalert_remotewrite_dropped_rows_total": "9500"})
	})
}

// Nothing is wrong with the samples when storage does not know who sends them, or
// does not answer at that address: they wait until that is put right.
func TestWrongCredentialsLoseNothing(t *testing.T) {
	for _, code := range []int{401, 403, 404, 405, 407, 408} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &receiver{answer: always(code, "who are you?")}
				c := start(t, r, one)
				c.mustAppend(t, series(20, 1))
				time.Sleep(time.Hour)
				c.wantMetrics(t, map[string]string{
					"vmalert_remotewrite_dropped_rows_total": "0", "tocsin_remotewrite_refused_requests_total": "0",
					"tocsin_remotewrite_queue_length": "20",
				})
				if c.logged("remote write fails") != 1 || c.logged("who are you?") != 1 {
					t.Errorf("log: %s", c.log)
				}
				r.set(nil)
				c.mustClose(t)
				if len(r.rows) != 20 {
					t.Errorf("%d of 20 rows arrived", len(r.rows))
				}
			})
		})
	}
}

// A storage that has spoken zstd is not taken for one that cannot because of bad
// samples.
func TestBadSamplesDoNotSwitchTheProtocol(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := refusing(http.StatusBadRequest, instance("host-3"))
		c := start(t, r, one)
		c.appendAndFlush(t, series(4, 1))
		c.appendAndFlush(t, series(3, 2))
		c.mustClose(t)
		// All four rows in both; the first two, the third and the fourth; the second batch.
		want := []string{"zstd", "snappy", "zstd", "zstd", "zstd", "zstd"}
		if d := cmp.Diff(want, r.protocols()); d != "" {
			t.Error(d)
		}
		c.wantMetrics(t, map[string]string{
			"tocsin_remotewrite_protocol_fallbacks_total": "0", "vmalert_remotewrite_dropped_rows_total": "1",
		})
	})
}

// Storage behind a proxy that is set up wrongly refuses requests whatever is in
// them. Samples that are kept elsewhere can wait for somebody to mend that.
func TestStorageThatRefusesEverythingIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{answer: always(http.StatusBadRequest, "no such tenant")}
		c := start(t, r, borrowed)
		c.mustPut(t, 1, series(10, 1))
		time.Sleep(doubtFor / 2)
		c.wantMetrics(t, map[string]string{"vmalert_remotewrite_dropped_rows_total": "0"})
		r.set(nil)
		time.Sleep(time.Minute)
		c.wantSettled(t, 1)
		c.mustClose(t)
		if _, rows := r.count(); rows != 10 {
			t.Errorf("%d of 10 rows arrived", rows)
		}
	})
}

func TestStorageThatRefusesEverythingIsBelievedInTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{answer: always(http.StatusBadRequest, "no such tenant")}
		c := start(t, r, borrowed)
		c.mustPut(t, 1, series(10, 1))
		time.Sleep(3 * doubtFor)
		c.wantSettled(t, 1)
		c.wantMetrics(t, map[string]string{"vmalert_remotewrite_dropped_rows_total": "10"})
		c.mustClose(t)
	})
}

func TestBadSampleIsNotWaitedForWhenStorageWorks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := refusing(http.StatusBadRequest, instance("host-0"))
		c := start(t, r, func(o *Options) { borrowed(o); o.Concurrency = 1 })
		c.mustPut(t, 1, series(10, 1))
		time.Sleep(time.Minute)
		c.wantSettled(t, 1)
		c.wantMetrics(t, map[string]string{
			"vmalert_remotewrite_dropped_rows_total": "1", "tocsin_remotewrite_probes_total": "1",
		})
		c.mustClose(t)
	})
}
