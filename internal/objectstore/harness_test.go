package objectstore

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"go.uber.org/goleak"

	"tocsin/config"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long anything may take that a test waits for.
const patience = time.Minute

// server is an HTTP server that keeps the requests it got.
type server struct {
	*httptest.Server

	mu       sync.Mutex
	requests []*http.Request
}

func serve(t *testing.T, h http.Handler) *server {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.requests = append(s.requests, r)
		s.mu.Unlock()
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// got returns the requests since the last call, as method and address each.
func (s *server) got() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, r := range s.requests {
		all = append(all, r.Method+" "+r.URL.RequestURI())
	}
	s.requests = nil
	return all
}

// last returns the last request.
func (s *server) last() *http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests[len(s.requests)-1]
}

// fakeS3 is an S3 server that lives in this process.
type fakeS3 struct {
	*server
	t       *testing.T
	backend *s3mem.Backend
}

func startS3(t *testing.T) *fakeS3 {
	t.Helper()
	f := &fakeS3{t: t, backend: s3mem.New()}
	f.server = serve(t, gofakes3.New(f.backend, gofakes3.WithTimeSkewLimit(0)).Server())
	if err := f.backend.CreateBucket("rules"); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *fakeS3) put(key, content string) {
	f.t.Helper()
	_, err := f.backend.PutObject("rules", key, nil, strings.NewReader(content), int64(len(content)), nil)
	if err != nil {
		f.t.Fatal(err)
	}
}

// keys is an environment with keys of AWS and nothing else.
func keys() map[string]string {
	return map[string]string{
		"AWS_ACCESS_KEY_ID": "ID", "AWS_SECRET_ACCESS_KEY": "hidden-key", "AWS_EC2_METADATA_DISABLED": "true",
	}
}

// client returns a client for S3 at an endpoint, which repeats questions soon.
func client(t *testing.T, endpoint string, env map[string]string) *Client {
	t.Helper()
	return clientOf(t, Options{Endpoint: endpoint, PathStyle: true, Env: func(name string) string { return env[name] }})
}

func clientOf(t *testing.T, o Options) *Client {
	t.Helper()
	if o.Transport == nil {
		transport := &http.Transport{}
		t.Cleanup(transport.CloseIdleConnections)
		o.Transport = transport
	}
	if o.Metrics == nil {
		o.Metrics = metrics.NewSet()
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	c.stores["s3"].(*s3).pause = time.Millisecond
	c.stores["gs"].(*gcs).pause = time.Millisecond
	return c
}

func location(t *testing.T, raw string) config.Location {
	t.Helper()
	l, err := config.ParseLocation(raw)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// listed returns the keys that a prefix has.
func listed(t *testing.T, c *Client, raw string) []string {
	t.Helper()
	objects, err := c.List(within(t), location(t, raw))
	if err != nil {
		t.Fatal(err)
	}
	all := []string{}
	for _, o := range objects {
		all = append(all, o.Key)
	}
	return all
}

// read returns the content of an object and its version.
func read(t *testing.T, c *Client, raw string) (content, version string) {
	t.Helper()
	data, version, err := c.Read(within(t), location(t, raw), "", 0)
	if err != nil {
		t.Fatal(err)
	}
	return string(data), version
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// counted returns what a counter of a scheme stands at.
func counted(set *metrics.Set, name, scheme string) uint64 {
	return set.GetOrCreateCounter(fmt.Sprintf("tocsin_object_storage_%s_total{scheme=%q}", name, scheme)).Get()
}
