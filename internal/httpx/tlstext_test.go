package httpx

import (
	"crypto/tls"
	"strings"
	"testing"
)

func TestTLSGivenAsText(t *testing.T) {
	serverPair, own := newPair(t, "server"), newPair(t, "own")
	server := newTLSServer(t, serverPair)
	tr := mustTransport(t, ClientOptions{TLS: TLS{CA: serverPair.cert, Cert: own.cert, Key: Secret(own.key)}})
	defer tr.Close()
	if got, err := ask(t, tr, server.URL); err != nil || got != "own" {
		t.Errorf("client certificate %q, %v", got, err)
	}
}

func TestTLSTextBesideFiles(t *testing.T) {
	serverPair, own := newPair(t, "server"), newPair(t, "own")
	server := newTLSServer(t, serverPair)
	tr := mustTransport(t, ClientOptions{TLS: TLS{
		CA: serverPair.cert, Cert: own.cert, KeyFile: write(t, t.TempDir(), "key", own.key),
	}})
	defer tr.Close()
	if got, err := ask(t, tr, server.URL); err != nil || got != "own" {
		t.Errorf("client certificate %q, %v", got, err)
	}
}

func TestTLSTextThatIsNoPEM(t *testing.T) {
	p := newPair(t, "x")
	for want, o := range map[string]TLS{
		"TLS CA: no certificate in the text given":                              {CA: "hunter2"},
		"TLS certificate in the text given with key in the text given: ":        {Cert: p.cert, Key: "hunter2"},
		"TLS certificate in the text given with key in the text given: tls: pr": {Cert: p.cert, Key: Secret(newPair(t, "y").key)},
	} {
		_, err := (ClientOptions{TLS: o}).RoundTripper(nil)
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestTLSMinimumVersion(t *testing.T) {
	p := newPair(t, "server")
	server := newTLSServer(t, p)
	server.TLS.MaxVersion = tls.VersionTLS12
	for version, ok := range map[uint16]bool{0: true, tls.VersionTLS10: true, tls.VersionTLS12: true, tls.VersionTLS13: false} {
		tr := mustTransport(t, ClientOptions{TLS: TLS{CA: p.cert, MinVersion: version}})
		if _, err := ask(t, tr, server.URL); (err == nil) != ok {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
		tr.Close()
	}
	old := newTLSServer(t, p)
	old.TLS.MinVersion, old.TLS.MaxVersion = tls.VersionTLS10, tls.VersionTLS10
	for version, ok := range map[uint16]bool{0: false, tls.VersionTLS10: true} {
		tr := mustTransport(t, ClientOptions{TLS: TLS{CA: p.cert, MinVersion: version}})
		if _, err := ask(t, tr, old.URL); (err == nil) != ok {
			t.Errorf("%s of an old server: %v", tls.VersionName(version), err)
		}
		tr.Close()
	}
}
