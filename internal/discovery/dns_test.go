package discovery

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	mdns "github.com/miekg/dns"

	"tocsin/config/notifiers"
)

// zone is a DNS server on loopback.
type zone struct {
	mu      sync.Mutex
	records map[string][]string // by type and name, as in "A am.example."
	rcode   int                 // of every answer
	silent  bool                // answers nothing
}

// serveDNS starts a server for z and returns who asks it.
func (z *zone) serve(t *testing.T) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &mdns.Server{PacketConn: conn, Handler: z}
	ended := make(chan error, 1)
	go func() { ended <- s.ActivateAndServe() }()
	t.Cleanup(func() {
		// A server that has not begun cannot be shut down, but its socket can.
		_ = conn.Close()
		<-ended
	})
	d := &dialer{addr: conn.LocalAddr().String()}
	t.Cleanup(d.close)
	return &net.Resolver{PreferGo: true, Dial: d.dial}
}

// dialer keeps what it dialed. The resolver of the standard library goes on to
// wait for an answer, for seconds, after its caller has left.
type dialer struct {
	addr string

	mu     sync.Mutex // guards the fields below
	conns  []net.Conn
	closed bool
}

func (d *dialer) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, net.ErrClosed
	}
	c, err := new(net.Dialer).DialContext(ctx, "udp", d.addr)
	if err == nil {
		d.conns = append(d.conns, c)
	}
	return c, err
}

// close ends all waiting for answers.
func (d *dialer) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	for _, c := range d.conns {
		_ = c.Close() // most are closed
	}
}

func (z *zone) ServeDNS(w mdns.ResponseWriter, req *mdns.Msg) {
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.silent {
		return
	}
	answer := new(mdns.Msg)
	answer.SetRcode(req, z.rcode)
	known := false
	q := req.Question[0]
	for key, records := range z.records {
		kind, name, _ := strings.Cut(key, " ")
		if !strings.EqualFold(name, q.Name) {
			continue
		}
		known = true
		if kind != mdns.TypeToString[q.Qtype] {
			continue
		}
		for _, r := range records {
			rr, err := mdns.NewRR(name + " 1 IN " + kind + " " + r)
			if err != nil {
				panic(err)
			}
			answer.Answer = append(answer.Answer, rr)
		}
	}
	if !known && z.rcode == mdns.RcodeSuccess {
		answer.Rcode = mdns.RcodeNameError
	}
	_ = w.WriteMsg(answer) // who asked will notice
}

func (z *zone) change(do func()) {
	z.mu.Lock()
	defer z.mu.Unlock()
	do()
}

// dnsOver starts a Finder for d that looks often and asks z.
func (b *bench) dnsOver(t *testing.T, z *zone, d notifiers.DNS) *Finder {
	b.Resolver = z.serve(t)
	d.Refresh = time.Millisecond
	return b.start(t, &notifiers.Block{Kind: notifiers.DNSKind, DNS: &d})
}

func TestDNSRecordsOfEachType(t *testing.T) {
	z := &zone{records: map[string][]string{
		"A am.example.":              {"10.0.0.2", "10.0.0.1"},
		"AAAA am.example.":           {"fd00::1"},
		"SRV _web._tcp.am.example.":  {"0 0 9094 am-2.example.", "0 0 9093 am-1.example."},
		"MX am.example.":             {"10 mx.example."},
		"A second.example.":          {"10.0.0.3"},
		"SRV _web._tcp.two.example.": {"0 0 9095 am-3.example."},
	}}
	for _, tt := range []struct {
		block notifiers.DNS
		want  []string
	}{
		{notifiers.DNS{Names: []string{"second.example", "am.example"}, Type: notifiers.A, Port: 9093}, []string{
			`{__address__="10.0.0.1:9093", __meta_dns_name="am.example", __meta_dns_srv_record_port="9093", __meta_dns_srv_record_target="10.0.0.1"}`,
			`{__address__="10.0.0.2:9093", __meta_dns_name="am.example", __meta_dns_srv_record_port="9093", __meta_dns_srv_record_target="10.0.0.2"}`,
			`{__address__="10.0.0.3:9093", __meta_dns_name="second.example", __meta_dns_srv_record_port="9093", __meta_dns_srv_record_target="10.0.0.3"}`,
		}},
		{notifiers.DNS{Names: []string{"am.example"}, Type: notifiers.AAAA, Port: 9093}, []string{
			`{__address__="[fd00::1]:9093", __meta_dns_name="am.example", __meta_dns_srv_record_port="9093", __meta_dns_srv_record_target="fd00::1"}`,
		}},
		{notifiers.DNS{Names: []string{"_web._tcp.am.example"}, Type: notifiers.SRV}, []string{
			`{__address__="am-1.example:9093", __meta_dns_name="_web._tcp.am.example", __meta_dns_srv_record_port="9093", __meta_dns_srv_record_target="am-1.example"}`,
			`{__address__="am-2.example:9094", __meta_dns_name="_web._tcp.am.example", __meta_dns_srv_record_port="9094", __meta_dns_srv_record_target="am-2.example"}`,
		}},
		{notifiers.DNS{Names: []string{"am.example"}, Type: notifiers.MX, Port: 25}, []string{
			`{__address__="mx.example:25", __meta_dns_mx_record_target="mx.example", __meta_dns_name="am.example"}`,
		}},
	} {
		t.Run(string(tt.block.Type), func(t *testing.T) {
			f := newBench().dnsOver(t, z, tt.block)
			<-f.Looked()
			wantLabels(t, f.Found().Targets, tt.want...)
			if err := f.Found().Err; err != nil {
				t.Error(err)
			}
		})
	}
}

func TestDNSChangesAreSeen(t *testing.T) {
	z := &zone{records: map[string][]string{"A am.example.": {"10.0.0.1"}}}
	b := newBench()
	f := b.dnsOver(t, z, notifiers.DNS{Names: []string{"am.example"}, Type: notifiers.A, Port: 1})
	<-f.Looked()
	wantAddresses(t, f, "10.0.0.1:1")
	z.change(func() { z.records["A am.example."] = []string{"10.0.0.2"} })
	b.until(t, f, func(found Found) bool { return found.Targets[0].Get(addressLabel) == "10.0.0.2:1" })
}

func TestDNSNameThatIsGoneNamesNobody(t *testing.T) {
	z := &zone{records: map[string][]string{"A am.example.": {"10.0.0.1"}}}
	b := newBench()
	f := b.dnsOver(t, z, notifiers.DNS{Names: []string{"am.example"}, Type: notifiers.A, Port: 1})
	<-f.Looked()
	z.change(func() { clear(z.records) })
	found := b.until(t, f, func(found Found) bool { return len(found.Targets) == 0 })
	if found.Err != nil {
		t.Errorf("that nobody is there is an error: %v", found.Err)
	}
}

func TestDNSThatFailsKeepsWhatWasFound(t *testing.T) {
	z := &zone{records: map[string][]string{"A am.example.": {"10.0.0.1"}}}
	b := newBench()
	f := b.dnsOver(t, z, notifiers.DNS{Names: []string{"am.example"}, Type: notifiers.A, Port: 1})
	<-f.Looked()
	z.change(func() { z.rcode = mdns.RcodeServerFailure })
	found := b.until(t, f, func(found Found) bool { return found.Err != nil })
	wantAddresses(t, f, "10.0.0.1:1")
	if !strings.HasPrefix(found.Err.Error(), "look up A of am.example: ") {
		t.Errorf("error is %q", found.Err)
	}
	if b.metric(t, `tocsin_discovery_lookup_errors_total{kind="DNSSD"}`) == "0" {
		t.Error("the failure was not counted")
	}
	z.change(func() { z.rcode = mdns.RcodeSuccess })
	b.until(t, f, func(found Found) bool { return found.Err == nil })
}

func TestDNSNameThatFailsTakesNothingFromOthers(t *testing.T) {
	failing := &net.DNSError{Err: "server misbehaving", Name: "two.example", IsTemporary: true}
	found := map[string][]string{"one.example": {"10.0.0.1"}, "two.example": {"10.0.0.2"}}
	r := &scripted{found: found}
	b := newBench()
	b.Resolver = r
	s := newDNS(&notifiers.DNS{Names: []string{"one.example", "two.example"}, Type: notifiers.A, Port: 1}, &b.Options, b.Counts.of(notifiers.DNSKind)).(*poll)
	s.look(t.Context())
	found["one.example"] = []string{"10.0.0.9"}
	r.err = map[string]error{"two.example": failing}
	v := s.look(t.Context())
	wantLabels(t, v.targets,
		`{__address__="10.0.0.9:1", __meta_dns_name="one.example", __meta_dns_srv_record_port="1", __meta_dns_srv_record_target="10.0.0.9"}`,
		`{__address__="10.0.0.2:1", __meta_dns_name="two.example", __meta_dns_srv_record_port="1", __meta_dns_srv_record_target="10.0.0.2"}`)
	if v.err == nil || !v.known {
		t.Errorf("view is %+v, want an error beside all that is known", v)
	}
}

func TestDNSThatDoesNotAnswerIsStopped(t *testing.T) {
	z := &zone{silent: true}
	f := newBench().dnsOver(t, z, notifiers.DNS{Names: []string{"am.example"}, Type: notifiers.A, Port: 1})
	f.Stop() // the leak check sees whether it does
	if found := f.Found(); found.Complete || found.Err != nil {
		t.Errorf("found %+v, want nothing of a look-up that was cut short", found)
	}
}
