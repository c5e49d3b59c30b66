package httpserver

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"
)

const (
	// writeStall is how long a client may take nothing of what is sent to it before
	// the connection is given up.
	writeStall = time.Minute
	// writePiece is how many bytes of a long answer share one such wait, or a client
	// that is slow, but reads, would be cut off in the middle of it.
	writePiece = 256 << 10
)

// conn is a connection that counts, and that does not wait for ever for a client
// that reads nothing.
type conn struct {
	net.Conn
	metrics *listenerMetrics

	heard       atomic.Bool // something was read
	closed      atomic.Bool
	aborted     atomic.Bool // the read deadline was set to end a Read
	ownDeadline atomic.Bool // whoever uses the connection bounds its writes
}

func newConn(c net.Conn, m *listenerMetrics) *conn {
	m.conns.Inc()
	return &conn{Conn: c, metrics: m}
}

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.metrics.reads.Inc()
	c.metrics.bytesRead.Add(n)
	if n > 0 {
		c.heard.Store(true)
	}
	switch {
	case err == nil, errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed):
	case isTimeout(err):
		if !c.aborted.Load() {
			c.metrics.readTimeouts.Inc()
		}
	default:
		c.metrics.readErrors.Inc()
	}
	return n, err
}

func (c *conn) Write(p []byte) (int, error) {
	written := 0
	for {
		piece := p[written:min(written+writePiece, len(p))]
		n, err := c.writeOnce(piece)
		if written += n; err != nil || written == len(p) {
			return written, err
		}
	}
}

func (c *conn) writeOnce(p []byte) (int, error) {
	if !c.ownDeadline.Load() {
		_ = c.Conn.SetWriteDeadline(time.Now().Add(writeStall)) // an error shows in the Write
	}
	n, err := c.Conn.Write(p)
	c.metrics.writes.Inc()
	c.metrics.bytesWritten.Add(n)
	switch {
	case err == nil:
	case isTimeout(err):
		c.metrics.writeTimeouts.Inc()
	default:
		c.metrics.writeErrors.Inc()
	}
	return n, err
}

// Close is called more than once by net/http; only the first call counts.
func (c *conn) Close() error {
	if c.closed.Swap(true) {
		return nil
	}
	c.metrics.conns.Dec()
	err := c.Conn.Close()
	if err != nil {
		c.metrics.closeErrors.Inc()
	}
	return err
}

func (c *conn) SetDeadline(t time.Time) error {
	c.noteRead(t)
	c.ownDeadline.Store(!t.IsZero())
	return c.Conn.SetDeadline(t)
}

func (c *conn) SetReadDeadline(t time.Time) error {
	c.noteRead(t)
	return c.Conn.SetReadDeadline(t)
}

func (c *conn) SetWriteDeadline(t time.Time) error {
	c.ownDeadline.Store(!t.IsZero())
	return c.Conn.SetWriteDeadline(t)
}

// noteRead notes whether the deadline t is real: net/http ends a Read by one that
// lies at the beginning of time.
func (c *conn) noteRead(t time.Time) { c.aborted.Store(!t.IsZero() && t.Unix() < 1000) }

func isTimeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}
