package httpserver

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"sync"
	"testing"

	"github.com/VictoriaMetrics/metrics"
)

// pipes is a listener to which the test connects without a network, so that
// timeouts pass at once in a bubble.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

// connect returns the end of the client.
func (p *pipes) connect(t *testing.T) net.Conn {
	client, server := net.Pipe()
	p.conns <- server
	t.Cleanup(func() { client.Close() })
	return client
}

// serveAtPipes serves h at pipes until the test ends. It is for bubbles, where
// time flies.
func serveAtPipes(t *testing.T, o Options, h http.Handler) (*served, *pipes) {
	t.Helper()
	in := newPipes()
	if o.MaxGracefulShutdown == 0 {
		o.MaxGracefulShutdown = patience
	}
	s := &served{t: t, metrics: metrics.NewSet(), log: newLogBook()}
	server, err := openWith(func(string, string) (net.Listener, error) { return in, nil }, o, h, s.metrics, s.log.logger())
	if err != nil {
		t.Fatal(err)
	}
	s.Server = server
	s.Serve()
	t.Cleanup(func() { _ = s.Shutdown() }) // a test that cares shuts down itself
	return s, in
}

// shake lets a client and a server with the given configurations shake hands and
// returns what the client sees. Client certificates are judged after the client's
// part in TLS 1.3, so the server's error counts, too.
func shake(t *testing.T, server, client *tls.Config) (tls.ConnectionState, error) {
	t.Helper()
	near, far := net.Pipe()
	done := make(chan error, 1)
	go func() {
		s := tls.Server(far, server)
		done <- s.Handshake()
		far.Close()
	}()
	c := tls.Client(near, client)
	err := c.Handshake()
	if err == nil {
		_, _ = c.Read(make([]byte, 1)) // lets the server tell its verdict
	}
	near.Close()
	return c.ConnectionState(), errors.Join(err, <-done)
}
