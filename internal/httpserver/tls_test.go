package httpserver

import (
	"crypto/tls"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// builder returns what makes TLS configurations, with what it counts and logs.
func builder(t *testing.T) (*tlsBuilder, *served) {
	t.Helper()
	s := &served{t: t, metrics: metrics.NewSet(), log: newLogBook()}
	report := newReporter(s.log.logger(), newServerMetrics(s.metrics))
	return &tlsBuilder{metrics: s.metrics, report: report}, s
}

// config is the configuration of the only listener of o.
func config(t *testing.T, b *tlsBuilder, o Options) *tls.Config {
	t.Helper()
	cfg, err := b.config(&o.Listeners[0])
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestLeastVersionOfTLS(t *testing.T) {
	a := newAuthority(t, "ca")
	files := newTLSFiles(t, a, "tocsin.example")
	for _, tt := range []struct {
		min    uint16
		client uint16
		ok     bool
	}{
		{0, tls.VersionTLS11, false}, {0, tls.VersionTLS12, true},
		{tls.VersionTLS10, tls.VersionTLS10, true}, {tls.VersionTLS11, tls.VersionTLS10, false}, {tls.VersionTLS11, tls.VersionTLS11, true},
		{tls.VersionTLS13, tls.VersionTLS12, false}, {tls.VersionTLS13, tls.VersionTLS13, true},
	} {
		o := secure(files)
		o.Listeners[0].TLS.MinVersion = tt.min
		b, _ := builder(t)
		state, err := shake(t, config(t, b, o), &tls.Config{
			RootCAs: a.pool(), ServerName: "tocsin.example", MinVersion: tls.VersionTLS10, MaxVersion: tt.client,
		})
		if (err == nil) != tt.ok || err == nil && state.Version != tt.client {
			t.Errorf("least %s, client with %s: version %s, error %v", tls.VersionName(tt.min), tls.VersionName(tt.client), tls.VersionName(state.Version), err)
		}
	}
}

func TestCipherSuites(t *testing.T) {
	a := newAuthority(t, "ca")
	o := secure(newTLSFiles(t, a, "tocsin.example"))
	const name = "tls_ecdhe_ecdsa_with_aes_256_gcm_sha384"
	var err error
	if o.Listeners[0].TLS.CipherSuites, err = ParseCipherSuites([]string{name}); err != nil {
		t.Fatal(err)
	}
	b, _ := builder(t)
	cfg := config(t, b, o)
	client := &tls.Config{RootCAs: a.pool(), ServerName: "tocsin.example", MaxVersion: tls.VersionTLS12}
	if state, err := shake(t, cfg, client); err != nil || state.CipherSuite != tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 {
		t.Errorf("suite %s, error %v", tls.CipherSuiteName(state.CipherSuite), err)
	}
	client.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}
	if _, err := shake(t, cfg, client); err == nil {
		t.Error("a suite that is not in the list was agreed on")
	}
}

func TestParseCipherSuites(t *testing.T) {
	got, err := ParseCipherSuites([]string{"TLS_AES_128_GCM_SHA256", "0x1302", "49199"})
	want := []uint16{tls.TLS_AES_128_GCM_SHA256, tls.TLS_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %x, %v", got, err)
	}
	for name, message := range map[string]string{
		"TLS_RSA_WITH_RC4_128_SHA": "not secure", "nosuch": "no cipher suite", "0": "no cipher suite", "5": "no cipher suite",
	} {
		if _, err := ParseCipherSuites([]string{name}); err == nil || !strings.Contains(err.Error(), message) {
			t.Errorf("%s: %v, want %s", name, err, message)
		}
	}
}

func TestCertificateIsReplacedWithoutRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAuthority(t, "ca")
		files := newTLSFiles(t, a, "old.example")
		b, s := builder(t)
		cfg := config(t, b, secure(files))
		trusts := func(name string) error {
			_, err := shake(t, cfg, &tls.Config{RootCAs: a.pool(), ServerName: name})
			return err
		}
		if err := trusts("old.example"); err != nil {
			t.Fatal(err)
		}
		files.renew(t, a, "new.example")
		time.Sleep(fileAge)
		if err := trusts("new.example"); err != nil {
			t.Errorf("after the files were replaced: %v", err)
		}
		if n := s.log.count("TLS files are in use"); n != 1 {
			t.Errorf("the change was logged %d times", n)
		}
	})
}

// What an operator sees who copies half a certificate, then removes it, then
// mends it.
func TestBrokenCertificateLeavesTheOldOneInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAuthority(t, "ca")
		files := newTLSFiles(t, a, "tocsin.example")
		b, s := builder(t)
		cfg := config(t, b, secure(files))
		shakes := func() {
			t.Helper()
			time.Sleep(fileAge)
			if _, err := shake(t, cfg, &tls.Config{RootCAs: a.pool(), ServerName: "tocsin.example"}); err != nil {
				t.Error(err)
			}
		}
		good, err := os.ReadFile(files.cert)
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, files.cert, string(good[:len(good)/2]))
		shakes()
		shakes()
		if err := os.Remove(files.cert); err != nil {
			t.Fatal(err)
		}
		shakes()
		if n, logged := s.metric("tocsin_http_tls_file_errors_total"), s.log.count("level=ERROR"); n != 3 || logged != 2 {
			t.Errorf("%v errors counted, %d logged; want 3 and, as the second said nothing new, 2", n, logged)
		}
		writeFile(t, files.cert, string(good))
		shakes()
		if n := s.log.count("changed=false"); n != 1 {
			t.Errorf("that the old files are back was logged %d times", n)
		}
		if n := s.metric("tocsin_http_tls_file_errors_total"); n != 3 {
			t.Errorf("%v errors after the files were mended", n)
		}
	})
}

func TestExpiryOfTheCertificateIsAMetric(t *testing.T) {
	a := newAuthority(t, "ca")
	before := time.Now().Add(time.Hour)
	o := secure(newTLSFiles(t, a, "tocsin.example"))
	b, s := builder(t)
	config(t, b, o)
	got := time.Unix(int64(s.metric("tocsin_http_tls_certificate_expiry_timestamp_seconds")), 0)
	if got.Before(before.Truncate(time.Second)) || got.After(before.Add(time.Minute)) {
		t.Errorf("expires at %s, want %s", got, before)
	}
}

func TestUnusableFilesPreventTheStart(t *testing.T) {
	a := newAuthority(t, "ca")
	good, other := newTLSFiles(t, a, "a.example"), newTLSFiles(t, a, "b.example")
	empty := t.TempDir() + "/empty.pem"
	writeFile(t, empty, "")
	for name, o := range map[string]*TLS{
		"no certificate":           {CertFile: t.TempDir() + "/none", KeyFile: good.key},
		"no key":                   {CertFile: good.cert, KeyFile: t.TempDir() + "/none"},
		"the key of another":       {CertFile: good.cert, KeyFile: other.key},
		"an empty certificate":     {CertFile: empty, KeyFile: good.key},
		"authorities of nobody":    {CertFile: good.cert, KeyFile: good.key, ClientAuth: true, ClientCAFile: empty},
		"no file with authorities": {CertFile: good.cert, KeyFile: good.key, ClientAuth: true, ClientCAFile: t.TempDir() + "/none"},
	} {
		_, err := Open(Options{Listeners: []Listener{{Addr: "127.0.0.1:0", Flag: "-httpListenAddr (address 1)", TLS: o}}},
			hello, metrics.NewSet(), newLogBook().logger())
		if err == nil || !strings.HasPrefix(err.Error(), "-httpListenAddr (address 1): ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestClientsMustShowACertificate(t *testing.T) {
	a, stranger := newAuthority(t, "ca"), newAuthority(t, "stranger")
	files := newTLSFiles(t, a, "tocsin.example")
	o := secure(files)
	o.Listeners[0].TLS.ClientAuth, o.Listeners[0].TLS.ClientCAFile = true, files.ca
	s := serve(t, o, hello)
	client := func(certs ...tls.Certificate) *tls.Config {
		return &tls.Config{RootCAs: a.pool(), ServerName: "tocsin.example", Certificates: certs}
	}
	if _, body := s.mustGet(s.client(client(a.pair("grafana"))), 0); !strings.HasPrefix(body, "hello ") {
		t.Errorf("with a certificate: %q", body)
	}
	for name, cfg := range map[string]*tls.Config{
		"without a certificate": client(), "with that of a stranger": client(stranger.pair("grafana")),
	} {
		if _, body, err := s.get(s.client(cfg), 0); err == nil {
			t.Errorf("%s: %q", name, body)
		}
	}
	await(t, "both are counted", func() bool { return s.metric("tocsin_http_tls_handshake_errors_total") == 2 })
	if n := s.log.count("TLS handshake failed"); n != 1 {
		t.Errorf("logged %d times, want once a while", n)
	}
}

func TestClientAuthorityIsReplacedWithoutRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, next := newAuthority(t, "ca"), newAuthority(t, "next")
		files := newTLSFiles(t, a, "tocsin.example")
		o := secure(files)
		o.Listeners[0].TLS.ClientAuth, o.Listeners[0].TLS.ClientCAFile = true, files.ca
		b, _ := builder(t)
		cfg := config(t, b, o)
		// The same session cache throughout: a session must not outlive the trust in
		// the certificate it was opened with.
		cache := tls.NewLRUClientSessionCache(4)
		admits := func(a2 *authority) bool {
			_, err := shake(t, cfg, &tls.Config{
				RootCAs: a.pool(), ServerName: "tocsin.example", ClientSessionCache: cache,
				Certificates: []tls.Certificate{a2.pair("client")},
			})
			return err == nil
		}
		if !admits(a) || admits(next) {
			t.Fatal("the first authority is not the one that counts")
		}
		writeFile(t, files.ca, next.caPEM())
		time.Sleep(fileAge)
		if admits(a) || !admits(next) {
			t.Error("the new authority is not the one that counts")
		}
		writeFile(t, files.ca, "nothing")
		time.Sleep(fileAge)
		if admits(a) || !admits(next) {
			t.Error("a broken file changed who is admitted")
		}
	})
}

func TestEveryListenerHasItsOwnTLS(t *testing.T) {
	a := newAuthority(t, "ca")
	files := newTLSFiles(t, a, "tocsin.example")
	o := Options{Listeners: []Listener{
		{},
		{TLS: &TLS{CertFile: files.cert, KeyFile: files.key}},
		{TLS: &TLS{CertFile: files.cert, KeyFile: files.key, ClientAuth: true, ClientCAFile: files.ca}},
	}}
	s := serve(t, o, hello)
	c := s.client(&tls.Config{RootCAs: a.pool(), ServerName: "tocsin.example"})
	for i := range 2 {
		if _, body := s.mustGet(c, i); !strings.HasPrefix(body, "hello ") {
			t.Errorf("listener %d: %q", i+1, body)
		}
	}
	if _, _, err := s.get(c, 2); err == nil {
		t.Error("the third listener asks for no certificate")
	}
	resp, err := c.Get("http://" + s.addr(1))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 400 {
		t.Errorf("plain HTTP at a TLS listener: %d", resp.StatusCode)
	}
}

func TestOnlyHTTP1IsSpoken(t *testing.T) {
	a := newAuthority(t, "ca")
	b, _ := builder(t)
	state, err := shake(t, config(t, b, secure(newTLSFiles(t, a, "tocsin.example"))), &tls.Config{
		RootCAs: a.pool(), ServerName: "tocsin.example", NextProtos: []string{"h2", "http/1.1"},
	})
	if err != nil || state.NegotiatedProtocol != "http/1.1" {
		t.Errorf("agreed on %q, %v", state.NegotiatedProtocol, err)
	}
}

func TestErrorsOfFilesAreWrapped(t *testing.T) {
	b, _ := builder(t)
	_, err := b.config(&Listener{Flag: "-httpListenAddr", TLS: &TLS{CertFile: "/none/cert.pem", KeyFile: "/none/key.pem"}})
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "/none/cert.pem") {
		t.Errorf("got %v", err)
	}
}
