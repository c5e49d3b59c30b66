package httpx

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"

	"github.com/VictoriaMetrics/metrics"
)

// connMetrics counts what happens on the connections to one kind of endpoint.
// Clients with the same prefix and set share it.
type connMetrics struct {
	conns                   *metrics.Gauge
	dials, dialErrors       *metrics.Counter
	reads, readErrors       *metrics.Counter
	writes, writeErrors     *metrics.Counter
	bytesRead, bytesWritten *metrics.Counter
}

func newConnMetrics(set *metrics.Set, prefix string) *connMetrics {
	return &connMetrics{
		conns:        set.GetOrCreateGauge(prefix+"_conns", nil),
		dials:        set.GetOrCreateCounter(prefix + "_dials_total"),
		dialErrors:   set.GetOrCreateCounter(prefix + "_dial_errors_total"),
		reads:        set.GetOrCreateCounter(prefix + "_conn_reads_total"),
		readErrors:   set.GetOrCreateCounter(prefix + "_conn_read_errors_total"),
		writes:       set.GetOrCreateCounter(prefix + "_conn_writes_total"),
		writeErrors:  set.GetOrCreateCounter(prefix + "_conn_write_errors_total"),
		bytesRead:    set.GetOrCreateCounter(prefix + "_conn_bytes_read_total"),
		bytesWritten: set.GetOrCreateCounter(prefix + "_conn_bytes_written_total"),
	}
}

type dialFunc func(ctx context.Context, network, addr string) (net.Conn, error)

// counted returns dial with its connections counted.
func (m *connMetrics) counted(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		m.dials.Inc()
		c, err := dial(ctx, network, addr)
		if err != nil {
			m.dialErrors.Inc()
			return nil, err
		}
		m.conns.Inc()
		return &countedConn{Conn: c, metrics: m}, nil
	}
}

type countedConn struct {
	net.Conn
	metrics *connMetrics
	closed  atomic.Bool
}

func (c *countedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.metrics.reads.Inc()
	c.metrics.bytesRead.Add(n)
	if err != nil && !isEnd(err) {
		c.metrics.readErrors.Inc()
	}
	return n, err
}

func (c *countedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.metrics.writes.Inc()
	c.metrics.bytesWritten.Add(n)
	if err != nil {
		c.metrics.writeErrors.Inc()
	}
	return n, err
}

func (c *countedConn) Close() error {
	if !c.closed.Swap(true) {
		c.metrics.conns.Dec()
	}
	return c.Conn.Close()
}

// isEnd tells the end of an idle connection, by either side, from a failure.
func isEnd(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed)
}
