package datasource

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/VictoriaMetrics/metrics"

	"tocsin/rules"
)

func TestABrokenConnectionIsTriedOnceMore(t *testing.T) {
	for _, broken := range []error{
		io.EOF,
		fmt.Errorf("net/http: HTTP/1.x transport connection broken: %w", io.ErrUnexpectedEOF),
		&net.OpError{Op: "read", Net: "tcp", Err: fmt.Errorf("read: %w", syscall.ECONNRESET)},
		&net.OpError{Op: "write", Net: "tcp", Err: fmt.Errorf("write: %w", syscall.EPIPE)},
		errors.New("http: server closed idle connection"),
	} {
		t.Run(broken.Error(), func(t *testing.T) {
			set := metrics.NewSet()
			s := &fakeServer{replies: []reply{{err: broken}, {body: series(`[1,"1"]`)}}}
			r := ask(t, newClient(t, s, func(o *Options) { o.Metrics = set }), up())

			equal(t, r.Samples, []rules.Sample{sample(1000, 1, "a", "b")})
			equal(t, s.seen[1], s.seen[0])
			equal(t, metric(set, "tocsin_datasource_retries_total"), "1")
		})
	}
}

func TestAConnectionThatBreaksInsideTheAnswerIsTriedOnceMore(t *testing.T) {
	body := vector(`{"metric":{"a":"b"},"value":[1,"1"]},{"metric":{"a":"c"},"value":[1,"2"]}`)
	s := &fakeServer{replies: []reply{{body: body[:len(body)-30], broken: io.ErrUnexpectedEOF}, {body: body}}}
	r := ask(t, newClient(t, s, nil), up())
	equal(t, r.Samples, []rules.Sample{sample(1000, 1, "a", "b"), sample(1000, 2, "a", "c")})
}

func TestTheSecondBrokenConnectionIsAnError(t *testing.T) {
	s := &fakeServer{replies: []reply{{err: io.EOF}}}
	_, err := newClient(t, s, nil).Query(t.Context(), up())
	if !errors.Is(err, io.EOF) || errors.Is(err, rules.ErrRejected) || !strings.HasPrefix(err.Error(), "http://vm:8428/api/v1/query: sending the query: ") {
		t.Errorf("got %v", err)
	}
	equal(t, len(s.seen), 2)
}

func TestWhatIsNotABrokenConnectionIsNotTriedAgain(t *testing.T) {
	for name, a := range map[string]reply{
		"refused":     {err: &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}},
		"503":         {status: 503},
		"cut short":   {body: emptyVector[:30]},
		"interrupted": {err: context.DeadlineExceeded},
	} {
		s := &fakeServer{replies: []reply{a}}
		if _, err := newClient(t, s, nil).Query(t.Context(), up()); err == nil {
			t.Errorf("%s: no error", name)
		}
		if len(s.seen) != 1 {
			t.Errorf("%s: %d requests", name, len(s.seen))
		}
	}
}

// interruptedServer breaks the connection of a query that has just been cancelled.
type interruptedServer struct {
	fakeServer
	cancel context.CancelFunc
}

func (s *interruptedServer) RoundTrip(r *http.Request) (*http.Response, error) {
	s.cancel()
	return s.fakeServer.RoundTrip(r)
}

func TestACancelledQueryIsNotTriedAgain(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := &interruptedServer{fakeServer{replies: []reply{{err: io.EOF}}}, cancel}
	_, err := newClient(t, s, nil).Query(ctx, up())
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	equal(t, len(s.seen), 1)
}

// hangUp drops the connection of a request without an answer.
func hangUp(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		conn.Close()
	}
}

func TestAServerThatHangsUpIsAskedOnceMore(t *testing.T) {
	var asked atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1)%2 == 1 {
			hangUp(w)
			return
		}
		if r.FormValue("query") != "up == 0" {
			w.WriteHeader(http.StatusBadRequest)
		}
		_, _ = io.WriteString(w, emptyVector)
	}))
	defer s.Close()
	rt := &http.Transport{}
	defer rt.CloseIdleConnections()
	c := newClient(t, rt, func(o *Options) { o.URL = s.URL })
	for range 3 {
		ask(t, c, up())
	}
	equal(t, asked.Load(), 6)
}

func TestConnectionsAreUsedAgain(t *testing.T) {
	var opened, asked atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch asked.Add(1) % 3 {
		case 0:
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, strings.Repeat("busy ", 1000))
		case 1:
			_, _ = io.WriteString(w, manySeries(2000))
		case 2:
			w.WriteHeader(http.StatusUnprocessableEntity)
			_, _ = io.WriteString(w, `{"status":"error","errorType":"422","error":"no"}`)
		}
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	s.Start()
	defer s.Close()
	rt := &http.Transport{}
	defer rt.CloseIdleConnections()
	c := newClient(t, rt, func(o *Options) { o.URL = s.URL })
	for range 9 {
		_, _ = c.Query(t.Context(), up()) // two of three answer an error
	}
	equal(t, asked.Load(), 9)
	equal(t, opened.Load(), 1)
}
