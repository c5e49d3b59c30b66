package httpx

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// lean sends requests over plain HTTP/1.1 from the goroutine of the caller.
// http.Transport has two goroutines for each connection, and handing every
// request and response to them costs a daemon that asks a thousand small
// questions a second a third of its CPU time. Parsing and writing are those of
// net/http. What needs TLS or a proxy goes through an http.Transport.
type lean struct {
	*http.Transport
	dial dialFunc

	quick       *quickWaits
	idleTimeout time.Duration // 0 is no limit
	mostIdle    int           // per address; 0 keeps none

	mu     sync.Mutex // guards the fields below
	idle   map[string][]*leanConn
	reaper *time.Timer // closes connections idle for too long; nil when there are none
}

func newLean(t *http.Transport) *lean {
	l := &lean{
		Transport: t, dial: t.DialContext,
		quick:       newQuickWaits(),
		idleTimeout: t.IdleConnTimeout, mostIdle: t.MaxIdleConnsPerHost,
		idle: make(map[string][]*leanConn),
	}
	if l.mostIdle == 0 {
		l.mostIdle = http.DefaultMaxIdleConnsPerHost
	}
	if t.DisableKeepAlives {
		l.mostIdle = 0
	}
	return l
}

// RoundTrip sends req and returns its response. A kept connection that turns out
// to be broken before the response begins is replaced by a new one, if the body
// can be sent again.
func (l *lean) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != "http" || req.URL.Host == "" || l.proxied(req) {
		return l.Transport.RoundTrip(req)
	}
	defer closeBody(req)
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	addr := address(req)
	c := l.take(addr)
	if c != nil {
		resp, err := l.exchange(c, req)
		if err == nil || !errors.Is(err, errNoResponse) || req.Context().Err() != nil {
			return resp, err
		}
		again, rewindErr := rewound(req)
		if rewindErr != nil {
			return nil, err
		}
		req = again
	}
	conn, err := l.dial(req.Context(), "tcp", addr)
	if err != nil {
		return nil, err
	}
	return l.exchange(newLeanConn(conn, addr, l.quick.on(conn)), req)
}

func (l *lean) proxied(req *http.Request) bool {
	if l.Proxy == nil {
		return false
	}
	u, err := l.Proxy(req)
	return u != nil || err != nil
}

func address(req *http.Request) string {
	port := req.URL.Port()
	if port == "" {
		port = "80"
	}
	return net.JoinHostPort(req.URL.Hostname(), port)
}

// rewound returns req with its body at the beginning.
func rewound(req *http.Request) (*http.Request, error) {
	if req.Body == nil || req.Body == http.NoBody {
		return req, nil
	}
	if req.GetBody == nil {
		return nil, errors.New("request body cannot be sent again")
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, err
	}
	again := *req
	again.Body = body
	return &again, nil
}

// errNoResponse is wrapped by the error of a connection that broke before the
// first byte of the response.
var errNoResponse = errors.New("connection broke before the response")

// noResponse is errNoResponse with its cause, under the name of the cause.
type noResponse struct{ cause error }

func (e *noResponse) Error() string   { return e.cause.Error() }
func (e *noResponse) Unwrap() []error { return []error{errNoResponse, e.cause} }

// exchange sends req over c and reads the head of the response. The connection
// is closed, or kept for the next request, when the body has been read.
func (l *lean) exchange(c *leanConn, req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	if err := c.begin(ctx); err != nil {
		c.Close()
		return nil, &noResponse{err}
	}
	resp, err := c.ask(req)
	if err != nil {
		c.end()
		c.Close()
		return nil, ended(ctx, err)
	}
	body := &leanBody{ReadCloser: resp.Body, ctx: ctx, pool: l, conn: c, last: resp.Close || req.Close}
	resp.Body = body
	if resp.ContentLength == 0 {
		body.finish(true)
	}
	return resp, nil
}

// ended returns the error of ctx if that is why err came about.
func ended(ctx context.Context, err error) error {
	if ctxErr := ctx.Err(); ctxErr != nil {
		return ctxErr
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return context.DeadlineExceeded // by the connection's clock, a moment before ctx's
	}
	return err
}

// leanBody is the body of a response. At its end the connection goes back.
type leanBody struct {
	io.ReadCloser
	ctx  context.Context
	pool *lean
	conn *leanConn // nil once the response is finished
	last bool      // the connection must not be used again
}

func (b *leanBody) Read(p []byte) (int, error) {
	if b.conn == nil {
		return 0, io.EOF
	}
	n, err := b.ReadCloser.Read(p)
	switch {
	case err == io.EOF:
		b.finish(true)
	case err != nil:
		err = ended(b.ctx, err)
		b.finish(false)
	}
	return n, err
}

// Close gives up what was not read, and with it the connection.
func (b *leanBody) Close() error {
	if b.conn != nil {
		b.finish(false)
	}
	return nil
}

// finish ends the use of the connection; complete means that it stands at the
// end of the response.
func (b *leanBody) finish(complete bool) {
	c := b.conn
	b.conn = nil
	undisturbed := c.end()
	if !complete || !undisturbed || b.last || c.in.Buffered() > 0 || !b.pool.put(c) {
		c.Close()
	}
}

// take returns a kept connection to addr, the most recently used; nil if there
// is none.
func (l *lean) take(addr string) *leanConn {
	l.mu.Lock()
	defer l.mu.Unlock()
	kept := l.idle[addr]
	if len(kept) == 0 {
		return nil
	}
	c := kept[len(kept)-1]
	kept[len(kept)-1] = nil
	l.idle[addr] = kept[:len(kept)-1]
	return c
}

// put keeps c for a later request; false if there are enough.
func (l *lean) put(c *leanConn) bool {
	c.since = time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.idle[c.addr]) >= l.mostIdle {
		return false
	}
	l.idle[c.addr] = append(l.idle[c.addr], c)
	if l.reaper == nil && l.idleTimeout > 0 {
		l.reaper = time.AfterFunc(l.idleTimeout, l.reap)
	}
	return true
}

// reap closes the connections that were idle for too long.
func (l *lean) reap() {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	left := 0
	for addr, kept := range l.idle {
		// The longest idle ones come first.
		n := 0
		for n < len(kept) && now.Sub(kept[n].since) >= l.idleTimeout {
			kept[n].Close()
			n++
		}
		if l.idle[addr] = append(kept[:0:0], kept[n:]...); len(kept) == n {
			delete(l.idle, addr)
		}
		left += len(kept) - n
	}
	l.reaper = nil
	if left > 0 {
		l.reaper = time.AfterFunc(l.idleTimeout, l.reap)
	}
}

// CloseIdleConnections closes the connections that are not in use.
func (l *lean) CloseIdleConnections() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, kept := range l.idle {
		for _, c := range kept {
			c.Close()
		}
	}
	clear(l.idle)
	if l.reaper != nil {
		l.reaper.Stop()
		l.reaper = nil
	}
	l.Transport.CloseIdleConnections()
}
