package notifiers

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tocsin/config"
	"tocsin/internal/httpx"
)

// clients returns the options towards the Alertmanagers of each block.
func clients(t testing.TB, text string) []httpx.ClientOptions {
	t.Helper()
	var list []httpx.ClientOptions
	for _, b := range mustLoad(t, text).Blocks {
		list = append(list, b.Alertmanager.Client)
	}
	return list
}

func TestEveryClientOptionIsTaken(t *testing.T) {
	got := clients(t, `
oauth2:
  client_id: id
  client_secret_file: secrets/s
  scopes: [a, b]
  token_url: https://tokens/
  endpoint_params: {audience: alerts}
  tls_config: {ca_file: ca, server_name: inner, min_version: TLS13}
  proxy_url: http://u:p@proxy:1
  headers: ['A: b']
tls_config:
  ca: CA
  cert: CERT
  key: KEY
  server_name: am
  insecure_skip_verify: true
  min_version: tls10
headers: ['X-Scope-OrgID: 7', 'Host: am']
proxy_url: socks5://proxy:2
proxy_basic_auth: {username: u, password_file: f}
follow_redirects: false
enable_http2: false
static_configs: [{targets: [a]}]
`)
	want := httpx.ClientOptions{
		OAuth2: httpx.OAuth2{
			ClientID: "id", ClientSecretFile: "secrets/s", Scopes: []string{"a", "b"}, TokenURL: "https://tokens/",
			EndpointParams: map[string]string{"audience": "alerts"},
			TLS:            &httpx.TLS{CAFile: "ca", ServerName: "inner", MinVersion: tls.VersionTLS13},
			ProxyURL:       "http://u:p@proxy:1", Headers: []string{"A: b"},
		},
		TLS: httpx.TLS{
			CA: "CA", Cert: "CERT", Key: "KEY", ServerName: "am", InsecureSkipVerify: true, MinVersion: tls.VersionTLS10,
		},
		Headers: []string{"X-Scope-OrgID: 7", "Host: am"},
		Routing: httpx.Routing{
			ProxyURL: "socks5://proxy:2", ProxyAuth: httpx.BasicAuth{Username: "u", PasswordFile: "f"}, NoRedirects: true,
		},
	}
	if diff := cmp.Diff(want, got[0]); diff != "" {
		t.Error(diff)
	}
}

func TestWaysToAuthenticate(t *testing.T) {
	for text, want := range map[string]httpx.ClientOptions{
		"basic_auth: {username: u, password: p}":           {BasicAuth: httpx.BasicAuth{Username: "u", Password: "p"}},
		"basic_auth: {username_file: u, password_file: p}": {BasicAuth: httpx.BasicAuth{UsernameFile: "u", PasswordFile: "p"}},
		"bearer_token: t":                 {BearerToken: "t"},
		"bearer_token_file: t":            {BearerTokenFile: "t"},
		"authorization: {credentials: c}": {Authorization: httpx.Authorization{Credentials: "c"}},
		"authorization: {type: Token, credentials_file: http://h/c}": {Authorization: httpx.Authorization{Type: "Token", CredentialsFile: "http://h/c"}},
		"oauth2: {client_id: i, client_secret: s, token_url: http://t/}": {OAuth2: httpx.OAuth2{
			ClientID: "i", ClientSecret: "s", TokenURL: "http://t/", TLS: &httpx.TLS{},
		}},
	} {
		for _, file := range []string{
			text + "\nstatic_configs: [{targets: [a]}]",
			"static_configs: [{targets: [a], " + text + "}]",
			"dns_sd_configs: [{names: [a], " + text + "}]",
			"file_sd_configs: [{files: [a.yml], " + text + "}]",
		} {
			if diff := cmp.Diff(want, clients(t, file)[0]); diff != "" {
				t.Errorf("%s\n%s", file, diff)
			}
		}
	}
}

func TestBlockTakesOverWhatItDoesNotSay(t *testing.T) {
	got := clients(t, `
basic_auth: {username: file, password: p}
tls_config: {ca_file: file, server_name: file}
headers: ['From: file']
proxy_url: http://file
follow_redirects: false
static_configs:
- targets: [inherits all]
- targets: [other credentials]
  bearer_token: block
- targets: [other TLS]
  tls_config: {ca_file: block}
- targets: [other headers]
  headers: ['By: block']
- targets: [no headers]
  headers: []
- targets: [other way]
  proxy_url: http://block
  follow_redirects: true
`)
	file := httpx.ClientOptions{
		BasicAuth: httpx.BasicAuth{Username: "file", Password: "p"},
		TLS:       httpx.TLS{CAFile: "file", ServerName: "file"},
		Headers:   []string{"From: file"},
		Routing:   httpx.Routing{ProxyURL: "http://file", NoRedirects: true},
	}
	but := func(change func(*httpx.ClientOptions)) httpx.ClientOptions {
		o := file
		change(&o)
		return o
	}
	want := []httpx.ClientOptions{
		file,
		but(func(o *httpx.ClientOptions) { o.BasicAuth = httpx.BasicAuth{}; o.BearerToken = "block" }),
		but(func(o *httpx.ClientOptions) { o.TLS = httpx.TLS{CAFile: "block"} }),
		but(func(o *httpx.ClientOptions) { o.Headers = []string{"By: block"} }),
		but(func(o *httpx.ClientOptions) { o.Headers = nil }),
		but(func(o *httpx.ClientOptions) { o.Routing = httpx.Routing{ProxyURL: "http://block"} }),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Credentials for Alertmanagers are none of Consul's business, and the other way
// round.
func TestServersOfDiscoveryHaveTheirOwnClients(t *testing.T) {
	c := mustLoad(t, `
basic_auth: {username: am, password: p}
tls_config: {insecure_skip_verify: true}
headers: ['For: am']
scheme: https
consul_sd_configs:
- bearer_token: consul
http_sd_configs:
- url: http://sd/
  authorization: {credentials: sd}
`)
	wantServers := []httpx.ClientOptions{{BearerToken: "consul"}, {Authorization: httpx.Authorization{Credentials: "sd"}}}
	for i, server := range []httpx.ClientOptions{c.Blocks[0].Consul.Client, c.Blocks[1].HTTP.Client} {
		if diff := cmp.Diff(wantServers[i], server); diff != "" {
			t.Error(diff)
		}
		a := c.Blocks[i].Alertmanager
		want := httpx.ClientOptions{
			BasicAuth: httpx.BasicAuth{Username: "am", Password: "p"},
			TLS:       httpx.TLS{InsecureSkipVerify: true}, Headers: []string{"For: am"},
		}
		if diff := cmp.Diff(want, a.Client); diff != "" || a.Scheme != "https" {
			t.Errorf("scheme %s\n%s", a.Scheme, diff)
		}
	}
}

// As in vmalert: what is the Alertmanagers' is relative to the working directory,
// what is a discovery's to the folder of the notifier file.
func TestRelativeNamesOfFiles(t *testing.T) {
	path := written(t, `
bearer_token_file: token
tls_config: {ca_file: ca, cert_file: /cert, key_file: key}
consul_sd_configs:
- basic_auth: {username_file: user, password_file: http://secrets/p}
  tls_config: {ca_file: ca, cert_file: /cert, key_file: key}
http_sd_configs:
- url: http://sd/
  oauth2: {client_id: i, client_secret_file: s, token_url: http://t/, tls_config: {ca_file: ca}}
file_sd_configs:
- files: [targets/*.yml, /abs/t.json]
`)
	c, err := Load(t.Context(), path, config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	in := func(name string) string { return filepath.Join(filepath.Dir(path), name) }
	am := c.Blocks[0].Alertmanager.Client
	if am.BearerTokenFile != "token" || am.TLS.CAFile != "ca" || am.TLS.CertFile != "/cert" || am.TLS.KeyFile != "key" {
		t.Errorf("%+v", am)
	}
	consul := c.Blocks[0].Consul.Client
	if consul.BasicAuth.UsernameFile != in("user") || consul.BasicAuth.PasswordFile != "http://secrets/p" {
		t.Errorf("%+v", consul.BasicAuth)
	}
	if consul.TLS.CAFile != in("ca") || consul.TLS.CertFile != "/cert" || consul.TLS.KeyFile != in("key") {
		t.Errorf("%+v", consul.TLS)
	}
	if diff := cmp.Diff([]string{in("targets/*.yml"), "/abs/t.json"}, c.Blocks[1].File.Patterns); diff != "" {
		t.Error(diff)
	}
	oauth2 := c.Blocks[2].HTTP.Client.OAuth2
	if oauth2.ClientSecretFile != in("s") || oauth2.TLS.CAFile != in("ca") {
		t.Errorf("%+v", oauth2)
	}
}

// vmalert reads authorization for Alertmanagers and never sends it.
func TestAuthorizationIsSent(t *testing.T) {
	var got http.Header
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header }))
	defer server.Close()
	credentials := filepath.Join(t.TempDir(), "credentials")
	if err := os.WriteFile(credentials, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"authorization: {credentials: abc}":                                   "Bearer abc",
		"authorization: {type: Token, credentials_file: " + credentials + "}": "Token " + secret,
		"basic_auth: {password: p}":                                           "Basic OnA=",
	} {
		o := clients(t, "static_configs: [{targets: [a], headers: ['X-Team: ops'], "+text+"}]")[0]
		transport, err := o.RoundTripper(nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := (&http.Client{Transport: transport}).Post(server.URL, "application/json", strings.NewReader("[]"))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		transport.Close()
		if got.Get("Authorization") != want || got.Get("X-Team") != "ops" {
			t.Errorf("%s: sent %v", text, got)
		}
	}
}
