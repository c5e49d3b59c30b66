package httpx

import (
	"crypto/tls"
	"testing"
)

func TestTLSVersionsByName(t *testing.T) {
	for name, want := range map[string]uint16{
		"": 0, "TLS10": tls.VersionTLS10, "tls11": tls.VersionTLS11, "Tls12": tls.VersionTLS12, "TLS13": tls.VersionTLS13,
	} {
		if got, err := ParseTLSVersion(name); err != nil || got != want {
			t.Errorf("%q is %#x, %v", name, got, err)
		}
	}
	for _, name := range []string{"TLS14", "1.2", "VersionTLS12", " TLS12", "SSL30"} {
		if got, err := ParseTLSVersion(name); err == nil {
			t.Errorf("%q is %#x", name, got)
		}
	}
}
