package httpx

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"sync"
)

// roundTripper is a transport that keeps connections.
type roundTripper interface {
	http.RoundTripper
	CloseIdleConnections()
}

// transportSource says which transport the next request goes through; ctx is that
// of the request.
type transportSource interface {
	transport(ctx context.Context) (roundTripper, error)
	CloseIdleConnections()
}

// fixedTransport is a transport without files behind it.
type fixedTransport struct{ roundTripper }

func (t fixedTransport) transport(context.Context) (roundTripper, error) { return t.roundTripper, nil }

// fileTransport keeps the transport that belongs to the present content of the
// TLS files. A change makes a new transport, as connections made with the old
// certificates must not serve further requests.
type fileTransport struct {
	options       TLS
	build         func(*tls.Config) roundTripper
	ca, cert, key *file

	mu      sync.Mutex // guards the fields below
	texts   tlsTexts   // what current was built from
	current roundTripper
}

// tlsTexts is the content of the TLS files.
type tlsTexts struct{ ca, cert, key string }

// newTransportSource builds the first transport, so that unusable files show at once.
func newTransportSource(o TLS, build func(*tls.Config) roundTripper) (transportSource, error) {
	if o.CAFile == "" && o.CertFile == "" && o.KeyFile == "" {
		texts := tlsTexts{o.CA, o.Cert, string(o.Key)}
		cfg, err := texts.config(o)
		if err != nil {
			return nil, err
		}
		return fixedTransport{build(cfg)}, nil
	}
	t := &fileTransport{
		options: o, build: build,
		ca: newFile(o.CAFile), cert: newFile(o.CertFile), key: newFile(o.KeyFile),
	}
	if _, err := t.transport(context.Background()); err != nil {
		return nil, err
	}
	return t, nil
}

// check finds what is wrong whatever the files hold.
func (o *TLS) check() error {
	switch {
	case o.CA != "" && o.CAFile != "":
		return errors.New("TLS CA is given as text and as a file")
	case o.Cert != "" && o.CertFile != "":
		return errors.New("TLS certificate is given as text and as a file")
	case o.Key != "" && o.KeyFile != "":
		return errors.New("TLS key is given as text and as a file")
	case (o.Cert+o.CertFile == "") != (o.Key == "" && o.KeyFile == ""):
		return errors.New("TLS certificate and key must be given together")
	case o.MinVersion != 0 && (o.MinVersion < tls.VersionTLS10 || o.MinVersion > tls.VersionTLS13):
		return errors.New("TLS minimum version is not one from 1.0 to 1.3")
	}
	return nil
}

func (o *TLS) config() *tls.Config {
	return &tls.Config{
		MinVersion:         cmp.Or(o.MinVersion, tls.VersionTLS12),
		ServerName:         o.ServerName,
		InsecureSkipVerify: o.InsecureSkipVerify,
	}
}

func (t *fileTransport) transport(ctx context.Context) (roundTripper, error) {
	texts, err := t.read(ctx)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.current != nil && texts == t.texts {
		return t.current, nil
	}
	cfg, err := texts.config(t.options)
	if err != nil {
		return nil, err
	}
	if t.current != nil {
		t.current.CloseIdleConnections()
	}
	t.texts, t.current = texts, t.build(cfg)
	return t.current, nil
}

func (t *fileTransport) read(ctx context.Context) (texts tlsTexts, err error) {
	if texts.ca, err = textOf(ctx, t.ca, t.options.CA); err != nil {
		return texts, fmt.Errorf("TLS CA: %w", err)
	}
	if texts.cert, err = textOf(ctx, t.cert, t.options.Cert); err != nil {
		return texts, fmt.Errorf("TLS certificate: %w", err)
	}
	if texts.key, err = textOf(ctx, t.key, string(t.options.Key)); err != nil {
		return texts, fmt.Errorf("TLS key: %w", err)
	}
	return texts, nil
}

func (x *tlsTexts) config(o TLS) (*tls.Config, error) {
	cfg := o.config()
	if x.ca != "" {
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM([]byte(x.ca)) {
			return nil, fmt.Errorf("TLS CA: no certificate in %s", placeOf(o.CAFile))
		}
	}
	if x.cert != "" {
		pair, err := tls.X509KeyPair([]byte(x.cert), []byte(x.key))
		if err != nil {
			return nil, fmt.Errorf("TLS certificate in %s with key in %s: %w", placeOf(o.CertFile), placeOf(o.KeyFile), err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	return cfg, nil
}

// placeOf says where a text comes from: a file, if it is named, or the options.
func placeOf(path string) string {
	switch {
	case path == "":
		return "the text given"
	case isAddress(path):
		return RedactURL(path)
	}
	return path
}

func (t *fileTransport) CloseIdleConnections() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.current != nil {
		t.current.CloseIdleConnections()
	}
}
