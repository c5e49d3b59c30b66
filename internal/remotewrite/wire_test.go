package remotewrite

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tocsin/rules"
)

// fastRetries is for tests over real connections.
func fastRetries(url string) func(*Options) {
	return func(o *Options) {
		o.URL, o.MaxBatchSize, o.MaxQueueSize = url, 2000, 1_000_000
		o.FlushInterval, o.RetryMinInterval = time.Millisecond, time.Millisecond
	}
}

func TestBufferIsNotReusedWhileTheTransportReadsIt(t *testing.T) {
	var requests atomic.Int32
	var mu sync.Mutex
	got := map[string]int64{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n := requests.Add(1); n%3 == 0 {
			// The answer comes before the body is read, so the client's transport is still sending it.
			http.Error(w, "not now", []int{http.StatusBadRequest, http.StatusServiceUnavailable}[n%2])
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		rows, err := decode(r.Header, body)
		if err != nil {
			t.Errorf("request of %d bytes: %v", len(body), err)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, row := range rows {
			if name := row.Labels.Get("instance"); got[name] < row.T {
				got[name] = row.T
			} else {
				t.Errorf("%s: time %d after %d", name, row.T, got[name])
			}
		}
	}))
	defer server.Close()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	c := start(t, transport, fastRetries(server.URL))
	for i := range 30 {
		c.mustAppend(t, series(4000, int64(i+1)))
	}
	c.mustClose(t)
	if len(got) == 0 {
		t.Error("nothing arrived")
	}
}

func TestRedirectIsFollowedOnlyAsAPost(t *testing.T) {
	var rows atomic.Int32
	mux := http.NewServeMux()
	mux.HandleFunc("POST /end/api/v1/write", func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got, err := decode(r.Header, body)
		if err != nil {
			t.Error(err)
		}
		rows.Add(int32(len(got)))
	})
	mux.HandleFunc("GET /", func(http.ResponseWriter, *http.Request) { t.Error("samples were sent as a GET") })
	var found atomic.Int32
	mux.HandleFunc("POST /api/v1/write", func(w http.ResponseWriter, r *http.Request) {
		code := http.StatusTemporaryRedirect
		if found.Add(1) == 1 {
			code = http.StatusFound
		}
		http.Redirect(w, r, "/end/api/v1/write", code)
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	c := start(t, transport, func(o *Options) { fastRetries(server.URL)(o); o.Concurrency = 1 })
	c.mustAppend(t, series(7, 1))
	c.mustClose(t)
	if rows.Load() != 7 || found.Load() != 2 {
		t.Errorf("%d rows arrived after %d redirects, want 7 after 2", rows.Load(), found.Load())
	}
}

// lateReader answers before it reads, and reads when the next request is there.
type lateReader struct {
	body io.ReadCloser
	late chan error
}

func (l *lateReader) RoundTrip(r *http.Request) (*http.Response, error) {
	if l.body != nil {
		_, err := l.body.Read(make([]byte, 1))
		l.late <- err
	}
	l.body = r.Body
	return status(http.StatusNoContent, ""), nil
}

func TestTransportCannotReadAfterItsRequest(t *testing.T) {
	transport := &lateReader{late: make(chan error, 1)}
	c := start(t, transport, func(o *Options) { o.Concurrency, o.MaxBatchSize = 1, 1 })
	c.mustAppend(t, series(2, 1))
	c.mustClose(t)
	if err := <-transport.late; err == nil || err == io.EOF {
		t.Errorf("a late read answers %v, want an error that is not the end", err)
	}
}

// sink takes everything without looking at it.
type sink struct{}

func (sink) RoundTrip(r *http.Request) (*http.Response, error) {
	_, err := io.Copy(io.Discard, r.Body)
	_ = r.Body.Close()
	return status(http.StatusNoContent, ""), err
}

func BenchmarkAppendAndFlush(b *testing.B) {
	for _, shape := range []struct {
		name          string
		batches, size int
	}{{"4x50000", 4, 50_000}, {"10000x2", 10_000, 2}} {
		b.Run(shape.name, func(b *testing.B) {
			batches := make([][]rules.Series, shape.batches)
			all := series(shape.batches*shape.size, 1)
			for i := range batches {
				batches[i] = all[i*shape.size : (i+1)*shape.size]
			}
			c := start(b, sink{}, nil)
			b.ReportAllocs()
			for b.Loop() {
				for _, batch := range batches {
					c.mustAppend(b, batch)
				}
				if err := c.Flush(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(all)), "ns/series")
			c.mustClose(b)
		})
	}
}
