package httpserver

import (
	"crypto/tls"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/crypto/acme"
)

// withIssuer are options of a listener whose certificates come from a new issuer.
func withIssuer(t *testing.T, cache string, s **served) (Options, *issuer) {
	t.Helper()
	i := newIssuerServer(t, func() string { return (*s).addr(0) })
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return Options{
		Listeners: []Listener{{TLS: &TLS{CertFile: "/not/used", KeyFile: "/not/used"}}},
		Autocert: Autocert{
			Hosts: []string{"alerts.example", "www.alerts.example"}, Email: "ops@alerts.example", CacheDir: cache,
			DirectoryURL: i.server.URL + "/directory", Client: &http.Client{Transport: transport},
		},
	}, i
}

func TestCertificateIsObtained(t *testing.T) {
	var s *served
	cache := t.TempDir()
	o, i := withIssuer(t, cache, &s)
	s = serve(t, o, hello)
	c := s.client(&tls.Config{RootCAs: i.pool(), ServerName: "alerts.example"})
	if _, body := s.mustGet(c, 0); !strings.HasPrefix(body, "hello ") {
		t.Errorf("got %q", body)
	}
	s.mustGet(s.client(&tls.Config{RootCAs: i.pool(), ServerName: "alerts.example"}), 0)
	if got := i.orders(); got != "alerts.example" {
		t.Errorf("orders for %q, want one", got)
	}

	// After a restart there is nothing to order.
	o.Listeners[0].Addr = ""
	again := serve(t, o, hello)
	s = again
	again.mustGet(again.client(&tls.Config{RootCAs: i.pool(), ServerName: "alerts.example"}), 0)
	if got := i.orders(); got != "alerts.example" {
		t.Errorf("after a restart: orders for %q, want one", got)
	}
}

func TestNothingIsObtainedForOtherHosts(t *testing.T) {
	var s *served
	o, i := withIssuer(t, "", &s)
	s = serve(t, o, hello)
	for _, name := range []string{"other.example", "example", ""} {
		if _, _, err := s.get(s.client(&tls.Config{RootCAs: i.pool(), ServerName: name}), 0); err == nil {
			t.Errorf("%q: there is a certificate", name)
		}
	}
	if got := i.orders(); got != "" {
		t.Errorf("orders for %q", got)
	}
}

// The authority has no certificate to show when it looks whether we are the host.
func TestCertificateIsObtainedWhereClientsMustShowTheirs(t *testing.T) {
	a := newAuthority(t, "clients")
	files := newTLSFiles(t, a, "unused.example")
	var s *served
	o, i := withIssuer(t, "", &s)
	o.Listeners[0].TLS.ClientAuth, o.Listeners[0].TLS.ClientCAFile = true, files.ca
	s = serve(t, o, hello)
	cfg := func(protos []string, certs ...tls.Certificate) *tls.Config {
		return &tls.Config{RootCAs: i.pool(), ServerName: "alerts.example", Certificates: certs, NextProtos: protos}
	}
	if _, body := s.mustGet(s.client(cfg(nil, a.pair("grafana"))), 0); !strings.HasPrefix(body, "hello ") {
		t.Errorf("with a certificate: %q", body)
	}
	if _, body, err := s.get(s.client(cfg(nil)), 0); err == nil {
		t.Errorf("without a certificate: %q", body)
	}
	// Whoever pretends to be the authority gets no answer to a request.
	for _, protos := range [][]string{{acme.ALPNProto}, {acme.ALPNProto, "http/1.1"}} {
		c := tls.Client(s.dial(), cfg(protos))
		_, _ = c.Write([]byte(getRequest))
		if n, err := c.Read(make([]byte, 1)); n > 0 || err == nil {
			t.Errorf("%q without a certificate: answered", protos)
		}
	}
}
