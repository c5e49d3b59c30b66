package remotewrite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/prometheus/prometheus/model/labels"
	"go.uber.org/goleak"

	"tocsin/rules"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// receiver is storage: an http.RoundTripper that decodes what it is sent and
// keeps it in order, unless answer says otherwise.
type receiver struct {
	mu       sync.Mutex
	answer   func(n int, r *http.Request) *http.Response             // nil, or returning nil: 204. n counts from 1
	judge    func(h http.Header, rows []rules.Series) *http.Response // by what is sent; nil: answer decides
	requests []request
	rows     []rules.Series // accepted, in order of arrival
	inFlight int
	most     int // in flight at once
	gate     chan struct{}
	takes    time.Duration // how long it thinks before it answers
}

type request struct {
	protocol string // as spoken says
	header   http.Header
	url      string
	rows     int
}

func (r *receiver) RoundTrip(req *http.Request) (*http.Response, error) {
	defer req.Body.Close()
	r.enter(1)
	defer r.enter(-1)
	if r.gate != nil {
		select {
		case <-r.gate:
		case <-req.Context().Done():
			return nil, req.Context().Err()
		}
	}
	if r.takes > 0 {
		select {
		case <-time.After(r.takes):
		case <-req.Context().Done():
			return nil, req.Context().Err()
		}
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	rows, err := decode(req.Header, body)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = append(r.requests, request{
		protocol: spoken(req.Header), header: req.Header, url: req.URL.String(), rows: len(rows),
	})
	if r.judge != nil {
		if resp := r.judge(req.Header, rows); resp != nil {
			return resp, nil
		}
	}
	if r.answer != nil {
		if resp := r.answer(len(r.requests), req); resp != nil {
			if resp.StatusCode < 0 {
				return nil, errors.New("connection reset")
			}
			if resp.StatusCode/100 == 2 {
				r.rows = append(r.rows, rows...)
			}
			return resp, nil
		}
	}
	r.rows = append(r.rows, rows...)
	return status(http.StatusNoContent, ""), nil
}

func (r *receiver) enter(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.inFlight += n
	r.most = max(r.most, r.inFlight)
}

func (r *receiver) count() (requests, rows int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.requests), len(r.rows)
}

func (r *receiver) set(answer func(n int, r *http.Request) *http.Response) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

// status makes an answer; a negative code is a broken connection.
func status(code int, text string, header ...string) *http.Response {
	h := http.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{
		StatusCode: code, Status: fmt.Sprintf("%d %s", code, http.StatusText(code)),
		Header: h, Body: io.NopCloser(strings.NewReader(text)),
	}
}

// always answers every request alike.
func always(code int, text string, header ...string) func(int, *http.Request) *http.Response {
	return func(int, *http.Request) *http.Response { return status(code, text, header...) }
}

// protocols lists the protocols of the requests.
func (r *receiver) protocols() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	names := make([]string, len(r.requests))
	for i := range r.requests {
		names[i] = r.requests[i].protocol
	}
	return names
}

// series returns n rows of different series at one time.
func series(n int, at int64) []rules.Series {
	rows := make([]rules.Series, n)
	for i := range rows {
		rows[i] = rules.Series{
			Labels: labels.FromStrings("__name__", "m", "instance", fmt.Sprintf("host-%d", i)),
			T:      at, V: float64(i),
		}
	}
	return rows
}

// bench is a client with its surroundings.
type bench struct {
	*Client
	set *metrics.Set
	log *logText
}

// logText is what was logged.
type logText struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// newBench returns a client of r that has not been started.
func newBench(t testing.TB, r http.RoundTripper, change func(*Options)) *bench {
	t.Helper()
	b := &bench{set: metrics.NewSet(), log: &logText{}}
	o := Options{
		Target:  Target{URL: "http://user:hunter2@storage:8428/prefix/?token=hunter2", Transport: r},
		Metrics: b.set, Log: slog.New(slog.NewTextHandler(b.log, nil)),
	}
	if change != nil {
		change(&o)
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	b.Client = c
	return b
}

func start(t testing.TB, r http.RoundTripper, change func(*Options)) *bench {
	t.Helper()
	b := newBench(t, r, change)
	b.Start()
	return b
}

func (b *bench) mustAppend(t testing.TB, batch []rules.Series) {
	t.Helper()
	if err := b.Append(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
}

func (b *bench) mustClose(t testing.TB) {
	t.Helper()
	if err := b.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// metric returns a metric as the set writes it, "" if there is none.
func (b *bench) metric(name string) string {
	var out bytes.Buffer
	b.set.WritePrometheus(&out)
	for line := range strings.Lines(out.String()) {
		if v, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

func (b *bench) wantMetrics(t testing.TB, want map[string]string) {
	t.Helper()
	for name, value := range want {
		if got := b.metric(name); got != value {
			t.Errorf("%s = %q, want %s", name, got, value)
		}
	}
}

// logged counts the log lines that contain text.
func (b *bench) logged(text string) int {
	n := 0
	for line := range strings.Lines(b.log.String()) {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}
