package httpserver

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// header2 is a header of version 2 of the proxy protocol.
func header2(command, family byte, block ...byte) string {
	return "\r\n\r\n\x00\r\nQUIT\n" + string([]byte{0x20 | command, family, byte(len(block) >> 8), byte(len(block))}) + string(block)
}

// client4 and client6 are the addresses of 192.0.2.1:4000 and [2001:db8::1]:4000,
// with a destination.
var (
	client4 = []byte{192, 0, 2, 1, 127, 0, 0, 1, 0x0f, 0xa0, 0x22, 0xb0}
	client6 = append(append(append([]byte{0x20, 0x01, 0x0d, 0xb8}, make([]byte, 11)...), 1), append(make([]byte, 16), 0x0f, 0xa0, 0x22, 0xb0)...)
)

func proxiedOptions() Options { return Options{Listeners: []Listener{{ProxyProtocol: true}}} }

func TestProxyTellsTheAddressOfTheClient(t *testing.T) {
	s := serve(t, proxiedOptions(), hello)
	for name, tt := range map[string]struct{ header, from string }{
		"version 1":             {"PROXY TCP4 192.0.2.1 127.0.0.1 4000 8880\r\n", "192.0.2.1:4000"},
		"version 1, IPv6":       {"PROXY TCP6 2001:db8::1 ::1 4000 8880\r\n", "[2001:db8::1]:4000"},
		"version 1, unknown":    {"PROXY UNKNOWN\r\n", "127.0.0.1:"},
		"version 2":             {header2(1, 0x11, client4...), "192.0.2.1:4000"},
		"version 2, IPv6":       {header2(1, 0x21, client6...), "[2001:db8::1]:4000"},
		"version 2, with TLV":   {header2(1, 0x11, append(client4, 0x04, 0, 1, 0)...), "192.0.2.1:4000"},
		"version 2, of a check": {header2(0, 0x00), "127.0.0.1:"},
	} {
		t.Run(name, func(t *testing.T) {
			c := s.dial()
			resp := proxiedGet(t, c, tt.header)
			if body, err := io.ReadAll(resp.Body); err != nil || !strings.HasPrefix(string(body), "hello "+tt.from) {
				t.Errorf("got %q, %v; want an answer to %s", body, err, tt.from)
			}
		})
	}
	if n := s.metric("tocsin_http_bad_proxy_headers_total"); n != 0 {
		t.Errorf("%v headers counted as bad", n)
	}
}

func proxiedGet(t *testing.T, c net.Conn, header string) *http.Response {
	t.Helper()
	if _, err := io.WriteString(c, header+getRequest); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

func TestConnectionWithoutAProxyIsRefused(t *testing.T) {
	s := serve(t, proxiedOptions(), hello)
	for i, start := range []string{
		getRequest, "PROXY NONSENSE\r\n" + getRequest, "PROXY TCP4 a b 1 2\r\n" + getRequest,
		header2(7, 0x11, client4...) + getRequest, header2(1, 0x11, 1, 2, 3) + getRequest,
		header2(1, 0x13, client4...) + getRequest, header2(1, 0x00) + getRequest,
		"PROXY " + strings.Repeat("x", 300) + "\r\n" + getRequest,
	} {
		c := s.dial()
		if _, err := io.WriteString(c, start); err != nil {
			t.Fatal(err)
		}
		answer, _ := io.ReadAll(c) // an error is that the connection was reset
		if len(answer) > 0 && !strings.HasPrefix(string(answer), "HTTP/1.1 400 ") {
			t.Errorf("%q is answered with %q", start, answer)
		}
		want := float64(i + 1)
		await(t, "it is counted", func() bool { return s.metric("tocsin_http_bad_proxy_headers_total") == want })
	}
	if n := s.log.count("proxy protocol"); n != 1 {
		t.Errorf("logged %d times, want once a while", n)
	}
}

// Balancers look whether the port is open.
func TestSilentProbeIsNoBadHeader(t *testing.T) {
	s := serve(t, proxiedOptions(), hello)
	s.dial().Close()
	await(t, "the probe has come and gone", func() bool {
		return s.metric("vm_tcplistener_accepts_total") >= 1 && s.metric("vm_tcplistener_conns") == 0
	})
	if n := s.metric("tocsin_http_bad_proxy_headers_total"); n != 0 {
		t.Errorf("%v headers counted as bad", n)
	}
}

func TestSlowProxyHeaderIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, in := serveAtPipes(t, proxiedOptions(), hello)
		c := in.connect(t)
		began := time.Now()
		if _, err := io.WriteString(c, "PROXY TCP4 192.0.2.1 "); err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, c)
		if d := time.Since(began); d > proxyHeaderTimeout {
			t.Errorf("cut off after %s", d)
		}
		c.Close()
		if n := s.metric("tocsin_http_bad_proxy_headers_total"); n != 1 {
			t.Errorf("%v headers counted as bad", n)
		}
	})
}

func TestProxyProtocolBeforeTLS(t *testing.T) {
	a := newAuthority(t, "ca")
	files := newTLSFiles(t, a, "tocsin.example")
	o := secure(files)
	o.Listeners[0].ProxyProtocol = true
	s := serve(t, o, hello)
	under := s.dial()
	if _, err := io.WriteString(under, header2(1, 0x11, client4...)); err != nil {
		t.Fatal(err)
	}
	c := tls.Client(under, &tls.Config{RootCAs: a.pool(), ServerName: "tocsin.example"})
	resp := proxiedGet(t, c, "")
	if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "hello 192.0.2.1:4000" {
		t.Errorf("got %q, %v", body, err)
	}
}

// A slow connection must not keep others from being accepted.
func TestUnfinishedHeaderHoldsUpNobody(t *testing.T) {
	s := serve(t, proxiedOptions(), hello)
	for range 10 {
		if _, err := io.WriteString(s.dial(), "PROXY "); err != nil {
			t.Fatal(err)
		}
	}
	resp := proxiedGet(t, s.dial(), "PROXY TCP4 192.0.2.1 127.0.0.1 4000 8880\r\n")
	if resp.StatusCode != http.StatusOK {
		t.Errorf("got %d", resp.StatusCode)
	}
}

func FuzzProxyHeader(f *testing.F) {
	f.Add([]byte("PROXY TCP4 192.0.2.1 127.0.0.1 4000 8880\r\n" + getRequest))
	f.Add([]byte(header2(1, 0x21, client6...) + getRequest))
	f.Add([]byte(getRequest))
	f.Fuzz(func(t *testing.T, sent []byte) {
		synctest.Test(t, func(t *testing.T) {
			_, in := serveAtPipes(t, proxiedOptions(), hello)
			c := in.connect(t)
			go func() { _, _ = c.Write(sent); c.Close() }()
			_, _ = io.Copy(io.Discard, c)
		})
	})
}
