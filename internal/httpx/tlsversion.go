package httpx

import (
	"crypto/tls"
	"fmt"
	"strings"
)

// ParseTLSVersion returns the version that s names: TLS10, TLS11, TLS12 or TLS13,
// in any case. "" is 0.
func ParseTLSVersion(s string) (uint16, error) {
	switch strings.ToUpper(s) {
	case "":
		return 0, nil
	case "TLS10":
		return tls.VersionTLS10, nil
	case "TLS11":
		return tls.VersionTLS11, nil
	case "TLS12":
		return tls.VersionTLS12, nil
	case "TLS13":
		return tls.VersionTLS13, nil
	}
	return 0, fmt.Errorf("%q is neither TLS10, TLS11, TLS12 nor TLS13", s)
}
