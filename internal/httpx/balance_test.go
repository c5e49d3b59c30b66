package httpx

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/google/go-cmp/cmp"
)

// book is a Resolver whose answers are changed by tests.
type book struct {
	mu      sync.Mutex
	records []*net.SRV
	ips     []netip.Addr
	err     error
	asked   []string
	gate    chan struct{} // look-ups wait until it is closed; nil is open
}

func (b *book) answer(ctx context.Context, asked string) error {
	b.mu.Lock()
	gate := b.gate
	b.asked = append(b.asked, asked)
	b.mu.Unlock()
	if gate != nil {
		select {
		case <-gate:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}

func (b *book) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	return b.ips, b.answer(ctx, network+" "+host)
}

func (b *book) LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error) {
	return name, b.records, b.answer(ctx, "srv "+service+proto+name)
}

// fail makes look-ups fail from now on, or succeed again.
func (b *book) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err = err
}

// srv returns records as "host:port" or "host:port/priority".
func srv(targets ...string) []*net.SRV {
	var records []*net.SRV
	for _, target := range targets {
		target, priority, _ := strings.Cut(target, "/")
		at := netip.MustParseAddrPort(strings.Replace(target, "host", "10.0.0.", 1))
		records = append(records, &net.SRV{
			Target: strings.Split(target, ":")[0] + ".", Port: at.Port(), Priority: uint16(len(priority)),
		})
	}
	return records
}

// crowd is the servers behind a balanced name, as a transport sees them.
type crowd struct {
	mu   sync.Mutex
	dead map[string]error
	sent []string
}

func (c *crowd) RoundTrip(req *http.Request) (*http.Response, error) {
	defer closeBody(req)
	var body []byte
	if req.Body != nil {
		body, _ = io.ReadAll(req.Body)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent = append(c.sent, req.URL.Host)
	if err := c.dead[req.URL.Host]; err != nil {
		return nil, err
	}
	text := req.URL.Host + " as " + req.Host + " " + string(body)
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(text)), Request: req}, nil
}

func (c *crowd) CloseIdleConnections() {}

// takeSent returns where requests went since the last call.
func (c *crowd) takeSent() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	sent := strings.Join(c.sent, " ")
	c.sent = nil
	return sent
}

var errDial error = &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}

// scene is a balancer between a book and a crowd.
type scene struct {
	*testing.T
	book  *book
	crowd *crowd
	set   *metrics.Set
	under *balancer
	rt    http.RoundTripper
}

func newScene(t *testing.T, b *book) *scene {
	s := &scene{T: t, book: b, crowd: &crowd{dead: map[string]error{}}, set: metrics.NewSet()}
	o := ClientOptions{MetricsPrefix: "vmalert_datasource", Lookup: Lookup{Resolver: b, IPv4Only: true}}
	s.under = newBalancer(&o, s.set)
	s.rt = &balanced{s.crowd, s.under}
	t.Cleanup(s.under.close)
	return s
}

// ask sends a request and returns the answer.
func (s *scene) ask(url string) string {
	s.Helper()
	text, err := s.try(s.Context(), url)
	if err != nil {
		s.Fatal(err)
	}
	return text
}

func (s *scene) try(ctx context.Context, url string) (string, error) {
	s.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader("q"))
	if err != nil {
		s.Fatal(err)
	}
	resp, err := s.rt.RoundTrip(req)
	if err != nil {
		return "", err
	}
	if resp.Request != req {
		s.Error("the response is to another request")
	}
	b, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	return string(b), nil
}

func (s *scene) expect(what, got, want string) {
	s.Helper()
	if d := cmp.Diff(want, got); d != "" {
		s.Errorf("%s (-want +got)\n%s", what, d)
	}
}

func (s *scene) count(name string) uint64 {
	return s.set.GetOrCreateCounter(name + `{client="datasource"}`).Get()
}

func TestSRVNameIsEveryAddressOfItsRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, &book{records: srv("host1:8428", "host2:80", "host3:0")})
		s.expect("answer", s.ask("http://srv+vm:8481/x"), "host1:8428 as vm:8481 q")
		for range 4 {
			s.ask("http://srv+vm:8481/x")
		}
		s.expect("sent", s.crowd.takeSent(), "host1:8428 host2:80 host3:8481 host1:8428 host2:80")
		s.expect("asked", strings.Join(s.book.asked, ","), "srv vm")
	})
}

func TestDNSNameIsEveryAddressWithThePortOfTheURL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ips := []netip.Addr{netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("::ffff:10.0.0.1"), netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("fd00::1")}
		s := newScene(t, &book{ips: ips})
		for range 3 {
			s.ask("http://dns+vm/x")
		}
		s.ask("https://dns+vm/x")
		s.ask("https://dns+vm:1/x")
		s.expect("sent", s.crowd.takeSent(), "10.0.0.1:80 10.0.0.2:80 [fd00::1]:80 10.0.0.1:443 10.0.0.1:1")
		s.expect("asked", s.book.asked[0], "ip4 vm")
	})
}

func TestAddressesOfBothProtocolsAreLookedUpUnlessOneIsUnwanted(t *testing.T) {
	if b := newBalancer(&ClientOptions{}, nil); b.network != "ip" {
		t.Errorf("looks up %s", b.network)
	}
}

func TestOtherHostsAreNotLookedUp(t *testing.T) {
	s := newScene(t, &book{err: errors.New("asked")})
	s.expect("answer", s.ask("http://vm:8428/x"), "vm:8428 as vm:8428 q")
}

func TestHostOfTheRequestStands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, &book{records: srv("host1:1")})
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://srv+vm/", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = "tenant"
		resp, err := s.rt.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		s.expect("answer", string(b), "host1:1 as tenant ")
	})
}

// The address with the fewest requests under way comes next.
func TestBusyAddressIsPassedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, &book{records: srv("host1:1", "host2:2")})
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://srv+vm/", nil)
		resp, err := s.rt.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			s.ask("http://srv+vm/")
		}
		s.expect("sent while one is being read", s.crowd.takeSent(), "host1:1 host2:2 host2:2 host2:2")
		resp.Body.Close()
		resp.Body.Close() // twice is once
		s.ask("http://srv+vm/")
		s.ask("http://srv+vm/")
		s.expect("sent afterwards", s.crowd.takeSent(), "host1:1 host2:2")
	})
}

func TestDeadAddressComesLastForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, &book{records: srv("host1:1", "host2:2")})
		s.crowd.dead["host1:1"] = errDial
		s.expect("answer of the other", s.ask("http://srv+vm/"), "host2:2 as vm q")
		s.ask("http://srv+vm/")
		s.ask("http://srv+vm/")
		s.expect("sent", s.crowd.takeSent(), "host1:1 host2:2 host2:2 host2:2")
		if n := s.count("tocsin_dns_failovers_total"); n != 1 {
			t.Errorf("%d failovers counted", n)
		}
		delete(s.crowd.dead, "host1:1")
		time.Sleep(buriedFor)
		s.ask("http://srv+vm/")
		s.expect("sent later", s.crowd.takeSent(), "host1:1")
	})
}

func TestAllAddressesAreTriedBeforeARequestFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, &book{records: srv("host1:1", "host2:2", "host3:3")})
		for _, addr := range []string{"host1:1", "host2:2", "host3:3"} {
			s.crowd.dead[addr] = errDial
		}
		if _, err := s.try(t.Context(), "http://srv+vm/"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("got %v", err)
		}
		s.expect("sent", s.crowd.takeSent(), "host1:1 host2:2 host3:3")
	})
}

func TestRequestThatMayHaveArrivedIsNotSentElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, &book{records: srv("host1:1", "host2:2")})
		s.crowd.dead["host1:1"] = io.ErrUnexpectedEOF
		if _, err := s.try(t.Context(), "http://srv+vm/"); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("got %v", err)
		}
		s.ask("http://srv+vm/")
		s.ask("http://srv+vm/")
		s.expect("sent", s.crowd.takeSent(), "host1:1 host2:2 host2:2")
	})
}

func TestBodyThatCannotBeSentAgainIsNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, &book{records: srv("host1:1", "host2:2")})
		s.crowd.dead["host1:1"] = errDial
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://srv+vm/", io.NopCloser(strings.NewReader("q")))
		if _, err := s.rt.RoundTrip(req); err != errDial {
			t.Errorf("got %v", err)
		}
		s.expect("sent", s.crowd.takeSent(), "host1:1")
	})
}

// A request that its caller gives up says nothing of the address; one that takes
// too long does.
func TestSlowAddressComesLastAndACancelledRequestDoesNotTell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, &book{records: srv("host1:1", "host2:2")})
		s.ask("http://srv+vm/")
		s.ask("http://srv+vm/")
		s.crowd.takeSent()

		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		s.crowd.dead["host1:1"] = context.Canceled
		if _, err := s.try(cancelled, "http://srv+vm/"); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		late, cancel := context.WithTimeout(t.Context(), 0)
		defer cancel()
		s.crowd.dead["host2:2"] = context.DeadlineExceeded
		if _, err := s.try(late, "http://srv+vm/"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		clear(s.crowd.dead)
		s.ask("http://srv+vm/")
		s.ask("http://srv+vm/")
		s.expect("sent", s.crowd.takeSent(), "host1:1 host2:2 host1:1 host1:1")
	})
}

func TestHigherPriorityIsUsedAsLongAsItLives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, &book{records: srv("host1:1/x", "host2:2", "host3:3")})
		for range 3 {
			s.ask("http://srv+vm/")
		}
		s.crowd.dead["host2:2"], s.crowd.dead["host3:3"] = errDial, errDial
		s.ask("http://srv+vm/")
		s.ask("http://srv+vm/")
		s.expect("sent", s.crowd.takeSent(), "host2:2 host3:3 host2:2 host3:3 host2:2 host1:1 host1:1")
	})
}
