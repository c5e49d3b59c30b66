//go:build linux

package httpx

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/VictoriaMetrics/metrics"
)

// waiting returns a lean that keeps a connection to the server at addr. Whoever waits
// for an answer there calls wait instead.
func waiting(t *testing.T, addr string, wait func()) *lean {
	t.Helper()
	dial := newConnMetrics(metrics.NewSet(), "test").counted(new(net.Dialer).DialContext)
	l := newLean(&http.Transport{DialContext: dial})
	l.quick.most = 2 // whatever GOMAXPROCS is
	t.Cleanup(l.CloseIdleConnections)
	conn, err := dial(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	q := l.quick.on(conn)
	if q == nil {
		t.Fatal("a connection of a counted dialer is not waited for")
	}
	q.poll = func(uintptr) { wait() }
	l.put(newLeanConn(conn, addr, q))
	return l
}

func TestAnswerThatComesAfterTheWaitIsRead(t *testing.T) {
	waited := make(chan struct{})
	url, conns := counting(t, func(w http.ResponseWriter, r *http.Request) {
		<-waited
		echo(w, r)
	})
	l := waiting(t, strings.TrimPrefix(url, "http://"), func() { close(waited) })
	if got, err := question(t.Context(), l, url, "late"); got != "200 late" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if n := conns.Load(); n != 1 {
		t.Errorf("%d connections, want the one that was kept", n)
	}
}

func TestRequestThatIsCancelledDuringTheWaitFails(t *testing.T) {
	arrived := make(chan struct{})
	url, conns := counting(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		close(arrived)
		<-r.Context().Done() // the client is gone
	})
	ctx, cancel := context.WithCancel(t.Context())
	l := waiting(t, strings.TrimPrefix(url, "http://"), func() { <-arrived; cancel() })
	if got, err := question(ctx, l, url, "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %q, %v; want it cancelled", got, err)
	}
	if n, kept := conns.Load(), l.take(strings.TrimPrefix(url, "http://")); n != 1 || kept != nil {
		t.Errorf("%d connections were made, kept is %v; want one and none", n, kept)
	}
}

func TestConnectionThatBreaksDuringTheWaitIsReplaced(t *testing.T) {
	waited, requests := make(chan struct{}), new(atomic.Int32)
	url, conns := counting(t, func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1) == 1 {
			<-waited
			panic(http.ErrAbortHandler) // closes the connection
		}
		echo(w, r)
	})
	l := waiting(t, strings.TrimPrefix(url, "http://"), func() { close(waited) })
	if got, err := question(t.Context(), l, url, "again"); got != "200 again" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if n := conns.Load(); n != 2 {
		t.Errorf("%d connections, want another one", n)
	}
	if now := l.quick.now.Load(); now != 0 {
		t.Errorf("%d threads wait for nothing", now)
	}
}

// observed counts how often somebody asks to be told of its end.
type observed struct {
	context.Context
	asked atomic.Int32
}

func (o *observed) Done() <-chan struct{} {
	o.asked.Add(1)
	return o.Context.Done()
}

func TestContextIsWatchedOnlyWhereThereIsWaiting(t *testing.T) {
	long := strings.Repeat("x", 2*unwatched)
	for _, tt := range []struct {
		name, body     string
		ready, watched bool
	}{
		{"the answer is there", "short", true, false},
		{"the answer is not there", "short", false, true},
		{"the request is long", long, true, true},
		{"the request before was long", "after long", true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			arrived := make(chan struct{})
			url, _ := counting(t, func(w http.ResponseWriter, r *http.Request) {
				echo(w, r)
				_ = http.NewResponseController(w).Flush()
				close(arrived)
			})
			var c *leanConn
			addr := strings.TrimPrefix(url, "http://")
			c = waiting(t, addr, func() { <-arrived; c.quick.ready = tt.ready }).take(addr)
			defer c.Close()
			ctx := &observed{Context: t.Context()}
			if tt.body == "after long" {
				c.sent = unwatched + 1
			}
			if err := c.begin(ctx); err != nil {
				t.Fatal(err)
			}
			req, err := http.NewRequestWithContext(t.Context(), "POST", url, strings.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			resp, err := c.ask(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if watched := ctx.asked.Load() > 0; watched != tt.watched || watched != (c.release != nil) {
				t.Errorf("watched: %v, want %v", watched, tt.watched)
			}
		})
	}
}

// The head of the answer is there at once, the rest of it is not.
func TestRequestThatIsCancelledAfterAQuickBeginningFails(t *testing.T) {
	for _, head := range []string{"HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"} {
		ours, theirs := connected(t)
		l := newLean(&http.Transport{})
		l.quick.most = 2
		l.put(newLeanConn(ours, "server:80", l.quick.on(ours)))
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			_, _ = theirs.Read(make([]byte, unwatched))
			_, _ = io.WriteString(theirs, head)
			cancel()
		}()
		if got, err := question(ctx, l, "http://server", "x"); !errors.Is(err, context.Canceled) {
			t.Errorf("got %q, %v; want it cancelled", got, err)
		}
		if l.take("server:80") != nil {
			t.Error("the connection is kept")
		}
	}
}
