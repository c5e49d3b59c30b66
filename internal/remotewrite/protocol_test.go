package remotewrite

import (
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/rules"
)

// speaking is a storage that knows only some protocols and answers code to the
// others.
func speaking(code int, known ...string) *receiver {
	return &receiver{judge: func(h http.Header, rows []rules.Series) *http.Response {
		for _, p := range known {
			if p == spoken(h) {
				return nil
			}
		}
		return status(code, "unknown media type")
	}}
}

// writtenCount answers as remote write 2.0 demands.
func writtenCount(n int) *http.Response {
	return status(http.StatusNoContent, "", writtenHeader, strconv.Itoa(n))
}

// modern is a storage that takes nothing but remote write 2.0.
func modern() *receiver {
	r := &receiver{}
	r.judge = func(h http.Header, rows []rules.Series) *http.Response {
		if spoken(h) != "2.0" {
			return status(http.StatusUnsupportedMediaType, "unsupported proto version")
		}
		r.rows = append(r.rows, rows...)
		return writtenCount(len(rows))
	}
	return r
}

func TestProtocolIsFoundOutAndRemembered(t *testing.T) {
	for name, world := range map[string]struct {
		storage *receiver
		want    []string
	}{
		"VictoriaMetrics":        {speaking(400, "zstd", "snappy"), []string{"zstd", "zstd", "zstd"}},
		"Prometheus 2":           {speaking(400, "snappy"), []string{"zstd", "snappy", "snappy", "snappy"}},
		"Prometheus 3":           {speaking(415, "snappy", "2.0"), []string{"zstd", "snappy", "snappy", "snappy"}},
		"OpenTelemetry receiver": {modern(), []string{"zstd", "snappy", "2.0", "2.0", "2.0"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := start(t, world.storage, one)
				for i := range 3 {
					c.appendAndFlush(t, series(5, int64(i)))
				}
				c.mustClose(t)
				if d := cmp.Diff(world.want, world.storage.protocols()); d != "" {
					t.Error(d)
				}
				if n := len(world.storage.rows); n != 15 {
					t.Errorf("%d of 15 rows arrived", n)
				}
				changes := 0
				if len(world.want) > 3 {
					changes = 1
				}
				c.wantMetrics(t, map[string]string{
					"tocsin_remotewrite_protocol_fallbacks_total": strconv.Itoa(changes),
					"vmalert_remotewrite_dropped_rows_total":      "0",
				})
				if c.logged("falls back") != changes {
					t.Errorf("log: %s", c.log)
				}
			})
		})
	}
}

func TestHeadersOfProtocols(t *testing.T) {
	for p, want := range map[protocol]http.Header{
		victoriaMetrics: {
			"Content-Type": {"application/x-protobuf"}, "Content-Encoding": {"zstd"},
			"X-Victoriametrics-Remote-Write-Version": {"1"}, "User-Agent": {"tocsin"},
		},
		prometheus1: {
			"Content-Type": {"application/x-protobuf"}, "Content-Encoding": {"snappy"},
			"X-Prometheus-Remote-Write-Version": {"0.1.0"}, "User-Agent": {"tocsin"},
		},
		prometheus2: {
			"Content-Type": {"application/x-protobuf;proto=io.prometheus.write.v2.Request"}, "Content-Encoding": {"snappy"},
			"X-Prometheus-Remote-Write-Version": {"2.0.0"}, "User-Agent": {"tocsin"},
		},
	} {
		got := http.Header{}
		p.setHeaders(got)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", p, d)
		}
	}
}

func TestStorageThatChangesItsProtocolIsFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := speaking(415, "snappy")
		c := start(t, r, one)
		c.appendAndFlush(t, series(5, 1))
		r.judge = modern().judge
		c.appendAndFlush(t, series(5, 2))
		r.judge = speaking(415, "snappy").judge
		c.appendAndFlush(t, series(5, 3))
		c.mustClose(t)
		if d := cmp.Diff([]string{"zstd", "snappy", "snappy", "2.0", "2.0", "snappy"}, r.protocols()); d != "" {
			t.Error(d)
		}
		c.wantMetrics(t, map[string]string{
			"vmalert_remotewrite_sent_rows_total": "15", "tocsin_remotewrite_protocol_fallbacks_total": "3",
		})
	})
}

// A bad sample in the first block must not hide what storage understands.
func TestProtocolIsFoundOutInSpiteOfBadSamples(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := speaking(400, "snappy")
		unknown := r.judge
		r.judge = func(h http.Header, rows []rules.Series) *http.Response {
			if resp := unknown(h, rows); resp != nil {
				return resp
			}
			for i := range rows {
				if instance("host-0")(&rows[i]) {
					return status(http.StatusBadRequest, "out of order sample")
				}
			}
			return nil
		}
		c := start(t, r, one)
		c.appendAndFlush(t, series(8, 1))
		c.appendAndFlush(t, series(8, 2))
		c.mustClose(t)
		if len(r.rows) != 14 {
			t.Errorf("%d of 14 good rows arrived", len(r.rows))
		}
		if got := protocol(c.protocol.Load()); got != prometheus1 {
			t.Errorf("storage is written to by %s", got)
		}
	})
}

// Storage of before 2.0 that looks at no headers finds an empty request in one of
// 2.0, and says so with 204.
func TestAcceptanceOfNothingIsNotTakenForAcceptance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asleep := true
		r := &receiver{judge: func(h http.Header, rows []rules.Series) *http.Response {
			switch {
			case spoken(h) == "2.0":
				return status(http.StatusNoContent, "")
			case asleep || spoken(h) == "zstd":
				return status(http.StatusUnsupportedMediaType, "")
			}
			return nil
		}}
		c := start(t, r, one)
		c.mustAppend(t, series(5, 1))
		time.Sleep(time.Minute)
		c.wantMetrics(t, map[string]string{"vmalert_remotewrite_sent_rows_total": "0", "vmalert_remotewrite_dropped_rows_total": "0"})
		if c.logged("does not say what was written") != 1 {
			t.Errorf("log: %s", c.log)
		}
		r.mu.Lock()
		asleep = false
		r.mu.Unlock()
		c.mustClose(t)
		if len(r.rows) != 5 {
			t.Errorf("%d of 5 rows arrived", len(r.rows))
		}
	})
}

func TestStorageThatUnderstoodNothingForAWhileIsAskedAfresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := speaking(415)
		c := start(t, r, one)
		c.mustAppend(t, series(5, 1))
		time.Sleep(time.Minute)
		r.mu.Lock()
		r.judge = nil
		r.mu.Unlock()
		c.mustClose(t)
		asked := r.protocols()
		if d := cmp.Diff([]string{"zstd", "snappy", "2.0", "zstd", "snappy", "2.0"}, asked[:6]); d != "" || asked[len(asked)-1] != "zstd" {
			t.Errorf("asked by %q", asked)
		}
		c.wantMetrics(t, map[string]string{
			"vmalert_remotewrite_sent_rows_total": "5", "tocsin_remotewrite_protocol_fallbacks_total": "0",
		})
	})
}

func TestStorageOfRemoteWrite2SortsOutBadSamplesItself(t *testing.T) {
	for name, answer := range map[string]*http.Response{
		"as it must":     status(http.StatusBadRequest, "2 samples are out of bounds", writtenHeader, "3"),
		"as it must not": writtenCount(3),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := modern()
				c := start(t, r, one)
				c.appendAndFlush(t, series(5, 1))
				r.judge = func(http.Header, []rules.Series) *http.Response { return answer }
				c.appendAndFlush(t, series(5, 2))
				c.mustClose(t)
				if n, _ := r.count(); n != 4 {
					t.Errorf("%d requests, want 3 and 1", n)
				}
				c.wantMetrics(t, map[string]string{
					"vmalert_remotewrite_sent_rows_total":                     "8",
					`tocsin_remotewrite_dropped_rows_total{reason="refused"}`: "2",
				})
				if c.logged("refuses samples") != 1 || c.logged("series=") != 0 {
					t.Errorf("log: %s", c.log)
				}
			})
		})
	}
}

func TestRefusalOfAllByRemoteWrite2IsDivided(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := modern()
		take := r.judge
		r.judge = func(h http.Header, rows []rules.Series) *http.Response {
			for i := range rows {
				if spoken(h) == "2.0" && instance("host-2")(&rows[i]) {
					return status(http.StatusBadRequest, "bad", writtenHeader, "0")
				}
			}
			return take(h, rows)
		}
		c := start(t, r, one)
		c.appendAndFlush(t, series(5, 1))
		c.mustClose(t)
		if len(r.rows) != 4 {
			t.Errorf("%d of 4 good rows arrived", len(r.rows))
		}
		if c.logged("host-2") != 1 {
			t.Errorf("log: %s", c.log)
		}
	})
}

func TestFallbackGoesOnAfterARetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := speaking(415, "snappy")
		r.answer = func(n int, _ *http.Request) *http.Response {
			if n == 2 {
				return status(http.StatusServiceUnavailable, "")
			}
			return nil
		}
		c := start(t, r, one)
		c.appendAndFlush(t, series(5, 1))
		c.mustClose(t)
		if n, rows := r.count(); n != 3 || rows != 5 {
			t.Errorf("%d requests, %d rows; want 3 and 5", n, rows)
		}
	})
}
