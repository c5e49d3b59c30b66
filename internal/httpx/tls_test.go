package httpx

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// pair is a self-signed certificate that can serve, be a client's and be a CA.
type pair struct{ cert, key string }

func newPair(t *testing.T, name string) pair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pair{
		cert: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		key:  string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})),
	}
}

// newTLSServer answers with the name of the client's certificate.
func newTLSServer(t *testing.T, p pair) *httptest.Server {
	t.Helper()
	cert, err := tls.X509KeyPair([]byte(p.cert), []byte(p.key))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, c := range r.TLS.PeerCertificates {
			_, _ = io.WriteString(w, c.Subject.CommonName)
		}
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequestClientCert}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

// ask returns the body of the answer.
func ask(t *testing.T, tr *Transport, rawURL string) (string, error) {
	t.Helper()
	resp, err := tr.RoundTrip(newRequest(t, rawURL))
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

// forget makes the files be read again at the next request.
func forget(tr *Transport) {
	source := tr.base.(*fileTransport)
	for _, f := range []*file{source.ca, source.cert, source.key} {
		if f != nil {
			f.readAt = time.Time{}
		}
	}
}

func TestTLSFilesAreReadAgain(t *testing.T) {
	serverPair, one, two := newPair(t, "server"), newPair(t, "one"), newPair(t, "two")
	server := newTLSServer(t, serverPair)
	dir := t.TempDir()
	tr := mustTransport(t, ClientOptions{TLS: TLS{
		CAFile:   write(t, dir, "ca", serverPair.cert),
		CertFile: write(t, dir, "cert", one.cert),
		KeyFile:  write(t, dir, "key", one.key),
	}})
	defer tr.Close()
	want := func(want string) {
		t.Helper()
		if got, err := ask(t, tr, server.URL); err != nil || got != want {
			t.Errorf("client certificate %q, %v; want %q", got, err, want)
		}
	}
	want("one")

	write(t, dir, "cert", two.cert)
	forget(tr)
	if _, err := ask(t, tr, server.URL); err == nil {
		t.Error("a certificate is used with another one's key")
	}
	write(t, dir, "key", two.key)
	forget(tr)
	want("two")

	write(t, dir, "ca", one.cert)
	forget(tr)
	if _, err := ask(t, tr, server.URL); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("server is trusted under the new CA: %v", err)
	}
}

func TestUnchangedTLSFilesKeepConnections(t *testing.T) {
	p := newPair(t, "server")
	server := newTLSServer(t, p)
	tr := mustTransport(t, ClientOptions{TLS: TLS{CAFile: write(t, t.TempDir(), "ca", p.cert)}})
	defer tr.Close()
	before, _ := tr.base.transport(t.Context())
	forget(tr)
	if _, err := ask(t, tr, server.URL); err != nil {
		t.Fatal(err)
	}
	if after, _ := tr.base.transport(t.Context()); after != before {
		t.Error("the same files made another transport")
	}
}

func TestTLSServerName(t *testing.T) {
	p := newPair(t, "inner.example")
	server := newTLSServer(t, p)
	ca := write(t, t.TempDir(), "ca", p.cert)
	for name, ok := range map[string]bool{"inner.example": true, "other.example": false} {
		tr := mustTransport(t, ClientOptions{TLS: TLS{CAFile: ca, ServerName: name}})
		if _, err := ask(t, tr, server.URL); (err == nil) != ok {
			t.Errorf("server name %s: %v", name, err)
		}
		tr.Close()
	}
}

func TestTLSInsecureSkipVerify(t *testing.T) {
	server := newTLSServer(t, newPair(t, "server"))
	for _, skip := range []bool{true, false} {
		tr := mustTransport(t, ClientOptions{TLS: TLS{InsecureSkipVerify: skip}})
		if _, err := ask(t, tr, server.URL); (err == nil) != skip {
			t.Errorf("skip %v: %v", skip, err)
		}
		tr.Close()
	}
}

func TestTLSAppliesWhenHTTPRedirectsToHTTPS(t *testing.T) {
	p := newPair(t, "server")
	secure := newTLSServer(t, p)
	plain := httptest.NewServer(http.RedirectHandler(secure.URL, http.StatusTemporaryRedirect))
	defer plain.Close()
	tr := mustTransport(t, ClientOptions{TLS: TLS{CAFile: write(t, t.TempDir(), "ca", p.cert)}})
	defer tr.Close()
	resp, err := (&http.Client{Transport: tr}).Get(plain.URL)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
}

func TestUnusableTLSFilesAreRefused(t *testing.T) {
	dir, p := t.TempDir(), newPair(t, "x")
	good, junk := write(t, dir, "cert", p.cert), write(t, dir, "junk", "junk")
	for name, o := range map[string]TLS{
		"CA missing":          {CAFile: dir + "/missing"},
		"CA junk":             {CAFile: junk},
		"certificate alone":   {CertFile: good},
		"key alone":           {KeyFile: good},
		"key does not belong": {CertFile: good, KeyFile: junk},
	} {
		if _, err := (ClientOptions{TLS: o}).RoundTripper(nil); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
