//go:build linux

package httpx

import (
	"bufio"
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
	l.put(&leanConn{Conn: conn, addr: addr, in: bufio.NewReader(conn), out: bufio.NewWriter(conn), quick: q})
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
	url, conns := counting(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done() // the client is gone
	})
	ctx, cancel := context.WithCancel(t.Context())
	l := waiting(t, strings.TrimPrefix(url, "http://"), func() { cancel() })
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
