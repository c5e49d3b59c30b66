package httpserver

import (
	"crypto/tls"
	"net"
)

// listener accepts the connections of one address and dresses them: counted,
// behind the header of the proxy protocol, and in TLS. None of it waits for the
// client, so that a slow one keeps nobody from being accepted.
type listener struct {
	net.Listener
	config    Listener
	tls       *tls.Config // nil is plain HTTP
	metrics   *listenerMetrics
	unproxied *seldom // of connections without a header; nil without the proxy protocol
}

// network is the one to listen by.
func (o *Options) network() string {
	if o.IPv6 {
		return "tcp"
	}
	return "tcp4"
}

// Accept returns the next connection. Its errors are counted; those that pass are
// for net/http to wait out.
func (l *listener) Accept() (net.Conn, error) {
	accepted, err := l.Listener.Accept()
	l.metrics.accepts.Inc()
	if err != nil {
		l.metrics.acceptErrors.Inc()
		return nil, err
	}
	counted := newConn(accepted, l.metrics)
	var dressed net.Conn = counted
	if l.config.ProxyProtocol {
		dressed = newProxied(counted, l.metrics.badProxyHeaders, l.unproxied)
	}
	if l.tls != nil {
		// net/http looks for exactly this type to do the handshake and to fill in
		// Request.TLS.
		return tls.Server(dressed, l.tls), nil
	}
	return dressed, nil
}
