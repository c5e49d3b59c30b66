package notifiers

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/config"
	"tocsin/internal/httpx"
)

func TestConsulWithDefaults(t *testing.T) {
	want := &Consul{
		URL: "http://localhost:8500", Query: ConsulQuery{AllowStale: true}, TagSeparator: ",",
	}
	if diff := cmp.Diff(want, only(t, "consul_sd_configs: [{}]").Consul); diff != "" {
		t.Error(diff)
	}
}

func TestEveryConsulOptionIsTaken(t *testing.T) {
	got := only(t, `
consul_sd_configs:
- server: consul:8500
  path_prefix: /gate/way/
  scheme: https
  datacenter: dc
  namespace: ns
  partition: p
  token: secret
  services: [alertmanager, am]
  tags: [prod, eu]
  node_meta: {rack: '7', az: a}
  tag_separator: ''
  allow_stale: false
  filter: 'ServiceTags contains "x"'
  health_filter: 'Service.Port == 9093'
  refresh_interval: 1m
  headers: ['A: b']
`).Consul
	want := &Consul{
		URL:    "https://consul:8500/gate/way",
		Client: httpx.ClientOptions{BearerToken: "secret", Headers: []string{"A: b"}},
		Query: ConsulQuery{
			Datacenter: "dc", Namespace: "ns", Partition: "p",
			Services: []string{"alertmanager", "am"}, Tags: []string{"prod", "eu"},
			NodeMeta: []config.Pair{{Name: "az", Value: "a"}, {Name: "rack", Value: "7"}},
			Filter:   `ServiceTags contains "x"`, HealthFilter: "Service.Port == 9093",
		},
		Refresh: time.Minute,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAddressOfConsul(t *testing.T) {
	for text, want := range map[string]string{
		"server: h":            "http://h",
		"server: https://h:1/": "https://h:1",
		"server: h:1, tls_config: {server_name: x}":        "https://h:1",
		"server: h:1, scheme: http, tls_config: {}":        "http://h:1",
		"server: http://h:1/a, path_prefix: b":             "http://h:1/a/b",
		"server: http://h:1, tls_config: {ca: x, key: ''}": "http://h:1",
	} {
		if got := only(t, "consul_sd_configs: [{"+text+"}]").Consul.URL; got != want {
			t.Errorf("%s: %s", text, got)
		}
	}
}

func TestCredentialsForConsul(t *testing.T) {
	environment := map[string]string{}
	env := func(name string) (string, bool) { v, ok := environment[name]; return v, ok }
	check := func(name, text string, want httpx.ClientOptions) {
		t.Helper()
		c, err := Load(t.Context(), written(t, "consul_sd_configs: [{"+text+"}]"), config.Options{Env: env})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if diff := cmp.Diff(want, c.Blocks[0].Consul.Client); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
	basic := httpx.BasicAuth{Username: "u", Password: "p"}
	check("none", "", httpx.ClientOptions{})
	check("user", "username: u, password: p", httpx.ClientOptions{BasicAuth: basic})
	check("user and token", "username: u, password: p, token: t, headers: ['A: b']",
		httpx.ClientOptions{BasicAuth: basic, Headers: []string{"X-Consul-Token: t", "A: b"}})

	environment["CONSUL_HTTP_TOKEN"] = "env"
	check("token of the environment", "", httpx.ClientOptions{BearerToken: "env"})
	check("token of the file instead", "token: t", httpx.ClientOptions{BearerToken: "t"})
	check("no token at all", "token: ''", httpx.ClientOptions{})
	check("other credentials instead", "basic_auth: {username: u, password: p}", httpx.ClientOptions{BasicAuth: basic})
	environment["CONSUL_HTTP_TOKEN_FILE"] = "/token"
	check("token file of the environment", "", httpx.ClientOptions{BearerTokenFile: "/token"})
}

func TestNamespaceOfConsulFromTheEnvironment(t *testing.T) {
	env := func(name string) (string, bool) { return "env", name == "CONSUL_NAMESPACE" }
	c, err := Load(t.Context(), written(t, "consul_sd_configs: [{}, {namespace: own}]"), config.Options{Env: env})
	if err != nil {
		t.Fatal(err)
	}
	if a, b := c.Blocks[0].Consul.Query.Namespace, c.Blocks[1].Consul.Query.Namespace; a != "env" || b != "own" {
		t.Errorf("%q, %q", a, b)
	}
}

func TestDNSRecords(t *testing.T) {
	for text, want := range map[string]DNS{
		"":                                 {Type: SRV},
		"type: srv, port: 9093":            {Type: SRV, Port: 9093},
		"type: a, port: 9093":              {Type: A, Port: 9093},
		"type: AAAA, port: 9093":           {Type: AAAA, Port: 9093},
		"type: MX":                         {Type: MX, Port: 25},
		"type: MX, port: 1":                {Type: MX, Port: 1},
		"refresh_interval: 90s, type: SRV": {Type: SRV, Refresh: 90 * time.Second},
	} {
		want.Names = []string{"one.example", "two.example"}
		got := only(t, "dns_sd_configs: [{names: [one.example, two.example], "+text+"}]").DNS
		if diff := cmp.Diff(&want, got); diff != "" {
			t.Errorf("%s:\n%s", text, diff)
		}
	}
}

func TestHTTPAndFileDiscovery(t *testing.T) {
	c := mustLoad(t, `
http_sd_configs: [{url: 'https://sd/am?team=ops', refresh_interval: 2m}]
file_sd_configs: [{files: [/a/*.json, /b.yaml], refresh_interval: 10}]
`)
	if diff := cmp.Diff(&File{Patterns: []string{"/a/*.json", "/b.yaml"}, Refresh: 10 * time.Second}, c.Blocks[0].File); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(&HTTP{URL: "https://sd/am?team=ops", Refresh: 2 * time.Minute}, c.Blocks[1].HTTP); diff != "" {
		t.Error(diff)
	}
}
