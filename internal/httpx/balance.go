package httpx

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"syscall"

	"github.com/VictoriaMetrics/metrics"
)

// The host of a URL may be one name of several addresses: http://dns+name:port is
// every address that name has, http://srv+name every host and port that the SRV
// records of name list. Requests are spread over them.

// Resolver looks names up; a *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
	LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error)
}

// The ways in which a name stands for several addresses.
const (
	dnsPrefix = "dns+"
	srvPrefix = "srv+"
)

// PlainHost returns the host of a URL, with its port if any, without what says
// that it is balanced.
func PlainHost(host string) string {
	if name, ok := strings.CutPrefix(host, dnsPrefix); ok {
		return name
	}
	return strings.TrimPrefix(host, srvPrefix)
}

// balancer sends requests for balanced hosts to one of their addresses. Look-ups
// are made beside requests; close ends them.
type balancer struct {
	resolver Resolver
	network  string // of look-ups: ip or ip4
	log      *slog.Logger
	set      *metrics.Set
	client   string // label of the metrics

	running context.Context // until close
	stop    context.CancelFunc
	lookups sync.WaitGroup // those under way

	mu    sync.Mutex // guards the field below, and beginning a look-up against close
	pools map[string]*pool
}

func newBalancer(o *ClientOptions, set *metrics.Set) *balancer {
	b := &balancer{
		resolver: o.Lookup.Resolver, network: "ip", log: o.Lookup.Log, set: set,
		client: strings.TrimPrefix(strings.TrimPrefix(o.MetricsPrefix, "vmalert_"), "tocsin_"),
		pools:  make(map[string]*pool),
	}
	if b.resolver == nil {
		b.resolver = &net.Resolver{PreferGo: true, StrictErrors: true}
	}
	if o.Lookup.IPv4Only {
		b.network = "ip4"
	}
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	if b.set == nil || o.MetricsPrefix == "" {
		b.set = metrics.NewSet()
	}
	b.running, b.stop = context.WithCancel(context.Background())
	return b
}

// close ends the look-ups and waits for it. Addresses found so far remain.
func (b *balancer) close() {
	b.mu.Lock()
	b.stop()
	b.mu.Unlock()
	b.lookups.Wait()
}

// over returns build with what it builds balanced.
func (b *balancer) over(build func(*tls.Config) roundTripper) func(*tls.Config) roundTripper {
	return func(cfg *tls.Config) roundTripper { return &balanced{build(cfg), b} }
}

// balanced is a transport for hosts of any kind.
type balanced struct {
	roundTripper
	balancer *balancer
}

func (t *balanced) RoundTrip(req *http.Request) (*http.Response, error) {
	host := req.URL.Host
	if !strings.HasPrefix(host, dnsPrefix) && !strings.HasPrefix(host, srvPrefix) {
		return t.roundTripper.RoundTrip(req)
	}
	p := t.balancer.pool(req.URL.Scheme, host)
	return p.roundTrip(t.roundTripper, req)
}

// roundTrip sends req to one address after the other until one takes it.
func (p *pool) roundTrip(over http.RoundTripper, req *http.Request) (*http.Response, error) {
	var tried []*peer
	for asked := req; ; {
		chosen, err := p.take(req.Context(), tried)
		if err != nil {
			closeBody(req)
			return nil, err
		}
		resp, err := over.RoundTrip(chosen.request(req))
		if err == nil {
			resp.Request = asked
			resp.Body = &balancedBody{ReadCloser: resp.Body, done: sync.OnceFunc(func() { p.release(chosen) })}
			return resp, nil
		}
		p.release(chosen)
		if errors.Is(req.Context().Err(), context.Canceled) {
			return nil, err
		}
		tried = append(tried, chosen)
		if left := p.bury(chosen, tried); left == 0 || req.Context().Err() != nil || !refused(err) {
			return nil, err
		}
		next, rewindErr := rewound(req)
		if rewindErr != nil {
			return nil, err
		}
		req = next
		p.failovers.Inc()
	}
}

// refused reports whether err says that nobody is there to take a request.
func refused(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial" || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// balancedBody tells when a response has been read.
type balancedBody struct {
	io.ReadCloser
	done func()
}

func (b *balancedBody) Close() error {
	defer b.done()
	return b.ReadCloser.Close()
}
