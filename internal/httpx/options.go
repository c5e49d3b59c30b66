// Package httpx turns client options (TLS, authentication, headers, connection
// reuse) into an http.RoundTripper, once for every endpoint tocsin talks to, and
// keeps secrets out of what is printed.
package httpx

import (
	"log/slog"
	"time"
)

// ClientOptions is the connection part of one endpoint's configuration. At most
// one of BasicAuth, Authorization, bearer token and OAuth2 may be given.
type ClientOptions struct {
	// MetricsPrefix names the connection metrics: "vmalert_datasource" makes
	// vmalert_datasource_conns and its siblings.
	MetricsPrefix string

	BasicAuth BasicAuth
	// BearerToken and BearerTokenFile set "Authorization: Bearer ..."; the file is
	// read again when it changes.
	BearerToken     Secret
	BearerTokenFile string
	Authorization   Authorization
	OAuth2          OAuth2
	TLS             TLS
	// Headers are "Name: value" and are added to requests which lack them.
	Headers []string
	Routing Routing
	Lookup  Lookup

	// ManySmall makes plain HTTP requests cheap where there are many small ones.
	// Responses are not decompressed then.
	ManySmall bool

	DisableKeepAlive   bool
	IdleConnTimeout    time.Duration
	MaxIdleConnections int // per host
}

// BasicAuth is a user with a password; the files, if named, win and are read
// again when they change.
type BasicAuth struct {
	Username     string
	UsernameFile string
	Password     Secret
	PasswordFile string
}

// Authorization is an Authorization header of any type. The file, if named, is
// read again when it changes.
type Authorization struct {
	Type            string // "" is Bearer
	Credentials     Secret
	CredentialsFile string
}

// Routing says which way requests go.
type Routing struct {
	// ProxyURL is an http, https, socks5 or socks5h proxy for every request, user
	// and password included. "" leaves it to the environment variables.
	ProxyURL Secret
	// ProxyAuth is the user for ProxyURL, instead of one in it.
	ProxyAuth BasicAuth
	// NoRedirects makes a request that follows a redirect fail.
	NoRedirects bool
}

// Lookup says how the names of hosts become addresses.
type Lookup struct {
	// IPv4Only leaves out what addresses of IPv6 a name has. One that is written in a
	// URL is used all the same.
	IPv4Only bool
	// Resolver looks up the names of balanced hosts, dns+name and srv+name; nil asks
	// the name servers of the system.
	Resolver Resolver
	Log      *slog.Logger // of look-ups for balanced hosts; nil logs nothing
}

// OAuth2 is the client-credentials grant.
type OAuth2 struct {
	ClientID         string
	ClientSecret     Secret
	ClientSecretFile string
	Scopes           []string
	TokenURL         string
	EndpointParams   map[string]string

	// TLS and ProxyURL are of the way to TokenURL. Without either it is that of the
	// endpoint.
	TLS      *TLS
	ProxyURL Secret
	// Headers are "Name: value" and go to TokenURL only.
	Headers []string
}

// TLS is the client side of TLS. CA, Cert and Key are PEM; each may be named as a
// file instead, which is read again when it changes.
type TLS struct {
	CA                 string
	CAFile             string
	Cert               string
	CertFile           string
	Key                Secret
	KeyFile            string
	ServerName         string
	InsecureSkipVerify bool
	MinVersion         uint16 // such as tls.VersionTLS13; 0 is TLS 1.2
}
