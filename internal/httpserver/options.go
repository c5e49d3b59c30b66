package httpserver

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Options is what a Server is made of. All addresses have in common what is not
// part of a Listener.
type Options struct {
	Listeners []Listener
	// IPv6 has addresses without a host, and names, listen by both protocols;
	// otherwise they listen by IPv4 alone.
	IPv6     bool
	Autocert Autocert
	Headers  Headers

	// ConnTimeout is how long a connection is used: an answer after that time
	// closes it. Up to a tenth is added at random, so that connections made
	// together do not end together. 0 is without end.
	ConnTimeout      time.Duration
	IdleConnTimeout  time.Duration // 0 is without end
	DisableKeepAlive bool
	// MaxGracefulShutdown is how long requests may go on once Shutdown is called.
	MaxGracefulShutdown time.Duration
}

// Listener is one address to serve at.
type Listener struct {
	Addr string // host:port, or :port for all addresses of the machine
	Flag string // how errors call what gave the address

	// ProxyProtocol has each connection begin with a header of that protocol,
	// version 1 or 2; those without are refused.
	ProxyProtocol bool
	TLS           *TLS // nil serves plain HTTP
}

// scheme is the one under which clients reach the address.
func (l *Listener) scheme() string {
	if l.TLS != nil {
		return "https"
	}
	return "http"
}

// TLS is the server side of TLS. The files are read again when they change.
type TLS struct {
	CertFile, KeyFile string // not used with Autocert
	MinVersion        uint16 // as in crypto/tls; 0 is its default, TLS 1.2
	CipherSuites      []uint16
	ClientAuth        bool   // clients must show a certificate
	ClientCAFile      string // whose; "" are the authorities the system trusts
}

// Autocert is how certificates are obtained from an ACME authority.
type Autocert struct {
	Hosts    []string // none turns it off
	Email    string   // for the authority, in case of problems
	CacheDir string   // keeps certificates over restarts; "" does not
	// DirectoryURL is the authority; "" is Let's Encrypt.
	DirectoryURL string
	// Client asks the authority; nil is http.DefaultClient.
	Client *http.Client
}

func (a *Autocert) enabled() bool { return len(a.Hosts) > 0 }

// Headers are those of every answer. "" leaves one to the handler.
type Headers struct {
	HSTS         string // Strict-Transport-Security
	FrameOptions string // X-Frame-Options
	CSP          string // Content-Security-Policy
	Hostname     string // X-Server-Hostname
}

// ParseCipherSuites returns the cipher suites of the given names, such as
// TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, in any case, or numbers. Those that
// crypto/tls holds to be insecure are refused.
func ParseCipherSuites(names []string) ([]uint16, error) {
	var ids []uint16
	for _, name := range names {
		id, err := parseCipherSuite(name)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

func parseCipherSuite(name string) (uint16, error) {
	number, numberErr := strconv.ParseUint(name, 0, 16)
	for _, suite := range tls.CipherSuites() {
		if strings.EqualFold(suite.Name, name) || numberErr == nil && suite.ID == uint16(number) {
			return suite.ID, nil
		}
	}
	for _, suite := range tls.InsecureCipherSuites() {
		if strings.EqualFold(suite.Name, name) {
			return 0, fmt.Errorf("the cipher suite %q is not secure", name)
		}
	}
	return 0, fmt.Errorf("there is no cipher suite %q", name)
}
