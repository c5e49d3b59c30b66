package notifiers

import (
	"strings"

	"tocsin/config"
	"tocsin/internal/httpx"
)

const (
	consulServer       = "localhost:8500"
	consulTagSeparator = ","
)

func (r *reader) consul(m *config.Mapping) Block {
	c := &Consul{
		Query: ConsulQuery{
			Datacenter: m.Text("datacenter"), Namespace: m.Text("namespace"), Partition: m.Text("partition"),
			Services: m.Texts("services"), Tags: m.Texts("tags"), NodeMeta: m.Pairs("node_meta"),
			Filter: m.Text("filter"), HealthFilter: m.Text("health_filter"),
			AllowStale: m.Bool("allow_stale", true),
		},
		Client:       r.consulClient(m),
		URL:          consulURL(m),
		TagSeparator: consulTagSeparator,
		Refresh:      refresh(m),
	}
	if separator := m.OptionalText("tag_separator"); separator != nil {
		c.TagSeparator = *separator
	}
	if c.Query.Namespace == "" {
		c.Query.Namespace = r.variable("CONSUL_NAMESPACE")
	}
	return Block{Kind: ConsulKind, Consul: c, Alertmanager: r.base}
}

// consulURL returns the address of the server. One with a certificate to check is
// spoken to by https unless the file says otherwise.
func consulURL(m *config.Mapping) string {
	server, scheme, prefix := m.Text("server"), m.Text("scheme"), strings.Trim(m.Text("path_prefix"), "/")
	if server == "" {
		server = consulServer
	}
	if scheme == "" {
		scheme = "http"
		if m.Has("tls_config") {
			scheme = "https"
		}
	}
	address := server
	if !strings.Contains(server, "://") {
		address = scheme + "://" + server
	}
	address = strings.TrimRight(address, "/")
	if prefix != "" {
		address += "/" + prefix
	}
	if _, err := httpx.ParseURL(address); err != nil {
		m.Problem(m.LineOf("server"), "server: "+err.Error())
	}
	return address
}

// consulClient reads the options of the client of the server, its token included.
func (r *reader) consulClient(m *config.Mapping) httpx.ClientOptions {
	c := &client{m: m, folder: r.folder}
	o := c.read(httpx.ClientOptions{})
	user, password := m.Text("username"), m.Text("password")
	named := user != "" || password != ""
	if named && c.hasAuth() {
		c.problem(m.LineOf("username"), "username excludes other ways to authenticate")
		return o
	}
	if named {
		o.BasicAuth = httpx.BasicAuth{Username: user, Password: httpx.Secret(password)}
		c.check("username", httpx.ClientOptions{BasicAuth: o.BasicAuth})
	}
	return r.withToken(c, o, named || c.hasAuth())
}

// withToken adds the token for Consul: as a bearer token, as vmalert does, or beside
// other credentials in the header that Consul has for it. That of the environment
// is for files which have no credentials.
func (r *reader) withToken(c *client, o httpx.ClientOptions, others bool) httpx.ClientOptions {
	token := c.m.Text("token")
	switch {
	case token != "" && o.BearerToken+httpx.Secret(o.BearerTokenFile) != "":
		c.problem(c.m.LineOf("token"), "token excludes a bearer token")
	case token != "" && others:
		o.Headers = append([]string{"X-Consul-Token: " + token}, o.Headers...)
		c.check("token", httpx.ClientOptions{Headers: o.Headers})
	case token != "":
		o.BearerToken = httpx.Secret(token)
	case others || c.m.Has("token"):
	case r.variable("CONSUL_HTTP_TOKEN_FILE") != "":
		o.BearerTokenFile = r.variable("CONSUL_HTTP_TOKEN_FILE")
	default:
		o.BearerToken = httpx.Secret(r.variable("CONSUL_HTTP_TOKEN"))
	}
	return o
}

// variable returns "" for an environment variable that is not set.
func (r *reader) variable(name string) string {
	if r.env == nil {
		return ""
	}
	value, _ := r.env(name)
	return value
}
