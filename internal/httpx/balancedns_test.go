package httpx

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/VictoriaMetrics/metrics"
	"github.com/miekg/dns"
)

// nameServer answers for the zone it holds, on loopback.
type nameServer struct {
	addr string

	mu   sync.Mutex // guards the field below
	zone map[string][]string
}

// startNameServer serves zone, from names with their type to records.
func startNameServer(t *testing.T, zone map[string][]string) *nameServer {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &nameServer{addr: conn.LocalAddr().String(), zone: zone}
	started := make(chan struct{})
	server := &dns.Server{PacketConn: conn, Handler: s, NotifyStartedFunc: func() { close(started) }}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.ActivateAndServe() }()
	<-started
	t.Cleanup(func() { _ = server.Shutdown(); <-done })
	return s
}

func (s *nameServer) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	answer := new(dns.Msg).SetReply(q)
	question := q.Question[0]
	s.mu.Lock()
	records := s.zone[question.Name+" "+dns.TypeToString[question.Qtype]]
	s.mu.Unlock()
	for _, text := range records {
		if r, err := dns.NewRR(question.Name + " 1 IN " + dns.TypeToString[question.Qtype] + " " + text); err == nil {
			answer.Answer = append(answer.Answer, r)
		}
	}
	if len(records) == 0 {
		answer.Rcode = dns.RcodeNameError
	}
	_ = w.WriteMsg(answer)
}

func (s *nameServer) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, StrictErrors: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp4", s.addr)
	}}
}

// answerHost is a handler that tells who was asked, as whom and by whom.
func answerHost(w http.ResponseWriter, r *http.Request) {
	local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	_, _ = io.WriteString(w, local.String()+" as "+r.Host+" by "+r.Header.Get("Authorization"))
}

func port(t *testing.T, url string) string {
	t.Helper()
	at, err := netip.ParseAddrPort(url[strings.LastIndexByte(url, '/')+1:])
	if err != nil {
		t.Fatal(err)
	}
	return strconv.Itoa(int(at.Port()))
}

func TestBalancedNamesAreAskedOfNameServers(t *testing.T) {
	first, second := httptest.NewServer(http.HandlerFunc(answerHost)), httptest.NewServer(http.HandlerFunc(answerHost))
	defer first.Close()
	defer second.Close()
	gone := httptest.NewServer(nil)
	gone.Close()
	s := startNameServer(t, map[string][]string{
		"vm.test. SRV":   {"1 1 " + port(t, first.URL) + " a.test.", "1 1 " + port(t, second.URL) + " a.test.", "0 1 " + port(t, gone.URL) + " a.test."},
		"a.test. A":      {"127.0.0.1"},
		"all.test. A":    {"127.0.0.1", "127.0.0.1"},
		"six.test. A":    {"127.0.0.1"},
		"six.test. AAAA": {"::1"},
	})
	for _, manySmall := range []bool{false, true} {
		tr := mustTransport(t, ClientOptions{BearerToken: "tok", ManySmall: manySmall, MaxIdleConnections: 10, Lookup: Lookup{Resolver: s.resolver(), IPv4Only: true}})
		// The targets of SRV records are dialed by name, for which the system is asked.
		pool := tr.balancer.pool("http", "srv+vm.test")
		if _, err := pool.take(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		pool.mu.Lock()
		for _, p := range pool.peers {
			p.addr = strings.Replace(p.addr, "a.test", "127.0.0.1", 1)
		}
		pool.mu.Unlock()

		got := map[string]int{}
		for range 6 {
			got[fetch(t, tr, "http://srv+vm.test/")]++
		}
		host := " as vm.test by Bearer tok"
		if got["127.0.0.1:"+port(t, first.URL)+host] != 3 || got["127.0.0.1:"+port(t, second.URL)+host] != 3 {
			t.Errorf("answers: %v", got)
		}
		for _, name := range []string{"all.test", "six.test"} {
			want := "127.0.0.1:" + port(t, first.URL) + " as " + name + ":" + port(t, first.URL) + " by Bearer tok"
			if got := fetch(t, tr, "http://dns+"+name+":"+port(t, first.URL)+"/"); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
		if err := tr.Close(); err != nil {
			t.Error(err)
		}
	}
}

func fetch(t *testing.T, rt http.RoundTripper, url string) string {
	t.Helper()
	resp, err := (&http.Client{Transport: rt}).Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A redirect that stays at the balanced name carries the credentials along.
func TestRedirectOfABalancedName(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/from" {
			http.Redirect(w, r, "/to", http.StatusTemporaryRedirect)
			return
		}
		answerHost(w, r)
	}))
	defer server.Close()
	tr := mustTransport(t, ClientOptions{BearerToken: "tok", Lookup: Lookup{Resolver: &book{ips: []netip.Addr{netip.MustParseAddr("127.0.0.1")}}}})
	defer tr.Close()
	if got := fetch(t, tr, "http://dns+vm:"+port(t, server.URL)+"/from"); !strings.HasSuffix(got, " by Bearer tok") {
		t.Errorf("got %q", got)
	}
}

// Certificates are checked against the address, or the name that is given.
func TestBalancedNamesOverTLS(t *testing.T) {
	own := newPair(t, "vm.test")
	server := newTLSServer(t, own)
	for name, ok := range map[string]bool{"": true, "vm.test": true, "other.test": false} {
		tr := mustTransport(t, ClientOptions{
			TLS:    TLS{CA: own.cert, ServerName: name},
			Lookup: Lookup{Resolver: &book{ips: []netip.Addr{netip.MustParseAddr("127.0.0.1")}}},
		})
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://dns+vm:"+port(t, server.URL)+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := tr.RoundTrip(req)
		if (err == nil) != ok {
			t.Errorf("server name %q: got %v", name, err)
		}
		if err == nil {
			resp.Body.Close()
		}
		tr.Close()
	}
}

func TestLookupsAreCounted(t *testing.T) {
	set := metrics.NewSet()
	o := ClientOptions{MetricsPrefix: "vmalert_remotewrite", Lookup: Lookup{Resolver: &book{records: srv("host1:1")}}}
	b := newBalancer(&o, set)
	defer b.close()
	if names := set.ListMetricNames(); len(names) != 0 {
		t.Errorf("metrics without a balanced name: %v", names)
	}
	if _, err := b.pool("http", "srv+vm").take(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if n := set.GetOrCreateCounter(`tocsin_dns_lookups_total{client="remotewrite"}`).Get(); n != 1 {
		t.Errorf("%d look-ups counted", n)
	}
}

func TestBalancedURLs(t *testing.T) {
	for _, good := range []string{"http://dns+vm:8428/x", "https://srv+vm", "http://srv+_vm._tcp.example.com/"} {
		if _, err := ParseURL(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for bad, want := range map[string]string{
		"http://srv+":        "URL has no host",
		"http://dns+:8428":   "URL has no host",
		"dns+http://vm:8428": "URL must begin with http:// or https://; dns+ belongs before the host",
		"srv+https://vm":     "URL must begin with http:// or https://; srv+ belongs before the host",
	} {
		if _, err := ParseURL(bad); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", bad, err, want)
		}
	}
}

func ipv4Only() *ClientOptions { return &ClientOptions{Lookup: Lookup{IPv4Only: true}} }

func TestAddressOfIPv6IsUsedWithoutBeingWanted(t *testing.T) {
	for addr, want := range map[string]bool{"[::1]:80": true, "[fe80::1%eth0]:80": true, "127.0.0.1:80": false, "vm:80": false, "[::ffff:127.0.0.1]:80": true} {
		if got := isAddress6(addr); got != want {
			t.Errorf("%s: got %v", addr, got)
		}
	}
	l, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skip("no IPv6 here")
	}
	defer l.Close()
	c, err := ipv4Only().dialer()(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

func TestNamesAreDialedByIPv4(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(answerHost))
	defer server.Close()
	c, err := ipv4Only().dialer()(t.Context(), "tcp", "localhost:"+port(t, server.URL))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got := c.RemoteAddr().String(); !strings.HasPrefix(got, "127.0.0.1:") {
		t.Errorf("connected to %s", got)
	}
}
