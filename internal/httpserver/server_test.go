package httpserver

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

func TestAddressInUseNamesItsFlagAndLeavesNothingOpen(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	var opened []net.Listener
	listen := func(network, addr string) (net.Listener, error) {
		ln, err := net.Listen(network, addr)
		if err == nil {
			opened = append(opened, ln)
		}
		return ln, err
	}
	_, err = openWith(listen, Options{Listeners: []Listener{
		{Addr: "127.0.0.1:0", Flag: "-httpListenAddr (address 1)"},
		{Addr: taken.Addr().String(), Flag: "-httpListenAddr (address 2)"},
	}}, hello, metrics.NewSet(), newLogBook().logger())
	if err == nil || !strings.HasPrefix(err.Error(), "-httpListenAddr (address 2): listen tcp4 ") {
		t.Errorf("got %v", err)
	}
	if len(opened) != 1 {
		t.Fatalf("%d listeners were opened", len(opened))
	}
	if _, err := opened[0].Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the first listener: %v, want it closed", err)
	}
}

func TestIPv6IsForThoseWhoAsk(t *testing.T) {
	for ipv6, want := range map[bool]string{false: "tcp4", true: "tcp"} {
		var got string
		_, err := openWith(func(network, _ string) (net.Listener, error) {
			got = network
			return nil, errors.New("none")
		}, Options{IPv6: ipv6, Listeners: []Listener{{}}}, hello, metrics.NewSet(), newLogBook().logger())
		if err == nil || got != want {
			t.Errorf("IPv6 %t: listens by %q, want %s", ipv6, got, want)
		}
	}
}

func TestBrokenListenerIsTold(t *testing.T) {
	s := serve(t, plain(), hello)
	if err := s.listeners[0].Listener.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-s.Broken():
		if !strings.HasPrefix(err.Error(), "-httpListenAddr (address 1): ") {
			t.Errorf("got %v", err)
		}
	case <-time.After(patience):
		t.Error("nobody was told")
	}
}

func TestHeadersOfEveryAnswer(t *testing.T) {
	o := plain()
	o.Headers = Headers{HSTS: "max-age=1", FrameOptions: "SAMEORIGIN", CSP: "default-src 'self'", Hostname: "host-1"}
	s := serve(t, o, http.NotFoundHandler())
	resp, _ := s.mustGet(s.client(nil), 0)
	for name, want := range map[string]string{
		"Strict-Transport-Security": "max-age=1", "X-Frame-Options": "SAMEORIGIN",
		"Content-Security-Policy": "default-src 'self'", "X-Server-Hostname": "host-1",
	} {
		if got := resp.Header.Values(name); len(got) != 1 || got[0] != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestHeadersThatAreNotAskedForAreLeftOut(t *testing.T) {
	s := serve(t, plain(), hello)
	resp, _ := s.mustGet(s.client(nil), 0)
	for _, name := range []string{"Strict-Transport-Security", "X-Frame-Options", "Content-Security-Policy", "X-Server-Hostname"} {
		if got, ok := resp.Header[name]; ok {
			t.Errorf("%s is %q", name, got)
		}
	}
}

// ask sends a request on an open connection and returns the header of the answer.
func ask(t *testing.T, c net.Conn, answers *bufio.Reader, request string) *http.Response {
	t.Helper()
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(answers, nil)
	if err != nil {
		t.Fatalf("read the answer: %v", err)
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp
}

const getRequest = "GET / HTTP/1.1\r\nHost: tocsin\r\n\r\n"

func TestOldConnectionIsClosedWithAnAnswer(t *testing.T) {
	o := plain()
	o.ConnTimeout = 2 * time.Minute
	synctest.Test(t, func(t *testing.T) {
		s, in := serveAtPipes(t, o, hello)
		c := in.connect(t)
		answers := bufio.NewReader(c)
		for range 4 {
			if resp := ask(t, c, answers, getRequest); resp.Close {
				t.Fatal("a young connection is closed")
			}
			time.Sleep(29 * time.Second)
		}
		time.Sleep(17 * time.Second) // 2m13s is beyond any jitter
		if resp := ask(t, c, answers, getRequest); !resp.Close {
			t.Error("the old connection goes on")
		}
		if n := s.metric("vm_http_conn_timeout_closed_conns_total"); n != 1 {
			t.Errorf("%v counted", n)
		}
		if _, err := answers.ReadByte(); err != io.EOF {
			t.Errorf("after the answer: %v, want the end", err)
		}
	})
}

func TestConnectionsAgeDifferently(t *testing.T) {
	ends := map[time.Time]bool{}
	age := agingContext(2 * time.Minute)
	began := time.Now()
	for range 100 {
		end := age(t.Context(), nil).Value(endKey{}).(time.Time)
		if d := end.Sub(began); d < 2*time.Minute || d > 2*time.Minute+13*time.Second {
			t.Fatalf("a connection ages after %s", d)
		}
		ends[end.Truncate(time.Second)] = true
	}
	if len(ends) < 5 {
		t.Errorf("100 connections end at %d moments", len(ends))
	}
	if agingContext(0) != nil {
		t.Error("without a timeout connections age")
	}
}

func TestKeepAliveCanBeDisabled(t *testing.T) {
	o := plain()
	o.DisableKeepAlive = true
	s := serve(t, o, hello)
	if resp, _ := s.mustGet(s.client(nil), 0); !resp.Close {
		t.Error("the connection is kept")
	}
}

func TestConnectionsAreCounted(t *testing.T) {
	s := serve(t, plain(), hello)
	c := s.client(nil)
	_, body := s.mustGet(c, 0)
	for name, want := range map[string]float64{
		"vm_tcplistener_accepts_total": 1, "vm_tcplistener_conns": 1, "vm_tcplistener_errors_total": 0,
		"vm_tcplistener_read_timeouts_total": 0, "vm_tcplistener_write_timeouts_total": 0,
	} {
		if got := s.metric(name, `name="http"`, `addr="127.0.0.1:0"`); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	// What is written is counted afterwards, when the client may have it already.
	await(t, "the answer is counted", func() bool {
		return s.metric("vm_tcplistener_written_bytes_total") >= float64(len(body))
	})
	if n := s.metric("vm_tcplistener_read_bytes_total"); n < 20 {
		t.Errorf("%v bytes read for a request", n)
	}
	c.CloseIdleConnections()
	await(t, "the connection is closed", func() bool { return s.metric("vm_tcplistener_conns") == 0 })
}

func TestPanicOfARequestIsCountedAndLogged(t *testing.T) {
	s := serve(t, plain(), http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("broken") }))
	if _, _, err := s.get(s.client(nil), 0); err == nil {
		t.Error("there was an answer")
	}
	await(t, "the panic is counted", func() bool { return s.metric("tocsin_http_panics_total") == 1 })
	if s.log.count("level=ERROR") != 1 || s.log.count("broken") == 0 {
		t.Errorf("log:\n%s", s.log)
	}
}

func BenchmarkWrapped(b *testing.B) {
	h := wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}),
		&Headers{Hostname: "host-1"}, newServerMetrics(metrics.NewSet()))
	ctx := agingContext(time.Hour)(b.Context(), nil)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "/", nil)
	if err != nil {
		b.Fatal(err)
	}
	w := &headerOnly{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		clear(w.header)
		h.ServeHTTP(w, r)
	}
}

type headerOnly struct {
	http.ResponseWriter
	header http.Header
}

func (h *headerOnly) Header() http.Header { return h.header }
