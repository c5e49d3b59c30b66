package notifiers

import (
	"path/filepath"
	"strings"

	"tocsin/config"
	"tocsin/internal/httpx"
)

// client reads the options of one HTTP client.
type client struct {
	m      *config.Mapping
	folder string // against which names of files are resolved; "" is the working directory
	bad    bool   // a problem was found
}

// read returns the options: those of parent where m says nothing. A way to
// authenticate replaces every other one that parent has.
func (c *client) read(parent httpx.ClientOptions) httpx.ClientOptions {
	o := parent
	if own := c.auth(); c.hasAuth() {
		o.BasicAuth, o.Authorization, o.OAuth2 = own.BasicAuth, own.Authorization, own.OAuth2
		o.BearerToken, o.BearerTokenFile = own.BearerToken, own.BearerTokenFile
	}
	if t := c.tls("tls_config"); t != nil {
		o.TLS = *t
	}
	if headers := c.m.Texts("headers"); c.m.Has("headers") {
		o.Headers = headers
		c.check("headers", httpx.ClientOptions{Headers: headers})
	}
	o.Routing = c.routing(parent.Routing)
	return o
}

func (c *client) hasAuth() bool {
	for _, key := range []string{"basic_auth", "authorization", "bearer_token", "bearer_token_file", "oauth2"} {
		if c.m.Has(key) {
			return true
		}
	}
	return false
}

// auth reads the ways to authenticate, of which there can be one.
func (c *client) auth() httpx.ClientOptions {
	o := httpx.ClientOptions{
		BasicAuth:       c.basicAuth("basic_auth"),
		Authorization:   c.authorization(),
		BearerToken:     httpx.Secret(c.m.Text("bearer_token")),
		BearerTokenFile: c.path(c.m, "bearer_token_file"),
		OAuth2:          c.oauth2(),
	}
	c.exclusive(c.m, "bearer_token", "bearer_token_file")
	if !c.bad {
		c.check("", o)
	}
	return o
}

func (c *client) basicAuth(key string) httpx.BasicAuth {
	m := c.m.Mapping(key)
	if m == nil {
		return httpx.BasicAuth{}
	}
	b := httpx.BasicAuth{
		Username: m.Text("username"), UsernameFile: c.path(m, "username_file"),
		Password: httpx.Secret(m.Text("password")), PasswordFile: c.path(m, "password_file"),
	}
	c.exclusive(m, "username", "username_file")
	c.exclusive(m, "password", "password_file")
	m.Done(nil)
	if b == (httpx.BasicAuth{}) {
		c.problem(m.Line(), key+" is empty")
	}
	c.check(key, httpx.ClientOptions{BasicAuth: b})
	return b
}

func (c *client) authorization() httpx.Authorization {
	m := c.m.Mapping("authorization")
	if m == nil {
		return httpx.Authorization{}
	}
	a := httpx.Authorization{
		Type:            strings.TrimSpace(m.Text("type")),
		Credentials:     httpx.Secret(m.Text("credentials")),
		CredentialsFile: c.path(m, "credentials_file"),
	}
	m.Done(nil)
	if a == (httpx.Authorization{}) {
		c.problem(m.Line(), "authorization has no credentials")
	}
	c.check("authorization", httpx.ClientOptions{Authorization: a})
	return a
}

func (c *client) oauth2() httpx.OAuth2 {
	m := c.m.Mapping("oauth2")
	if m == nil {
		return httpx.OAuth2{}
	}
	o := httpx.OAuth2{
		ClientID:         m.Text("client_id"),
		ClientSecret:     httpx.Secret(m.Text("client_secret")),
		ClientSecretFile: c.path(m, "client_secret_file"),
		Scopes:           m.Texts("scopes"),
		TokenURL:         m.Text("token_url"),
		ProxyURL:         httpx.Secret(m.Text("proxy_url")),
		Headers:          m.Texts("headers"),
	}
	for _, p := range m.Pairs("endpoint_params") {
		if o.EndpointParams == nil {
			o.EndpointParams = map[string]string{}
		}
		o.EndpointParams[p.Name] = p.Value
	}
	inner := &client{m: m, folder: c.folder}
	// The server of tokens is another one, so that nothing of the Alertmanager's
	// TLS applies to it.
	if o.TLS = inner.tls("tls_config"); o.TLS == nil {
		o.TLS = &httpx.TLS{}
	}
	c.bad = c.bad || inner.bad
	c.exclusive(m, "client_secret", "client_secret_file")
	m.Done(nil)
	if o.TokenURL == "" {
		c.problem(m.Line(), "oauth2 has no token_url")
	} else if !c.bad {
		c.check("oauth2", httpx.ClientOptions{OAuth2: o})
	}
	return o
}

// tls returns nil when the key is not there.
func (c *client) tls(key string) *httpx.TLS {
	m := c.m.Mapping(key)
	if m == nil {
		return nil
	}
	t := &httpx.TLS{
		CA: m.Text("ca"), CAFile: c.path(m, "ca_file"),
		Cert: m.Text("cert"), CertFile: c.path(m, "cert_file"),
		Key: httpx.Secret(m.Text("key")), KeyFile: c.path(m, "key_file"),
		ServerName:         m.Text("server_name"),
		InsecureSkipVerify: m.Bool("insecure_skip_verify", false),
	}
	var err error
	if t.MinVersion, err = httpx.ParseTLSVersion(m.Text("min_version")); err != nil {
		c.problem(m.LineOf("min_version"), "min_version must be TLS10, TLS11, TLS12 or TLS13")
	}
	m.Done(nil)
	c.check(key, httpx.ClientOptions{TLS: *t})
	return t
}

func (c *client) routing(r httpx.Routing) httpx.Routing {
	user := c.basicAuth("proxy_basic_auth")
	if proxy := c.m.Text("proxy_url"); proxy != "" {
		r.ProxyURL, r.ProxyAuth = httpx.Secret(proxy), httpx.BasicAuth{}
		c.check("proxy_url", httpx.ClientOptions{Routing: r})
	}
	if user != (httpx.BasicAuth{}) {
		r.ProxyAuth = user
		if r.ProxyURL == "" {
			c.check("proxy_basic_auth", httpx.ClientOptions{Routing: r})
		}
	}
	r.NoRedirects = !c.m.Bool("follow_redirects", !r.NoRedirects)
	if c.m.Bool("enable_http2", false) {
		c.problem(c.m.LineOf("enable_http2"), "enable_http2: only HTTP/1.1 is spoken")
	}
	return r
}

// path returns the name of a file, resolved.
func (c *client) path(m *config.Mapping, key string) string {
	path := m.Text(key)
	if path == "" || c.folder == "" || filepath.IsAbs(path) ||
		strings.HasPrefix(path, "http://") || strings.HasPrefix(path, "https://") {
		return path
	}
	return filepath.Join(c.folder, path)
}

func (c *client) exclusive(m *config.Mapping, one, other string) {
	if m.Has(one) && m.Has(other) {
		c.problem(m.LineOf(other), one+" and "+other+" exclude one another")
	}
}

// check makes a problem of options that cannot be used, at the line of the key that
// they are of, "" being that of the block.
func (c *client) check(key string, o httpx.ClientOptions) {
	if err := o.Validate(); err != nil {
		c.problem(c.m.LineOf(key), err.Error())
	}
}

func (c *client) problem(line int, message string) {
	c.bad = true
	c.m.Problem(line, message)
}
