package notifiers

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/labels"

	"tocsin/config"
	"tocsin/internal/httpx"
	"tocsin/internal/relabel"
)

// secret is what must never show.
const secret = "hunter2"

// written puts text into a file and returns its name.
func written(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notifiers.yml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func mustLoad(t testing.TB, text string) *Config {
	t.Helper()
	c, err := Load(t.Context(), written(t, text), config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// only returns the only block of a file.
func only(t testing.TB, text string) *Block {
	t.Helper()
	c := mustLoad(t, text)
	if len(c.Blocks) != 1 {
		t.Fatalf("%d blocks", len(c.Blocks))
	}
	return &c.Blocks[0]
}

// relabeled returns what rules make of labels given as names and values.
func relabeled(r *relabel.Rules, pairs ...string) string {
	out, kept := r.Apply(labels.FromStrings(pairs...))
	if !kept {
		return "dropped"
	}
	return out.String()
}

func TestStaticTargetsWithDefaults(t *testing.T) {
	got := only(t, "static_configs:\n- targets: [am-1:9093, 'https://am-2/prefix']\n")
	want := &Block{
		Kind: StaticKind, Line: 2,
		Static:       &Static{Targets: []string{"am-1:9093", "https://am-2/prefix"}},
		Alertmanager: Alertmanager{Scheme: "http", Timeout: 10 * time.Second},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if path := got.Alertmanager.AlertsPath(); path != "/api/v2/alerts" {
		t.Error(path)
	}
}

func TestBlocksComeByKindAndInOrder(t *testing.T) {
	c := mustLoad(t, `
http_sd_configs: [{url: 'http://sd/'}]
file_sd_configs: [{files: [a.json]}]
dns_sd_configs: [{names: [am.example]}]
consul_sd_configs: [{server: 'one:8500'}, {server: 'two:8500'}]
static_configs: [{targets: [a]}]
`)
	var got []string
	for _, b := range c.Blocks {
		got = append(got, string(b.Kind))
	}
	if want := "static consulSD consulSD DNSSD fileSD httpSD"; strings.Join(got, " ") != want {
		t.Error(got)
	}
	if c.Blocks[1].Consul.URL != "http://one:8500" || c.Blocks[2].Consul.URL != "http://two:8500" {
		t.Error("the Consul servers are not in order")
	}
}

func TestBlockSaysOtherwiseThanTheFile(t *testing.T) {
	c := mustLoad(t, `
scheme: https
path_prefix: /am
timeout: 5s
static_configs:
- targets: [a]
- targets: [b]
  scheme: http
  path_prefix: ""
  timeout: 1m
`)
	if a := c.Blocks[0].Alertmanager; a.Scheme != "https" || a.AlertsPath() != "/am/api/v2/alerts" || a.Timeout != 5*time.Second {
		t.Errorf("%+v", a)
	}
	if b := c.Blocks[1].Alertmanager; b.Scheme != "http" || b.AlertsPath() != "/api/v2/alerts" || b.Timeout != time.Minute {
		t.Errorf("%+v", b)
	}
}

func TestTimeoutOfNothingIsTheDefault(t *testing.T) {
	for _, text := range []string{"timeout: 0s\n", "timeout: 0\n", "timeout:\n", ""} {
		if b := only(t, text+"static_configs: [{targets: [a]}]"); b.Alertmanager.Timeout != 10*time.Second {
			t.Errorf("%q: %s", text, b.Alertmanager.Timeout)
		}
	}
}

func TestRelabelingOfTargetsIsTheFilesThenTheBlocks(t *testing.T) {
	c := mustLoad(t, `
relabel_configs:
- {target_label: a, replacement: file}
- {target_label: b, replacement: file}
static_configs:
- targets: [x]
  labels: {team: ops, dc: eu}
  relabel_configs:
  - {target_label: b, replacement: block}
- targets: [y]
`)
	if got := relabeled(c.Blocks[0].Relabel, "x", "y"); got != `{a="file", b="block", x="y"}` {
		t.Error(got)
	}
	if got := relabeled(c.Blocks[1].Relabel, "x", "y"); got != `{a="file", b="file", x="y"}` {
		t.Error(got)
	}
	if diff := cmp.Diff([]config.Pair{{Name: "dc", Value: "eu"}, {Name: "team", Value: "ops"}}, c.Blocks[0].Static.Labels); diff != "" {
		t.Error(diff)
	}
}

func TestRelabelingOfAlertsIsPerFileAndPerBlock(t *testing.T) {
	c := mustLoad(t, `
alert_relabel_configs:
- {action: labeldrop, regex: replica}
static_configs:
- targets: [a]
  alert_relabel_configs:
  - {action: keep, source_labels: [env], regex: prod}
- targets: [b]
dns_sd_configs:
- names: [c]
  alert_relabel_configs:
  - {action: drop, if: ['{env="prod"}', '{env="test"}']}
`)
	in := []string{"env", "prod", "replica", "1"}
	if got := relabeled(c.AlertRelabel, in...); got != `{env="prod"}` {
		t.Error(got)
	}
	for i, want := range []string{`{env="prod", replica="1"}`, `{env="prod", replica="1"}`, "dropped"} {
		if got := relabeled(c.Blocks[i].AlertRelabel, in...); got != want {
			t.Errorf("block %d: %s", i, got)
		}
	}
	if c.Blocks[1].AlertRelabel != nil {
		t.Error("a block without rules has some")
	}
}

func TestRegexInSeveralLinesHasAlternatives(t *testing.T) {
	for _, regex := range []string{"'a|b|1'", "[a, b, 1]", "[a, [b, 1]]", "\n  - a\n  - b\n  - 1"} {
		b := only(t, "static_configs:\n- targets: [x]\n  alert_relabel_configs:\n  - action: drop\n    source_labels: [l]\n    regex: "+
			strings.ReplaceAll(regex, "\n", "\n    ")+"\n")
		for value, want := range map[string]string{"a": "dropped", "b": "dropped", "1": "dropped", "c": `{l="c"}`} {
			if got := relabeled(b.AlertRelabel, "l", value); got != want {
				t.Errorf("%s: %s becomes %s", regex, value, got)
			}
		}
	}
}

func TestAllKeysOfARelabelingRule(t *testing.T) {
	b := only(t, `
static_configs:
- targets: [x]
  alert_relabel_configs:
  - {action: hashmod, source_labels: [a, b], separator: '', modulus: 7, target_label: shard}
  - {action: graphite, match: 'cpu.*', labels: {host: $1}}
  - {action: replace, if: '{a="1"}', source_labels: [a], regex: (.), replacement: '<$1>', target_label: c}
`)
	if got := relabeled(b.AlertRelabel, "__name__", "cpu.web", "a", "1", "b", "2"); got != `{__name__="cpu.web", a="1", b="2", c="<1>", host="web", shard="4"}` {
		t.Error(got)
	}
}

func TestVariablesAreReplaced(t *testing.T) {
	path := written(t, "static_configs: [{targets: ['%{AM}', '%{UNSET}']}]")
	env := func(name string) (string, bool) { return "am:9093", name == "AM" }
	c, err := Load(t.Context(), path, config.Options{Env: env})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"am:9093", "%{UNSET}"}, c.Blocks[0].Static.Targets); diff != "" {
		t.Error(diff)
	}
}

func TestFingerprintTellsContentsApart(t *testing.T) {
	const text = "alert_relabel_configs: [{target_label: a, replacement: '%{V}'}]\nbasic_auth: {username: u, password: p}\n"
	load := func(text, v string) config.Hash {
		c, err := Load(t.Context(), written(t, text), config.Options{Env: func(string) (string, bool) { return v, true }})
		if err != nil {
			t.Fatal(err)
		}
		return c.Fingerprint
	}
	first := load(text, "1")
	if load(text, "1") != first {
		t.Error("the same file differs")
	}
	if load(text, "2") == first {
		t.Error("a changed variable makes no difference")
	}
	if load(strings.Replace(text, "password: p", "password: q", 1), "1") == first {
		t.Error("a changed password makes no difference")
	}
}

func TestFileAtAURL(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/good":
			_, _ = w.Write([]byte("static_configs: [{targets: [a]}]\nfile_sd_configs: [{files: [t.yml]}]\n"))
		case "/bad":
			_, _ = w.Write([]byte("unknown: 1\n"))
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	o := config.Options{Timeout: time.Minute, Transport: server.Client().Transport}
	c, err := Load(t.Context(), server.URL+"/good?key="+secret, o)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"t.yml"}, c.Blocks[1].File.Patterns); diff != "" {
		t.Error(diff)
	}
	for path, want := range map[string]string{
		"/bad":  server.URL + `/bad:1: unknown key "unknown"`,
		"/gone": server.URL + "/gone: the server answered 404 Not Found",
	} {
		if _, err := Load(t.Context(), server.URL+path+"?key="+secret, o); err == nil || err.Error() != want {
			t.Errorf("%s: %v", path, err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Load(ended, server.URL+"/good", o); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestVmalertsOwnShapesLoad(t *testing.T) {
	for name, text := range map[string]string{
		"everything at the top": "timeout: 5s\npath_prefix: x\nscheme: https\nbasic_auth: {username: u, password: p}\nheaders: ['A: b']\n",
		"null sections":         "basic_auth:\ntls_config:\nheaders:\nstatic_configs:\nrelabel_configs:\nalert_relabel_configs:\n",
		"an empty block":        "static_configs: [{}]",
		"a block of nothing":    "static_configs:\n-\n",
		"anchors":               "x-unused: &a\nstatic_configs: []\n",
	} {
		_, err := Load(t.Context(), written(t, text), config.Options{})
		if name == "anchors" {
			if err == nil || !strings.Contains(err.Error(), `unknown key "x-unused"`) {
				t.Errorf("%s: %v", name, err)
			}
		} else if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSecretsAreKept(t *testing.T) {
	b := only(t, "static_configs: [{targets: [a], basic_auth: {username: u, password: 12345}}]")
	if got := b.Alertmanager.Client.BasicAuth; got != (httpx.BasicAuth{Username: "u", Password: "12345"}) {
		t.Errorf("%+v with the password %q", got, string(got.Password))
	}
}
