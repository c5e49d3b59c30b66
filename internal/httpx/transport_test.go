package httpx

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"syscall"
	"testing"

	"github.com/VictoriaMetrics/metrics"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTransportAddsHeadersWithoutTouchingTheRequest(t *testing.T) {
	tr := mustTransport(t, ClientOptions{
		BearerToken: "tok",
		Headers:     []string{"Host: tenant.example", "X-Team: ops", "Accept: a/b", "Authorization: other"},
	})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://endpoint/", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "c/d")
	out, err := tr.dressed(req)
	if err != nil {
		t.Fatal(err)
	}
	if len(req.Header) != 1 || req.Host != "endpoint" {
		t.Errorf("the caller's request became %v %q", req.Header, req.Host)
	}
	if out.Host != "tenant.example" {
		t.Errorf("Host = %q", out.Host)
	}
	for name, want := range map[string]string{"X-Team": "ops", "Accept": "c/d", "Authorization": "Bearer tok", "Host": ""} {
		if got := out.Header.Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
}

func TestRequestHeadersOverrideFlagHeaders(t *testing.T) {
	tr := mustTransport(t, ClientOptions{
		BasicAuth: BasicAuth{Username: "flag"},
		Headers:   []string{"Host: flag", "X-Team: flag"},
	})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://endpoint/", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "group")
	req.Header.Set("X-Team", "group")
	req.Host = "group"
	out, err := tr.dressed(req)
	if err != nil {
		t.Fatal(err)
	}
	if out.Header.Get("Authorization") != "group" || out.Header.Get("X-Team") != "group" || out.Host != "group" {
		t.Errorf("sent %v, host %q", out.Header, out.Host)
	}
}

func TestPlainTransportSendsTheRequestItself(t *testing.T) {
	tr := mustTransport(t, ClientOptions{})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://endpoint/", nil)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := tr.dressed(req); err != nil || out != req {
		t.Errorf("dressed copied the request (err %v)", err)
	}
	allocs := testing.AllocsPerRun(100, func() { _, _ = tr.dressed(req) })
	if allocs != 0 {
		t.Errorf("%v allocations per request with nothing to add", allocs)
	}
}

// redirecting returns the Authorization headers seen at the target of a redirect.
func redirecting(t *testing.T, target func(other, same *httptest.Server) string) string {
	t.Helper()
	got := "not reached"
	record := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = r.Header.Get("Authorization") + r.Header.Get("X-Team")
	})
	other := httptest.NewServer(record)
	defer other.Close()
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	defer server.Close()
	mux.Handle("/end", record)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, target(other, server), http.StatusTemporaryRedirect)
	})
	tr := mustTransport(t, ClientOptions{BearerToken: "tok", Headers: []string{"X-Team: ops"}, DisableKeepAlive: true})
	client := &http.Client{Transport: tr}
	resp, err := client.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return got
}

func TestCredentialsFollowARedirectOnlyToTheSameHost(t *testing.T) {
	if got := redirecting(t, func(_, same *httptest.Server) string { return same.URL + "/end" }); got != "Bearer tokops" {
		t.Errorf("same host: %q", got)
	}
	elsewhere := func(other, _ *httptest.Server) string {
		return strings.Replace(other.URL, "127.0.0.1", "localhost", 1)
	}
	if got := redirecting(t, elsewhere); got != "" {
		t.Errorf("other host: %q", got)
	}
}

func TestConnectionMetrics(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "hello")
	}))
	set := metrics.NewSet()
	o := ClientOptions{MetricsPrefix: "vmalert_datasource", MaxIdleConnections: 1}
	tr, err := o.RoundTripper(set)
	if err != nil {
		t.Fatal(err)
	}
	twin, err := o.RoundTripper(set) // another client of the same kind shares the metrics
	if err != nil {
		t.Fatal(err)
	}
	for _, rt := range []*Transport{tr, tr, twin} {
		get(t, rt, server.URL)
	}
	if got := value(set, "vmalert_datasource_conns"); got != "2" {
		t.Errorf("conns = %s, want 2", got)
	}
	if got := value(set, "vmalert_datasource_dials_total"); got != "2" {
		t.Errorf("dials = %s, want 2", got)
	}
	for _, name := range []string{"_conn_reads_total", "_conn_writes_total", "_conn_bytes_read_total", "_conn_bytes_written_total"} {
		if got := value(set, "vmalert_datasource"+name); got == "0" || got == "" {
			t.Errorf("%s = %q", name, got)
		}
	}
	twin.Close()
	tr.Close()
	server.Close()
	if _, err := tr.RoundTrip(newRequest(t, server.URL)); err == nil {
		t.Error("request to a closed server went well")
	}
	for name, want := range map[string]string{
		"_conns": "0", "_dials_total": "3", "_dial_errors_total": "1", "_conn_read_errors_total": "0", "_conn_write_errors_total": "0",
	} {
		if got := value(set, "vmalert_datasource"+name); got != want {
			t.Errorf("%s = %s, want %s", name, got, want)
		}
	}
}

func TestBrokenConnectionCountsErrorsAndClosesOnce(t *testing.T) {
	set := metrics.NewSet()
	dial := newConnMetrics(set, "p").counted(func(context.Context, string, string) (net.Conn, error) { return brokenConn{}, nil })
	c, err := dial(t.Context(), "tcp", "x")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = c.Read(make([]byte, 1))
	_, _ = c.Write(make([]byte, 1))
	_ = c.Close()
	_ = c.Close()
	for name, want := range map[string]string{"p_conn_read_errors_total": "1", "p_conn_write_errors_total": "1", "p_conns": "0"} {
		if got := value(set, name); got != want {
			t.Errorf("%s = %s, want %s", name, got, want)
		}
	}
}

type brokenConn struct{ net.Conn }

func (brokenConn) Read([]byte) (int, error)  { return 0, syscall.ECONNRESET }
func (brokenConn) Write([]byte) (int, error) { return 0, syscall.EPIPE }
func (brokenConn) Close() error              { return nil }

func newRequest(t *testing.T, rawURL string) *http.Request {
	t.Helper()
	u, err := url.Parse(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	return (&http.Request{Method: http.MethodGet, URL: u, Header: http.Header{}}).WithContext(t.Context())
}

func get(t *testing.T, rt http.RoundTripper, rawURL string) {
	t.Helper()
	resp, err := rt.RoundTrip(newRequest(t, rawURL))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
}

// value returns a metric as the set writes it.
func value(set *metrics.Set, name string) string {
	var b bytes.Buffer
	set.WritePrometheus(&b)
	for line := range strings.Lines(b.String()) {
		if v, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

func BenchmarkRoundTripperDressing(b *testing.B) {
	tr, err := ClientOptions{BearerToken: "tok", Headers: []string{"X-Team: ops"}}.RoundTripper(nil)
	if err != nil {
		b.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodGet, "http://endpoint/", nil)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tr.dressed(req); err != nil {
			b.Fatal(err)
		}
	}
}
