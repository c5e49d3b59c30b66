package httpserver

import (
	"net"
	"sync"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/pires/go-proxyproto"
)

// proxyHeaderTimeout is how long the header of the proxy protocol may take.
const proxyHeaderTimeout = 5 * time.Second

// proxied is a connection that a proxy made on behalf of a client. It is of use
// only if it begins with the proxy's header, which is read when the connection is
// used first.
type proxied struct {
	*proxyproto.Conn
	under *conn
	bad   *metrics.Counter
	log   *seldom
	once  sync.Once
}

func newProxied(c *conn, bad *metrics.Counter, log *seldom) *proxied {
	inner := proxyproto.NewConn(c,
		proxyproto.WithPolicy(proxyproto.REQUIRE), proxyproto.SetReadHeaderTimeout(proxyHeaderTimeout))
	return &proxied{Conn: inner, under: c, bad: bad, log: log}
}

// Read fails for good when the header is missing or malformed.
func (p *proxied) Read(b []byte) (int, error) {
	p.once.Do(p.judge)
	return p.Conn.Read(b)
}

// RemoteAddr is the address of the client, or of the proxy when the header does
// not tell.
func (p *proxied) RemoteAddr() net.Addr {
	p.once.Do(p.judge)
	return p.Conn.RemoteAddr()
}

// judge reads the header and counts it if it is bad. A connection that is closed
// without a word, as balancers do to see whether a port is open, is not.
func (p *proxied) judge() {
	if p.ProxyHeader() == nil && p.under.heard.Load() {
		p.bad.Inc()
		p.log.say("from", p.under.RemoteAddr().String())
	}
}
