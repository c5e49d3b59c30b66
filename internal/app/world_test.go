package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
)

// world is the servers around a daemon. Each answers as it should unless a test
// says otherwise.
type world struct {
	datasource, storage, alertmanager *httptest.Server

	mu       sync.Mutex
	answers  map[string][]map[string]string // series by expression; each has the value 1
	asked    map[string]int                 // queries by expression
	written  string                         // all blocks, unpacked
	alerts   []sentAlert
	override map[*httptest.Server]http.HandlerFunc
	gates    map[*httptest.Server]gate
	open     map[*httptest.Server]map[net.Conn]bool
}

// sentAlert is an alert as Alertmanager gets it.
type sentAlert struct {
	Labels       map[string]string
	Annotations  map[string]string
	StartsAt     time.Time
	EndsAt       time.Time
	GeneratorURL string
}

// newWorld starts the servers. They end with the test, after the daemon.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		answers: map[string][]map[string]string{}, asked: map[string]int{},
		override: map[*httptest.Server]http.HandlerFunc{},
		gates:    map[*httptest.Server]gate{},
		open:     map[*httptest.Server]map[net.Conn]bool{},
	}
	w.datasource = w.serve(t, w.query)
	w.storage = w.serve(t, w.write)
	w.alertmanager = w.serve(t, w.notify)
	return w
}

// serve starts a server that answers by usual.
func (w *world) serve(t *testing.T, usual http.HandlerFunc) *httptest.Server {
	var s *httptest.Server
	s = httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if !w.pass(s, r) {
			return
		}
		w.mu.Lock()
		h := w.override[s]
		w.mu.Unlock()
		if h == nil {
			h = usual
		}
		h(rw, r)
	}))
	w.mu.Lock()
	w.open[s] = map[net.Conn]bool{}
	w.mu.Unlock()
	s.Config.ConnState = func(c net.Conn, state http.ConnState) {
		w.mu.Lock()
		defer w.mu.Unlock()
		if state == http.StateClosed || state == http.StateHijacked {
			delete(w.open[s], c)
		} else {
			w.open[s][c] = true
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// handle has s answer by h; nil is as usual.
func (w *world) handle(s *httptest.Server, h http.HandlerFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.override[s] = h
}

// gate holds back requests.
type gate struct{ came, open chan struct{} }

// block has s answer nothing until release is called, the test ends or the client
// gives up. The channel gets a value when a request has come.
func (w *world) block(t *testing.T, s *httptest.Server) (arrived <-chan struct{}, release func()) {
	t.Helper()
	g := gate{came: make(chan struct{}, 1), open: make(chan struct{})}
	release = sync.OnceFunc(func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.gates, s)
		close(g.open)
	})
	t.Cleanup(release)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gates[s] = g
	return g.came, release
}

// pass waits at the gate of s, if there is one. It returns false when the client
// has given up.
func (w *world) pass(s *httptest.Server, r *http.Request) bool {
	w.mu.Lock()
	g, closed := w.gates[s]
	w.mu.Unlock()
	if !closed {
		return true
	}
	// A server sees that a client is gone only when it has read the body.
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return false
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	select {
	case g.came <- struct{}{}:
	default:
	}
	select {
	case <-g.open:
		return true
	case <-r.Context().Done():
		return false
	}
}

// answer sets the series that expr has.
func (w *world) answer(expr string, series ...map[string]string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answers[expr] = series
}

func (w *world) query(rw http.ResponseWriter, r *http.Request) {
	expr := r.FormValue("query")
	w.mu.Lock()
	w.asked[expr]++
	series := w.answers[expr]
	w.mu.Unlock()
	type sample struct {
		Metric map[string]string `json:"metric"`
		Value  [2]any            `json:"value"`
	}
	result := []sample{}
	for _, s := range series {
		result = append(result, sample{s, [2]any{time.Now().Unix(), "1"}})
	}
	rw.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(rw).Encode(map[string]any{
		"status": "success",
		"data":   map[string]any{"resultType": "vector", "result": result},
		"stats":  map[string]any{"seriesFetched": fmt.Sprint(len(series))},
	})
}

func (w *world) asks(expr string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.asked[expr]
}

func (w *world) write(rw http.ResponseWriter, r *http.Request) {
	packed, err := io.ReadAll(r.Body)
	if err == nil {
		packed, err = unpack(r.Header.Get("Content-Encoding"), packed)
	}
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.written += string(packed)
}

func unpack(encoding string, packed []byte) ([]byte, error) {
	if encoding == "snappy" {
		return snappy.Decode(nil, packed)
	}
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.DecodeAll(packed, nil)
}

// hasWritten reports whether a block with text, such as a label value, has been
// written.
func (w *world) hasWritten(text string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Contains(w.written, text)
}

func (w *world) notify(rw http.ResponseWriter, r *http.Request) {
	var alerts []sentAlert
	if err := json.NewDecoder(r.Body).Decode(&alerts); err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.alerts = append(w.alerts, alerts...)
}

// told returns the alerts called name that Alertmanager was sent.
func (w *world) told(name string) []sentAlert {
	w.mu.Lock()
	defer w.mu.Unlock()
	var found []sentAlert
	for _, a := range w.alerts {
		if a.Labels["alertname"] == name {
			found = append(found, a)
		}
	}
	return found
}

// awaitAlert waits for an alert called name and returns the last.
func (w *world) awaitAlert(t *testing.T, name string) sentAlert {
	t.Helper()
	await(t, "Alertmanager is told of "+name, func() bool { return len(w.told(name)) > 0 })
	told := w.told(name)
	return told[len(told)-1]
}

// unreachable stands for a server that a daemon has no business to talk to.
var unreachable = &httptest.Server{URL: "http://127.0.0.1:1"}

// connections returns how many s has open.
func (w *world) connections(s *httptest.Server) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.open[s])
}
