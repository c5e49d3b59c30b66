package template

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tocsin/config"
)

func TestTemplatesOfFilesWorkEverywhere(t *testing.T) {
	e := load(t, map[string]string{"a.tmpl": `{{ define "link" }}{{ externalURL }}/d/{{ .Labels.job }}?{{ pathPrefix }}{{ end }}`})
	want := "see https://alerts.example.com/tocsin/d/node?/tocsin"
	for _, text := range []string{`see {{ template "link" . }}`, `see {{ tmpl "link" . }}`} {
		if got := mustExpand(t, e, alert(), text); got != want {
			t.Errorf("%s expands to %q, want %q", text, got, want)
		}
	}
	values, err := mustCompileLabels(t, e, `see {{ template "link" . }}`).Expand(t.Context(), alert())
	if err != nil || values[0] != want {
		t.Errorf("label expands to %q, %v; want %q", values, err, want)
	}
	s, err := e.CompileSource(`{{ template "link" . }}`)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.URL(t.Context(), alert()); err != nil || got != e.core.externalURL+"/"+want[4:] {
		t.Errorf("source is %q, %v", got, err)
	}
}

func TestFileIsATemplateByItsName(t *testing.T) {
	e := load(t, map[string]string{"whole.tmpl": `whole {{ .Value }}`})
	if got := mustExpand(t, e, alert(), `{{ template "whole.tmpl" . }}`); got != "whole 11" {
		t.Errorf("expands to %q", got)
	}
}

func TestLaterFileWins(t *testing.T) {
	e := load(t, map[string]string{
		"1.tmpl": `{{ define "x" }}first{{ end }}{{ define "y" }}kept{{ end }}`,
		"2.tmpl": `{{ define "x" }}second{{ end }}{{ define "y" }}{{ end }}`,
	})
	if got := mustExpand(t, e, alert(), `{{ template "x" }} {{ template "y" }}`); got != "second kept" {
		t.Errorf("expands to %q", got)
	}
}

func TestWrongFilesAreAllReportedWithTheirLines(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.tmpl"), filepath.Join(dir, "b.tmpl")
	write(t, a, "{{ define \"x\" }}\n{{ nothing }}{{ end }}")
	write(t, b, "\n\n{{ define \"x\" }}{{ $value }}{{ end }}")
	_, err := Load(Options{Files: []string{filepath.Join(dir, "*.tmpl")}})
	if err == nil {
		t.Fatal("no error")
	}
	want := a + ":2: function \"nothing\" not defined\n" + b + ":3: undefined variable \"$value\""
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
}

func TestPatternsReachIntoDirectoriesAndReadAFileOnce(t *testing.T) {
	dir := t.TempDir()
	deep := filepath.Join(t.TempDir(), "deep.tmpl")
	write(t, filepath.Join(dir, "top.tmpl"), `{{ define "top" }}top{{ end }}`)
	write(t, deep, `{{ define "deep" }}deep{{ end }}`)
	e, err := Load(Options{Files: []string{
		filepath.Join(dir, "**", "*.tmpl"), filepath.Join(dir, "top.tmpl"), deep, filepath.Join(dir, "none-*.tmpl"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	if got := mustExpand(t, e, alert(), `{{ template "top" }} {{ template "deep" }}`); got != "top deep" {
		t.Errorf("expands to %q", got)
	}
	if diff := cmp.Diff([]string{filepath.Join(dir, "none-*.tmpl")}, e.Unmatched()); diff != "" {
		t.Errorf("unmatched (-want +got):\n%s", diff)
	}
}

func TestFileTooLargeIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "large.tmpl")
	write(t, path, strings.Repeat("x", 11))
	if _, err := Load(Options{Files: []string{path}, MaxFileSize: 10}); err == nil || !strings.Contains(err.Error(), "larger than 10 bytes") {
		t.Errorf("error %v", err)
	}
	if _, err := Load(Options{Files: []string{path}, MaxFileSize: 11}); err != nil {
		t.Errorf("a file of the largest size: %v", err)
	}
}

func TestBadPatternIsRefused(t *testing.T) {
	if _, err := Load(Options{Files: []string{"a[b"}}); err == nil || !strings.Contains(err.Error(), `"a[b"`) {
		t.Errorf("error %v", err)
	}
}

func TestBadExternalURLIsNotShown(t *testing.T) {
	_, err := Load(Options{ExternalURL: "http://user:hunter2@host:port"})
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("error %v", err)
	}
}

func TestEqualEnginesExpandAlike(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.tmpl")
	write(t, path, "one")
	base := Options{Files: []string{path}, ExternalURL: "http://a", ExternalLabels: []config.Pair{{Name: "a", Value: "b"}}}
	first := loadOptions(t, base)
	if first.Digest() != loadOptions(t, base).Digest() {
		t.Error("engines of the same files differ")
	}
	other := base
	other.ExternalURL = "http://b"
	if first.Digest() == loadOptions(t, other).Digest() {
		t.Error("the external URL does not count")
	}
	other = base
	other.ExternalLabels = []config.Pair{{Name: "a", Value: "c"}}
	if first.Digest() == loadOptions(t, other).Digest() {
		t.Error("the external labels do not count")
	}
	write(t, path, "two")
	if first.Digest() == loadOptions(t, base).Digest() {
		t.Error("the text of a file does not count")
	}
}

func loadOptions(t *testing.T, o Options) *Engine {
	t.Helper()
	e, err := Load(o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}
