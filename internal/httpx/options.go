// Package httpx turns client options (TLS, authentication, headers, connection
// reuse) into an http.RoundTripper, once for every endpoint tocsin talks to, and
// keeps secrets out of what is printed.
package httpx

import "time"

// ClientOptions is the connection part of one endpoint's flags. At most one of
// BasicAuth, bearer token and OAuth2 may be given.
type ClientOptions struct {
	// MetricsPrefix names the connection metrics: "vmalert_datasource" makes
	// vmalert_datasource_conns and its siblings.
	MetricsPrefix string

	BasicAuth BasicAuth
	// BearerToken and BearerTokenFile set "Authorization: Bearer ..."; the file is
	// read again when it changes.
	BearerToken     Secret
	BearerTokenFile string
	OAuth2          OAuth2
	TLS             TLS
	// Headers are "Name: value" and are added to requests which lack them.
	Headers []string

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

// OAuth2 is the client-credentials grant.
type OAuth2 struct {
	ClientID         string
	ClientSecret     Secret
	ClientSecretFile string
	Scopes           []string
	TokenURL         string
	EndpointParams   map[string]string
}

// TLS is the client side of TLS. The files are read again when they change.
type TLS struct {
	CAFile             string
	CertFile           string
	KeyFile            string
	ServerName         string
	InsecureSkipVerify bool
}
