package httpx

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

const (
	lookupInterval = 10 * time.Second // between look-ups of a name in use
	lookupRetry    = time.Second      // while there is no address at all
	lookupTimeout  = 10 * time.Second
	buriedFor      = 5 * time.Second // how long an address that failed comes last
)

// pool is the addresses of one balanced host.
type pool struct {
	*balancer

	// Fixed by newPool.
	name string
	port string // where a record has none
	srv  bool

	lookupsTotal, lookupErrors, failovers *metrics.Counter

	mu      sync.Mutex    // guards the fields below
	peers   []*peer       // in order of address
	turn    int           // of peers, for the next request
	due     time.Time     // the next look-up
	pending chan struct{} // closed at the end of the look-up under way; nil if there is none
	err     error         // of the last look-up
}

// peer is one address of a pool. Its fields below addr are guarded by the pool's
// lock.
type peer struct {
	addr string // host:port

	priority uint16    // lower ones come first
	requests int       // under way
	buried   time.Time // it failed; comes last until then
}

// pool returns the addresses of a host, which are to be looked up if they are not
// known yet.
func (b *balancer) pool(scheme, host string) *pool {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.pools[scheme+host]
	if p == nil {
		p = b.newPool(scheme, host)
		b.pools[scheme+host] = p
	}
	return p
}

func (b *balancer) newPool(scheme, host string) *pool {
	label := fmt.Sprintf(`{client=%q}`, b.client) // a name of tocsin's own
	p := &pool{
		balancer: b, srv: strings.HasPrefix(host, srvPrefix), port: "80",
		lookupsTotal: b.set.GetOrCreateCounter("tocsin_dns_lookups_total" + label),
		lookupErrors: b.set.GetOrCreateCounter("tocsin_dns_lookup_errors_total" + label),
		failovers:    b.set.GetOrCreateCounter("tocsin_dns_failovers_total" + label),
	}
	if scheme == "https" {
		p.port = "443"
	}
	p.name = PlainHost(host)
	if name, port, err := net.SplitHostPort(p.name); err == nil {
		p.name, p.port = name, cmp.Or(port, p.port)
	}
	return p
}

// take returns the address for the next request, which release gives back: the one
// with the fewest requests under way, of those in best order, that is not among
// tried. It waits for a look-up only while there is no address.
func (p *pool) take(ctx context.Context, tried []*peer) (*peer, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lookup(time.Now())
	if len(p.peers) == 0 && p.pending != nil {
		pending := p.pending
		p.mu.Unlock()
		select {
		case <-pending:
		case <-ctx.Done():
		}
		p.mu.Lock()
	}
	best := p.best(time.Now(), tried)
	switch {
	case best != nil:
		best.requests++
		return best, nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("look up %s: %w", p.name, ctx.Err())
	case p.err != nil:
		return nil, fmt.Errorf("look up %s: %w", p.name, p.err)
	}
	return nil, fmt.Errorf("look up %s: %w", p.name, net.ErrClosed)
}

// best returns the address that comes first, in turn among equals; nil if there is
// none besides those tried.
func (p *pool) best(now time.Time, tried []*peer) *peer {
	var best *peer
	at := 0
	for i := range p.peers {
		n := (p.turn + i) % len(p.peers)
		x := p.peers[n]
		if !slices.Contains(tried, x) && (best == nil || x.before(best, now)) {
			best, at = x, n
		}
	}
	if best != nil {
		p.turn = at + 1
	}
	return best
}

// before reports whether x is better than y.
func (x *peer) before(y *peer, now time.Time) bool {
	if dead := now.Before(x.buried); dead != now.Before(y.buried) {
		return !dead
	}
	return cmp.Or(cmp.Compare(x.priority, y.priority), cmp.Compare(x.requests, y.requests)) < 0
}

func (p *pool) release(x *peer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	x.requests--
}

// bury puts x last for a while, and returns how many addresses were not tried.
func (p *pool) bury(x *peer, tried []*peer) (left int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	x.buried = time.Now().Add(buriedFor)
	for _, y := range p.peers {
		if !slices.Contains(tried, y) {
			left++
		}
	}
	return left
}

// request returns req as it is sent to x. The server is told the name it was asked
// for by.
func (x *peer) request(req *http.Request) *http.Request {
	out := req.WithContext(req.Context()) // a shallow copy
	u := *req.URL
	u.Host = x.addr
	out.URL = &u
	if req.Host == "" || req.Host == req.URL.Host {
		out.Host = PlainHost(req.URL.Host)
	}
	return out
}

// lookup begins a look-up when one is due.
func (p *pool) lookup(now time.Time) {
	if p.pending != nil || now.Before(p.due) {
		return
	}
	p.balancer.mu.Lock()
	defer p.balancer.mu.Unlock()
	if p.running.Err() != nil {
		return
	}
	p.pending = make(chan struct{})
	p.lookupsTotal.Inc()
	p.lookups.Go(p.refresh)
}

// refresh looks the name up and takes over what was found. When nothing was, the
// addresses there are remain.
func (p *pool) refresh() {
	ctx, cancel := context.WithTimeout(p.running, lookupTimeout)
	defer cancel()
	peers, err := p.resolve(ctx)
	if err == nil && len(peers) == 0 {
		err = errors.New("there are no addresses")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.pending)
	p.pending = nil
	p.due = time.Now().Add(lookupInterval)
	switch {
	case err != nil && p.running.Err() != nil:
		return // told to stop
	case err != nil:
		p.lookupErrors.Inc()
		if len(p.peers) == 0 {
			p.due = time.Now().Add(lookupRetry)
		}
		if p.err == nil {
			p.log.Warn("addresses cannot be looked up; those known are used", "name", p.name, "known", len(p.peers), "error", err)
		}
	default:
		if p.err != nil {
			p.log.Info("addresses can be looked up again", "name", p.name, "found", len(peers))
		}
		p.adopt(peers)
	}
	p.err = err
}

// adopt makes found the addresses, which keep what is known of them.
func (p *pool) adopt(found []*peer) {
	slices.SortFunc(found, func(x, y *peer) int {
		return cmp.Or(cmp.Compare(x.addr, y.addr), cmp.Compare(x.priority, y.priority))
	})
	found = slices.CompactFunc(found, func(x, y *peer) bool { return x.addr == y.addr })
	for i, x := range found {
		if k := slices.IndexFunc(p.peers, func(y *peer) bool { return y.addr == x.addr }); k >= 0 {
			p.peers[k].priority = x.priority
			found[i] = p.peers[k]
		}
	}
	p.peers = found
}

// resolve returns the addresses that the name has now.
func (p *pool) resolve(ctx context.Context) ([]*peer, error) {
	if p.srv {
		return p.resolveSRV(ctx)
	}
	ips, err := p.resolver.LookupNetIP(ctx, p.network, p.name)
	if err != nil {
		return nil, err
	}
	peers := make([]*peer, len(ips))
	for i, ip := range ips {
		peers[i] = &peer{addr: net.JoinHostPort(ip.Unmap().String(), p.port)}
	}
	return peers, nil
}

func (p *pool) resolveSRV(ctx context.Context) ([]*peer, error) {
	_, records, err := p.resolver.LookupSRV(ctx, "", "", p.name)
	if err != nil {
		return nil, err
	}
	peers := make([]*peer, len(records))
	for i, r := range records {
		port := p.port
		if r.Port > 0 {
			port = strconv.Itoa(int(r.Port))
		}
		peers[i] = &peer{addr: net.JoinHostPort(strings.TrimSuffix(r.Target, "."), port), priority: r.Priority}
	}
	return peers, nil
}
