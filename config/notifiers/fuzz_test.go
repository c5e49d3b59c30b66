package notifiers

import (
	"os"
	"testing"

	"tocsin/config"
)

// Whatever the bytes: either there are problems, each with a message, or blocks that
// can be used.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(example(f)))
	f.Add([]byte("oauth2: {client_id: i, client_secret: s, token_url: http://t/, tls_config: {min_version: TLS13}}"))
	f.Add([]byte("static_configs: &a\n- {targets: [x], labels: {a: b}}\ndns_sd_configs: [{names: [a], type: MX}]"))
	f.Add([]byte("<<: {a: 1}\nconsul_sd_configs: [{server: 'http://h', token: t, username: u}]"))
	f.Add([]byte("relabel_configs: [{if: [a, b], regex: [[c], d], action: graphite, match: a*, labels: {a: $1}}]"))
	path := f.TempDir() + "/notifiers.yml"
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Load(t.Context(), path, config.Options{})
		if err != nil {
			problems, ok := err.(config.Problems)
			if !ok || len(problems) == 0 || problems[0].Message == "" {
				t.Fatalf("%T: %v", err, err)
			}
			return
		}
		for _, b := range c.Blocks {
			if err := b.Alertmanager.Client.Validate(); err != nil {
				t.Fatalf("block at line %d: %v", b.Line, err)
			}
			if b.Line < 1 || b.Alertmanager.Timeout <= 0 || b.Alertmanager.AlertsPath()[0] != '/' {
				t.Fatalf("%+v", b)
			}
		}
	})
}
