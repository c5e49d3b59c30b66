package httpx

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// leanTransport returns a transport for many small requests, closed at the end.
func leanTransport(t *testing.T, o ClientOptions) *Transport {
	t.Helper()
	o.ManySmall = true
	tr, err := o.RoundTripper(metrics.NewSet())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tr.Close() })
	return tr
}

// question posts body and returns status and response.
func question(ctx context.Context, rt http.RoundTripper, addr, body string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, addr, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	resp, err := rt.RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return fmt.Sprintf("%d %s", resp.StatusCode, b), err
}

// counting is a server that counts its connections.
func counting(t *testing.T, h http.HandlerFunc) (addr string, conns *atomic.Int64) {
	t.Helper()
	conns = new(atomic.Int64)
	s := httptest.NewUnstartedServer(h)
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			conns.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	return s.URL, conns
}

func echo(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }

func TestLeanKeepsItsConnection(t *testing.T) {
	addr, conns := counting(t, echo)
	rt := leanTransport(t, ClientOptions{})
	for i := range 20 {
		want := fmt.Sprintf("200 question %d", i)
		if got, err := question(t.Context(), rt, addr, want[4:]); got != want || err != nil {
			t.Fatalf("got %q, %v; want %q", got, err, want)
		}
	}
	if n := conns.Load(); n != 1 {
		t.Errorf("%d connections for 20 requests in turn, want 1", n)
	}
}

func TestLeanReadsEveryKindOfBody(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	for name, h := range map[string]http.HandlerFunc{
		"chunked": func(w http.ResponseWriter, _ *http.Request) {
			for part := range 16 {
				_, _ = io.WriteString(w, long[part<<16:(part+1)<<16])
				w.(http.Flusher).Flush()
			}
		},
		"sized": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(long)))
			_, _ = io.WriteString(w, long)
		},
		"until the end of the connection": func(w http.ResponseWriter, _ *http.Request) {
			c, out, err := http.NewResponseController(w).Hijack()
			if err != nil {
				panic(err)
			}
			_, _ = out.WriteString("HTTP/1.0 200 OK\r\n\r\n" + long)
			_ = out.Flush()
			_ = c.Close()
		},
		"after an interim response": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			_, _ = io.WriteString(w, long)
		},
	} {
		t.Run(name, func(t *testing.T) {
			addr, _ := counting(t, h)
			rt := leanTransport(t, ClientOptions{})
			for range 3 {
				if got, err := question(t.Context(), rt, addr, "?"); got != "200 "+long || err != nil {
					t.Fatalf("got %d bytes, %v; want %d", len(got), err, len(long)+4)
				}
			}
		})
	}
}

func TestLeanEmptyResponseFreesTheConnectionAtOnce(t *testing.T) {
	addr, conns := counting(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	rt := leanTransport(t, ClientOptions{})
	for range 3 {
		req, err := http.NewRequest(http.MethodGet, addr, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := rt.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
	}
	if n := conns.Load(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

func TestLeanReplacesAConnectionThatDiedIdle(t *testing.T) {
	var served atomic.Int64
	addr, conns := counting(t, func(w http.ResponseWriter, r *http.Request) {
		echo(w, r)
		if served.Add(1) == 1 {
			// Says nothing of closing, and closes.
			c, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_ = c.Close()
			}
		}
	})
	rt := leanTransport(t, ClientOptions{})
	req := func(body string) (string, error) { return question(t.Context(), rt, addr, body) }
	// The first answer is lost with its connection.
	if got, err := req("one"); err == nil {
		t.Fatalf("got %q, want an error: the connection was new", got)
	}
	if got, err := req("two"); got != "200 two" || err != nil {
		t.Fatalf("got %q, %v", got, err)
	}
	// Now the server closes the connection that is kept.
	lean := rt.base.(fixedTransport).roundTripper.(*balanced).roundTripper.(*lean)
	for _, kept := range lean.idle {
		for _, c := range kept {
			_ = c.Conn.Close()
		}
	}
	if got, err := req("three"); got != "200 three" || err != nil {
		t.Errorf("got %q, %v; want the request to be sent again", got, err)
	}
	if n := conns.Load(); n != 3 {
		t.Errorf("%d connections, want 3", n)
	}
}

func TestLeanCancelledRequestEndsAtOnce(t *testing.T) {
	arrived := make(chan struct{})
	addr, _ := counting(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		close(arrived)
		<-r.Context().Done()
	})
	rt := leanTransport(t, ClientOptions{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-arrived; cancel() }()
	if _, err := question(ctx, rt, addr, "?"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the cancellation", err)
	}
}

func TestLeanCancelledBodyEndsAtOnce(t *testing.T) {
	addr, _ := counting(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "beginning")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	rt := leanTransport(t, ClientOptions{})
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, addr, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := rt.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.ReadFull(resp.Body, make([]byte, len("beginning"))); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := io.ReadAll(resp.Body); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the cancellation", err)
	}
}

func TestLeanBodyGivenUpIsNotReadByTheNext(t *testing.T) {
	addr, conns := counting(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strings.Repeat("old", 10_000)) })
	rt := leanTransport(t, ClientOptions{})
	req, err := http.NewRequest(http.MethodGet, addr, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := rt.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if got, err := question(t.Context(), rt, addr, "?"); len(got) != 30_004 || err != nil {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
	if n := conns.Load(); n != 2 {
		t.Errorf("%d connections, want a new one for the second request", n)
	}
}

func TestLeanRefusalBeforeTheBodyIsTakenIsRead(t *testing.T) {
	addr, _ := counting(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusRequestEntityTooLarge)
	})
	rt := leanTransport(t, ClientOptions{})
	req, err := http.NewRequest(http.MethodPost, addr, bytes.NewReader(make([]byte, 1<<16)))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := rt.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("got %s", resp.Status)
	}
}

// brokenBody is a body that cannot be read.
type brokenBody struct{}

func (brokenBody) Read([]byte) (int, error) { return 0, errors.New("broken body") }

// The server would wait for the rest as long as the client does for an answer.
func TestLeanRequestThatCannotBeWrittenFailsAtOnce(t *testing.T) {
	addr, _ := counting(t, echo)
	tr := leanTransport(t, ClientOptions{})
	for name, spoil := range map[string]func(*http.Request){
		"body": func(r *http.Request) { r.Body, r.ContentLength = io.NopCloser(brokenBody{}), 5 },
		"host": func(r *http.Request) { r.Host = "xn--\u00e9" },
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, addr, nil)
		if err != nil {
			t.Fatal(err)
		}
		spoil(req)
		if resp, err := tr.RoundTrip(req); err == nil || name == "body" && err.Error() != "broken body" {
			t.Errorf("%s: got %v, %v", name, resp, err)
		}
	}
}

func TestLeanRubbishIsAnError(t *testing.T) {
	for _, rubbish := range []string{"\x00\x01\x02", "HTTP/9.9 nonsense\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\n\r\n", ""} {
		addr, _ := counting(t, func(w http.ResponseWriter, _ *http.Request) {
			c, out, err := http.NewResponseController(w).Hijack()
			if err != nil {
				panic(err)
			}
			_, _ = out.WriteString(rubbish)
			_ = out.Flush()
			_ = c.Close()
		})
		if got, err := question(t.Context(), leanTransport(t, ClientOptions{}), addr, "?"); err == nil {
			t.Errorf("%q is taken as %q", rubbish, got)
		}
	}
}

func TestLeanKeepsNoMoreThanItMay(t *testing.T) {
	const most = 3
	var inside sync.WaitGroup
	inside.Add(10)
	addr, _ := counting(t, func(http.ResponseWriter, *http.Request) {
		inside.Done()
		inside.Wait()
	})
	rt := leanTransport(t, ClientOptions{MaxIdleConnections: most})
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			if _, err := question(t.Context(), rt, addr, "?"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := kept(rt.base.(fixedTransport).roundTripper.(*balanced).roundTripper.(*lean)); n != most {
		t.Errorf("%d connections kept, want %d", n, most)
	}
}

// kept returns how many connections l keeps.
func kept(l *lean) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, conns := range l.idle {
		n += len(conns)
	}
	return n
}

func TestLeanClosesConnectionsThatAreIdleTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLean(&http.Transport{
			IdleConnTimeout: time.Minute, MaxIdleConnsPerHost: 10,
			DialContext: func(context.Context, string, string) (net.Conn, error) {
				client, server := net.Pipe()
				go func() { _ = http.Serve(&oneConn{conn: server}, http.HandlerFunc(echo)) }()
				return client, nil
			},
		})
		defer l.CloseIdleConnections()
		if got, err := question(t.Context(), l, "http://stub", "hello"); got != "200 hello" || err != nil {
			t.Fatalf("got %q, %v", got, err)
		}
		time.Sleep(59 * time.Second)
		if kept(l) != 1 {
			t.Error("closed too early")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if kept(l) != 0 {
			t.Error("still kept after the time for idle connections")
		}
	})
}

// oneConn is a listener of one connection; it ends when that is closed.
type oneConn struct {
	conn net.Conn
	once sync.Once
}

func (l *oneConn) Accept() (c net.Conn, err error) {
	err = net.ErrClosed
	l.once.Do(func() { c, err = l.conn, nil })
	return c, err
}

func (l *oneConn) Close() error   { return nil }
func (l *oneConn) Addr() net.Addr { return l.conn.LocalAddr() }

func TestLeanGoesThroughTheProxyOfTheTransport(t *testing.T) {
	proxy, conns := counting(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "by proxy to "+r.URL.Host) })
	l := newLean(&http.Transport{Proxy: func(r *http.Request) (u *url.URL, err error) { return ParseURL(proxy) }})
	defer l.CloseIdleConnections()
	if got, err := question(t.Context(), l, "http://far.example", ""); got != "200 by proxy to far.example" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if conns.Load() != 1 {
		t.Error("the proxy was passed by")
	}
}

func BenchmarkManySmallRequests(b *testing.B) {
	s := httptest.NewServer(http.HandlerFunc(echo))
	defer s.Close()
	for name, many := range map[string]bool{"lean": true, "net/http": false} {
		b.Run(name, func(b *testing.B) {
			rt, err := ClientOptions{ManySmall: many}.RoundTripper(metrics.NewSet())
			if err != nil {
				b.Fatal(err)
			}
			defer rt.Close()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := question(b.Context(), rt, s.URL, "query=up"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
