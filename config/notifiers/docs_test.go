package notifiers

import (
	"os"
	"strings"
	"testing"

	"tocsin/config"
	"tocsin/internal/httpx"
)

// example returns the file shown in the docs.
func example(t testing.TB) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/notifiers.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(page), "```yaml\n")
	text, _, found := strings.Cut(after, "```")
	if !found {
		t.Fatal("docs/notifiers.md shows no file")
	}
	return text
}

func TestExampleOfTheDocs(t *testing.T) {
	env := func(name string) (string, bool) { return "audit", name == "AUDIT_TOKEN" }
	c, err := Load(t.Context(), written(t, example(t)), config.Options{Env: env})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Blocks) != 6 {
		t.Fatalf("%d blocks", len(c.Blocks))
	}
	if got := relabeled(c.AlertRelabel, "alertname", "a", "replica", "1"); got != `{alertname="a"}` {
		t.Error(got)
	}
	if got := relabeled(c.Blocks[1].AlertRelabel, "severity", "info"); got != "dropped" {
		t.Error(got)
	}
	if got := relabeled(c.Blocks[2].Relabel, "__meta_consul_tags", ",a,tls,"); !strings.Contains(got, `__scheme__="https"`) {
		t.Error(got)
	}
	if o := c.Blocks[1].Alertmanager.Client; o.BearerToken != "audit" || o.BasicAuth != (httpx.BasicAuth{}) {
		t.Errorf("%+v", o)
	}
}

// Each key of the file stands in the docs.
func TestDocsNameEveryKey(t *testing.T) {
	page, err := os.ReadFile("../../docs/notifiers.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range strings.Fields(`
		scheme path_prefix timeout relabel_configs alert_relabel_configs targets labels server token username
		password datacenter namespace partition services tags node_meta filter health_filter tag_separator allow_stale
		names type port files url refresh_interval basic_auth username_file password_file authorization credentials
		credentials_file bearer_token bearer_token_file oauth2 client_id client_secret client_secret_file scopes
		token_url endpoint_params tls_config ca ca_file cert cert_file key key_file server_name insecure_skip_verify
		min_version headers proxy_url proxy_basic_auth follow_redirects source_labels separator target_label regex modulus replacement
		if match labels`) {
		if !strings.Contains(string(page), "`"+key+"`") {
			t.Errorf("%s is not in docs/notifiers.md", key)
		}
	}
}
