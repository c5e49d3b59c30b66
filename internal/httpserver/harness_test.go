package httpserver

import (
	"bytes"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// patience is how long a test waits for what must happen.
const patience = time.Minute

// served is a Server that a test talks to.
type served struct {
	*Server
	t       *testing.T
	metrics *metrics.Set
	log     *logBook
}

// hello answers with the address of the client.
var hello = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	_, _ = io.WriteString(w, "hello "+r.RemoteAddr)
})

// serve serves h as o says. The test ends it.
func serve(t *testing.T, o Options, h http.Handler) *served {
	t.Helper()
	if o.MaxGracefulShutdown == 0 {
		o.MaxGracefulShutdown = patience
	}
	for i := range o.Listeners {
		if o.Listeners[i].Addr == "" {
			o.Listeners[i].Addr = "127.0.0.1:0"
		}
		o.Listeners[i].Flag = "-httpListenAddr (address " + strconv.Itoa(i+1) + ")"
	}
	s := &served{t: t, metrics: metrics.NewSet(), log: newLogBook()}
	server, err := Open(o, h, s.metrics, s.log.logger())
	if err != nil {
		t.Fatal(err)
	}
	s.Server = server
	s.Serve()
	t.Cleanup(func() {
		if err := s.Shutdown(); err != nil {
			t.Errorf("shutdown: %v", err)
		}
	})
	return s
}

// plain are options of one listener without anything special.
func plain() Options { return Options{Listeners: []Listener{{}}} }

// addr is the address of the i-th listener.
func (s *served) addr(i int) string { return s.listeners[i].Addr().String() }

// dial connects to the first listener.
func (s *served) dial() net.Conn {
	s.t.Helper()
	c, err := net.Dial("tcp", s.addr(0))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		s.t.Fatal(err)
	}
	return c
}

// client is a client of the server, with its own connections.
func (s *served) client(cfg *tls.Config) *http.Client {
	t := &http.Transport{TLSClientConfig: cfg}
	s.t.Cleanup(t.CloseIdleConnections)
	return &http.Client{Transport: t, Timeout: patience}
}

// get asks the i-th listener.
func (s *served) get(c *http.Client, i int) (*http.Response, string, error) {
	s.t.Helper()
	resp, err := c.Get(s.listeners[i].config.scheme() + "://" + s.addr(i) + "/")
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp, string(body), nil
}

// mustGet is get for what must succeed.
func (s *served) mustGet(c *http.Client, i int) (*http.Response, string) {
	s.t.Helper()
	resp, body, err := s.get(c, i)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp, body
}

// metric returns the sum of the series of a metric whose labels contain all of
// the given texts.
func (s *served) metric(name string, labels ...string) float64 {
	s.t.Helper()
	var b bytes.Buffer
	s.metrics.WritePrometheus(&b)
	sum, found := 0.0, false
lines:
	for line := range strings.Lines(b.String()) {
		series, value, _ := strings.Cut(strings.TrimSpace(line), "} ")
		if !strings.HasPrefix(line, name+"{") {
			var ok bool
			if value, ok = strings.CutPrefix(strings.TrimSpace(line), name+" "); !ok {
				continue
			}
		}
		for _, l := range labels {
			if !strings.Contains(series, l) {
				continue lines
			}
		}
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			s.t.Fatalf("%s: %v", line, err)
		}
		sum, found = sum+v, true
	}
	if !found {
		s.t.Fatalf("no metric %s %q in\n%s", name, labels, b.String())
	}
	return sum
}

// await waits until done says so.
func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	timeout := time.After(patience)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-timeout:
			t.Fatalf("in vain waited until %s", what)
		}
	}
}

// logBook keeps what is logged.
type logBook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func newLogBook() *logBook { return &logBook{} }

func (l *logBook) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// count returns how many lines contain text.
func (l *logBook) count(text string) int { return strings.Count(l.String(), text) }

// secure are options of one listener with the given files.
func secure(f tlsFiles) Options {
	return Options{Listeners: []Listener{{TLS: &TLS{CertFile: f.cert, KeyFile: f.key}}}}
}
