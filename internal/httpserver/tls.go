package httpserver

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"slices"

	"github.com/VictoriaMetrics/metrics"
	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"

	"tocsin/rules"
)

// tlsBuilder makes the TLS configurations of the addresses.
type tlsBuilder struct {
	issuer  *autocert.Manager // nil without Autocert
	metrics *metrics.Set
	report  *reporter
}

// config returns the configuration of an address; nil if it is plain HTTP. The
// files it names must be usable.
func (b *tlsBuilder) config(l *Listener) (*tls.Config, error) {
	if l.TLS == nil {
		return nil, nil
	}
	cfg := &tls.Config{
		MinVersion:   l.TLS.MinVersion,
		CipherSuites: l.TLS.CipherSuites,
		NextProtos:   []string{"http/1.1"},
	}
	if err := b.addCertificate(cfg, l); err != nil {
		return nil, fmt.Errorf("%s: %w", l.Flag, err)
	}
	if err := b.addClientAuth(cfg, l); err != nil {
		return nil, fmt.Errorf("%s: %w", l.Flag, err)
	}
	return cfg, nil
}

func (b *tlsBuilder) addCertificate(cfg *tls.Config, l *Listener) error {
	if b.issuer != nil {
		cfg.GetCertificate = b.issuer.GetCertificate
		cfg.NextProtos = append(cfg.NextProtos, acme.ALPNProto)
		return nil
	}
	pair, err := load("certificate of "+l.Addr, b.report, func(texts []string) (*tls.Certificate, error) {
		c, err := tls.X509KeyPair([]byte(texts[0]), []byte(texts[1]))
		if err != nil {
			return nil, fmt.Errorf("use %s with the key %s: %w", l.TLS.CertFile, l.TLS.KeyFile, err)
		}
		return &c, nil
	}, l.TLS.CertFile, l.TLS.KeyFile)
	if err != nil {
		return err
	}
	cfg.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return pair.get(), nil }
	name := `tocsin_http_tls_certificate_expiry_timestamp_seconds{addr="` + rules.EscapeLabelValue(l.Addr) + `"}`
	b.metrics.GetOrCreateGauge(name, func() float64 { return float64(pair.get().Leaf.NotAfter.Unix()) })
	return nil
}

// addClientAuth has clients show a certificate.
func (b *tlsBuilder) addClientAuth(cfg *tls.Config, l *Listener) error {
	if !l.TLS.ClientAuth {
		return nil
	}
	open := cfg.Clone()
	open.NextProtos = []string{acme.ALPNProto}
	cfg.ClientAuth = tls.RequireAndVerifyClientCert
	// A session that is resumed would outlive the authority that vouched for it.
	cfg.SessionTicketsDisabled = true
	authorities := func() *x509.CertPool { return nil } // those of the system
	if l.TLS.ClientCAFile != "" {
		pool, err := load("client authorities of "+l.Addr, b.report, func(texts []string) (*x509.CertPool, error) {
			pool := x509.NewCertPool()
			if !pool.AppendCertsFromPEM([]byte(texts[0])) {
				return nil, fmt.Errorf("%s has no certificate", l.TLS.ClientCAFile)
			}
			return pool, nil
		}, l.TLS.ClientCAFile)
		if err != nil {
			return err
		}
		authorities = pool.get
	}
	closed := cfg.Clone()
	cfg.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if b.issuer != nil && slices.Equal(hello.SupportedProtos, []string{acme.ALPNProto}) {
			// The authority that is to issue our certificate, which has none of its own.
			// It gets no further than the handshake.
			return open, nil
		}
		now := closed.Clone()
		now.ClientCAs = authorities()
		return now, nil
	}
	return nil
}

// newIssuer returns what obtains certificates; nil if that is not asked for.
func newIssuer(a *Autocert) *autocert.Manager {
	if !a.enabled() {
		return nil
	}
	m := &autocert.Manager{
		Prompt:     autocert.AcceptTOS,
		HostPolicy: autocert.HostWhitelist(a.Hosts...),
		Email:      a.Email,
		Client:     &acme.Client{DirectoryURL: a.DirectoryURL, HTTPClient: a.Client, UserAgent: "tocsin"},
	}
	if a.DirectoryURL == "" {
		m.Client.DirectoryURL = autocert.DefaultACMEDirectory
	}
	if a.CacheDir != "" {
		m.Cache = autocert.DirCache(a.CacheDir)
	}
	return m
}
