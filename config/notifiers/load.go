package notifiers

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tocsin/config"
	"tocsin/internal/relabel"
)

const (
	defaultScheme  = "http"
	defaultTimeout = 10 * time.Second
)

// Load reads the notifier file at a path or an http(s) URL. Of o it uses MaxSize,
// Timeout, Transport and Env. An error is config.Problems, all there are, or that
// of ctx.
func Load(ctx context.Context, path string, o config.Options) (*Config, error) {
	doc, err := config.LoadDocument(ctx, path, o)
	if err != nil {
		return nil, err
	}
	r := reader{doc: doc, env: o.Env, folder: folderOf(path)}
	if root := doc.Root(); root != nil {
		r.file(root)
	}
	if problems := doc.Problems(); len(problems) > 0 {
		return nil, problems
	}
	r.config.Fingerprint = doc.Hash
	return &r.config, nil
}

// folderOf returns the folder against which some relative names in the file are
// resolved. What comes from a URL has the working directory.
func folderOf(path string) string {
	if strings.HasPrefix(path, "http://") || strings.HasPrefix(path, "https://") {
		return ""
	}
	return filepath.Dir(path)
}

// reader makes a Config of a document.
type reader struct {
	doc    *config.Document
	env    func(string) (string, bool) // nil: no variables
	folder string

	config Config
	base   Alertmanager     // what blocks go on from
	rules  []relabel.Config // over targets, of the whole file
}

// foreignKeys returns keys of other programs, and those of vmalert that are not
// taken, with what to use instead.
func foreignKeys() map[string]string {
	hints := map[string]string{
		"alerting":              "its alertmanagers are the blocks of this file",
		"alertmanagers":         "its entries are the blocks of this file",
		"api_version":           "version 2 is spoken; remove it",
		"global":                "the keys of a global section are at the top here",
		"kubernetes_sd_configs": "use dns_sd_configs with the name of a headless service",
		"refresh_interval":      "it belongs into the block of a discovery",
	}
	for _, key := range []string{
		"proxy_authorization", "proxy_bearer_token", "proxy_bearer_token_file",
		"proxy_headers", "proxy_oauth2", "proxy_tls_config",
	} {
		hints[key] = "proxies are known by proxy_basic_auth only"
	}
	return hints
}

func (r *reader) file(m *config.Mapping) {
	r.base = Alertmanager{Scheme: defaultScheme, Timeout: defaultTimeout}
	r.base = r.alertmanager(m)
	r.rules = relabelConfigs(m, "relabel_configs")
	r.config.AlertRelabel = compile(relabelConfigs(m, "alert_relabel_configs"))
	for _, kind := range []struct {
		key  string
		read func(*config.Mapping) Block
	}{
		{"static_configs", r.static},
		{"consul_sd_configs", r.consul},
		{"dns_sd_configs", r.dns},
		{"file_sd_configs", r.files},
		{"http_sd_configs", r.http},
	} {
		for _, inner := range m.Mappings(kind.key) {
			r.config.Blocks = append(r.config.Blocks, r.block(inner, kind.read))
		}
	}
	m.Done(foreignKeys())
}

// block reads what blocks of all kinds have, and by read what one of its kind has.
func (r *reader) block(m *config.Mapping, read func(*config.Mapping) Block) Block {
	b := read(m)
	b.Line = m.Line()
	own := relabelConfigs(m, "relabel_configs")
	b.Relabel = compile(slices.Concat(r.rules, own))
	b.AlertRelabel = compile(relabelConfigs(m, "alert_relabel_configs"))
	m.Done(foreignKeys())
	return b
}

// alertmanager reads how Alertmanagers are spoken to, as far as m says otherwise
// than what applies already.
func (r *reader) alertmanager(m *config.Mapping) Alertmanager {
	a := r.base
	switch scheme := m.Text("scheme"); scheme {
	case "":
	case "http", "https":
		a.Scheme = scheme
	default:
		m.Problem(m.LineOf("scheme"), "scheme must be http or https")
	}
	if prefix := m.OptionalText("path_prefix"); prefix != nil {
		a.PathPrefix = *prefix
	}
	switch timeout := m.Duration("timeout").Duration; {
	case timeout > 0:
		a.Timeout = timeout
	case timeout < 0:
		m.Problem(m.LineOf("timeout"), "timeout must not be negative")
	}
	// Names of files are resolved by the program's working directory: so vmalert
	// does for whatever is of the Alertmanagers.
	a.Client = (&client{m: m}).read(r.base.Client)
	return a
}

// compile returns rules of which each is known to be good.
func compile(rules []relabel.Config) *relabel.Rules {
	compiled, err := relabel.Compile(rules)
	if err != nil {
		panic("notifiers: internal error: " + err.Error())
	}
	return compiled
}
