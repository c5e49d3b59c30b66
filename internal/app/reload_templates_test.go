package app

import (
	"path/filepath"
	"strings"
	"testing"
)

// Templates that a reload brings know where tocsin is, as those before them did.
func TestReloadedTemplatesKnowTheExternalURL(t *testing.T) {
	w := newWorld(t)
	w.answer("down", map[string]string{"host": "db1"})
	dir := files(t, map[string]string{
		"a.tmpl":    `{{ define "where" }}{{ externalURL }}{{ end }}`,
		"rules.yml": strings.Replace(oneAlert, "is down", `{{ template \"where\" }}`, 1),
	})
	o := withAlertmanager(options(w, filepath.Join(dir, "rules.yml")), w)
	o.Rules.Templates = []string{filepath.Join(dir, "*.tmpl")}
	o.External.URL = "https://alerts.example.com/tocsin"
	d := start(t, o)
	summary := func() string { return w.awaitAlert(t, "Down").Annotations["summary"] }
	if got, want := summary(), "db1 https://alerts.example.com/tocsin"; got != want {
		t.Fatalf("summary is %q, want %q", got, want)
	}
	write(t, filepath.Join(dir, "a.tmpl"), `{{ define "where" }}at {{ externalURL }} below {{ pathPrefix }}{{ end }}`)
	d.post()
	await(t, "the new text is told", func() bool {
		return summary() == "db1 at https://alerts.example.com/tocsin below /tocsin"
	})
}
