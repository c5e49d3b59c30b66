package pushmetrics

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/klauspost/compress/gzip"
)

// push is one request as the receiver got it, unpacked.
type push struct {
	method, url, encoding, body string
}

// receiver is who metrics are pushed to, as a transport.
type receiver struct {
	mu     sync.Mutex // guards the fields below
	pushes []push
	answer func(*http.Request) (*http.Response, error) // nil is 204
}

func (r *receiver) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	encoding := req.Header.Get("Content-Encoding")
	if encoding == "gzip" {
		z, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		if body, err = io.ReadAll(z); err != nil {
			return nil, err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pushes = append(r.pushes, push{req.Method, req.URL.String(), encoding, string(body)})
	if r.answer != nil {
		return r.answer(req)
	}
	return status(http.StatusNoContent, ""), nil
}

func status(code int, body string) *http.Response {
	w := httptest.NewRecorder()
	w.WriteHeader(code)
	_, _ = io.WriteString(w, body)
	return w.Result()
}

// got returns the pushes so far.
func (r *receiver) got() []push {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.pushes)
}

// reply has the next pushes answered by answer.
func (r *receiver) reply(answer func(*http.Request) (*http.Response, error)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

// pushing is a Pusher that runs in a bubble, with what it counts and logs.
type pushing struct {
	*Pusher
	t   *testing.T
	set *metrics.Set
	log bytes.Buffer
}

// run starts a Pusher that pushes "up 1" every 10 seconds to r.
func run(t *testing.T, r *receiver, change func(*Options)) *pushing {
	t.Helper()
	p := &pushing{t: t, set: metrics.NewSet()}
	o := Options{
		URLs: []string{"http://vm.example/api/v1/import/prometheus"}, Interval: 10 * time.Second, Transport: r,
		Write: func(w io.Writer) { _, _ = io.WriteString(w, "up 1\n") }, Metrics: p.set,
		Log: slog.New(slog.NewTextHandler(&p.log, nil)),
	}
	if change != nil {
		change(&o)
	}
	var err error
	if p.Pusher, err = New(o); err != nil {
		t.Fatal(err)
	}
	p.Start()
	return p
}

// end closes p.
func (p *pushing) end() {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 5*time.Second)
	defer cancel()
	if err := p.Close(ctx); err != nil {
		p.t.Errorf("close: %v", err)
	}
}

// shows reports whether line is among the metrics.
func (p *pushing) shows(line string) bool {
	var b bytes.Buffer
	p.set.WritePrometheus(&b)
	return strings.Contains("\n"+b.String(), "\n"+line+"\n")
}

func TestMetricsArePushedEveryInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{}
		p := run(t, r, nil)
		time.Sleep(35 * time.Second)
		synctest.Wait()
		got := r.got()
		want := push{http.MethodPost, "http://vm.example/api/v1/import/prometheus", "gzip", "up 1\n"}
		if len(got) != 3 || got[0] != want {
			t.Errorf("got %+v, want 3 times %+v", got, want)
		}
		p.end()
		if n := len(r.got()); n != 4 {
			t.Errorf("%d pushes after the end, want a last one", n)
		}
		const labels = `{url="http://vm.example/api/v1/import/prometheus"}`
		for _, line := range []string{
			"metrics_push_total" + labels + " 4", "metrics_push_errors_total" + labels + " 0",
			"metrics_push_interval_seconds" + labels + " 10", "metrics_push_duration_seconds_count" + labels + " 4",
			"metrics_push_block_size_bytes_count" + labels + " 4",
		} {
			if !p.shows(line) {
				t.Errorf("no %s", line)
			}
		}
	})
}

func TestLabelsAndPlainText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{}
		p := run(t, r, func(o *Options) {
			o.DisableCompression, o.Labels = true, []Label{{"instance", "a"}}
		})
		p.end()
		if got := r.got(); len(got) != 1 || got[0].encoding != "" || got[0].body != "up{instance=\"a\"} 1\n" {
			t.Errorf("got %+v", got)
		}
		if !p.shows(`metrics_push_bytes_pushed_total{url="http://vm.example/api/v1/import/prometheus"} 19`) {
			t.Error("the bytes are not counted")
		}
	})
}

func TestEveryURLGetsTheMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{}
		hang := make(chan struct{})
		r.reply(nil)
		p := run(t, r, func(o *Options) {
			o.URLs = []string{"http://a.example/", "http://slow.example/"}
			o.Transport = roundTrip(func(req *http.Request) (*http.Response, error) {
				if req.URL.Host == "slow.example" {
					select {
					case <-req.Context().Done():
						return nil, req.Context().Err()
					case <-hang:
					}
				}
				return r.RoundTrip(req)
			})
		})
		time.Sleep(31 * time.Second)
		synctest.Wait()
		got := r.got()
		if len(got) != 3 || got[2].url != "http://a.example/" {
			t.Errorf("while one hangs, the other gets %+v", got)
		}
		close(hang)
		p.end()
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A collector that is away for an hour is one line in the log, and 360 in the
// counter.
func TestFailureIsLoggedWhenItBeginsAndEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{}
		r.reply(func(*http.Request) (*http.Response, error) { return status(503, "no\nroom"), nil })
		p := run(t, r, nil)
		time.Sleep(time.Hour + time.Second)
		r.reply(nil)
		time.Sleep(time.Minute)
		p.end()
		if !p.shows(`metrics_push_errors_total{url="http://vm.example/api/v1/import/prometheus"} 360`) {
			t.Error("not 360 errors are counted")
		}
		log := p.log.String()
		if strings.Count(log, "\n") != 2 || !strings.Contains(log, "metrics cannot be pushed") ||
			!strings.Contains(log, "503") || !strings.Contains(log, "metrics are pushed again") {
			t.Errorf("log:\n%s", log)
		}
	})
}

func TestSecretsOfTheURLAreNeverShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{}
		r.reply(func(req *http.Request) (*http.Response, error) {
			if user, password, _ := req.BasicAuth(); user != "alice42" || password != "hunter2" {
				t.Errorf("asked as %s", user)
			}
			return nil, errors.New("refused")
		})
		p := run(t, r, func(o *Options) { o.URLs = []string{"http://alice42:hunter2@vm.example/push?token=s3cret"} })
		time.Sleep(11 * time.Second)
		p.end()
		var b bytes.Buffer
		p.set.WritePrometheus(&b)
		for _, secret := range []string{"hunter2", "s3cret", "alice42"} {
			if strings.Contains(b.String()+p.log.String(), secret) {
				t.Errorf("%s is shown:\n%s\n%s", secret, &b, &p.log)
			}
		}
		if p.log.Len() == 0 {
			t.Error("nothing was logged")
		}
	})
}

func TestRedirectIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{}
		r.reply(func(*http.Request) (*http.Response, error) {
			resp := status(http.StatusFound, "")
			resp.Header.Set("Location", "http://elsewhere.example/")
			return resp, nil
		})
		p := run(t, r, nil)
		p.end()
		if got := r.got(); len(got) != 1 || !strings.Contains(p.log.String(), "302") {
			t.Errorf("got %+v, log %s", got, &p.log)
		}
	})
}

func TestEndIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{}
		p := run(t, r, func(o *Options) {
			o.Transport = roundTrip(func(req *http.Request) (*http.Response, error) {
				<-req.Context().Done()
				return nil, req.Context().Err()
			})
		})
		time.Sleep(11 * time.Second) // a push hangs
		began := time.Now()
		p.end()
		if d := time.Since(began); d != 5*time.Second {
			t.Errorf("the end took %s, want the 5s of the last push", d)
		}
		if !p.shows(`metrics_push_errors_total{url="http://vm.example/api/v1/import/prometheus"} 1`) {
			t.Error("not exactly the last push is an error")
		}
	})
}

func TestURLsAreChecked(t *testing.T) {
	_, err := New(Options{URLs: []string{"http://ok.example", "vm.example", "ftp://ann:hunter2@x"}, Interval: 1, Metrics: metrics.NewSet(), Log: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), "address 2") || !strings.Contains(err.Error(), "address 3") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
}
