package httpx

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// unwatched is how many bytes of a request, at most, are sent without watching over
// the context: the kernel takes as many at once when hardly anything else is on its
// way. More is where the request before was longer and answered without being read.
const unwatched = 4 << 10

// leanConn is one connection. It belongs to one request or to the idle ones.
//
// The end of a request's context fails whatever the request is waiting for. Most
// requests to a server nearby never wait where that could happen, so the context
// is watched only from the first time on that one might.
type leanConn struct {
	net.Conn
	addr  string
	in    *bufio.Reader
	out   *bufio.Writer
	quick *quickWait // nil if answers are left to the runtime
	since time.Time  // it is idle

	// Of the request under way.
	ctx       context.Context
	release   func() bool // ends the watch over ctx; nil while there is none
	afterLong bool        // the request before was longer than unwatched
	sent      int         // bytes
	ready     bool        // the next read finds something
}

func newLeanConn(conn net.Conn, addr string, quick *quickWait) *leanConn {
	c := &leanConn{Conn: conn, addr: addr, quick: quick}
	c.in, c.out = bufio.NewReader(c), bufio.NewWriter(c)
	return c
}

// begin makes c ready for a request.
func (c *leanConn) begin(ctx context.Context) error {
	deadline, _ := ctx.Deadline()
	c.ctx, c.release, c.ready = ctx, nil, false
	c.afterLong, c.sent = c.sent > unwatched, 0
	return c.SetDeadline(deadline)
}

// end is the end of the request. It reports whether the context let c alone.
func (c *leanConn) end() bool {
	undisturbed := c.release == nil || c.release()
	c.ctx, c.release = nil, nil
	return undisturbed
}

// watch has the end of the context fail what reads from c or writes to it.
func (c *leanConn) watch() {
	if c.release == nil {
		c.release = context.AfterFunc(c.ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	}
}

func (c *leanConn) Read(p []byte) (int, error) {
	if !c.ready {
		c.watch()
	}
	c.ready = false
	return c.Conn.Read(p)
}

func (c *leanConn) Write(p []byte) (int, error) {
	if c.sent += len(p); c.afterLong || c.sent > unwatched {
		c.watch()
	}
	return c.Conn.Write(p)
}

// ask writes req and reads the head of the response. An answer that comes before
// the request has been taken, such as a refusal of its size, counts.
func (c *leanConn) ask(req *http.Request) (*http.Response, error) {
	writeErr := req.Write(c.out)
	if writeErr == nil {
		writeErr = c.out.Flush()
	}
	if _, network := errors.AsType[*net.OpError](writeErr); writeErr != nil && !network {
		return nil, writeErr // the request itself is at fault
	}
	asked := time.Now()
	c.ready = c.quick.await()
	if _, err := c.in.Peek(1); err != nil {
		if writeErr != nil {
			err = writeErr
		}
		return nil, &noResponse{err}
	}
	c.quick.answered(time.Since(asked))
	for {
		resp, err := http.ReadResponse(c.in, req)
		if err != nil {
			return nil, err
		}
		switch {
		case resp.StatusCode == http.StatusSwitchingProtocols:
			return nil, errors.New("server switches protocols unasked")
		case resp.StatusCode >= 200:
			resp.Close = resp.Close || writeErr != nil
			return resp, nil
		}
	}
}
