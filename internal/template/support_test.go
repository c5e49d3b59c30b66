package template

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/config"
	"tocsin/rules"
)

// load returns an engine with an external URL, one external label and the given
// template files, by name.
func load(t testing.TB, files map[string]string) *Engine {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		write(t, filepath.Join(dir, name), text)
	}
	e, err := Load(Options{
		Files:          []string{filepath.Join(dir, "*")},
		ExternalURL:    "https://alerts.example.com/tocsin",
		ExternalLabels: []config.Pair{{Name: "site", Value: "north"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// alert returns what a template sees of an alert that fires with value 11.
func alert() *rules.TemplateData {
	return &rules.TemplateData{
		Labels: rules.TemplateLabels{
			Result: labels.FromStrings("__name__", "up", "instance", "db-1.example.com:9100", "job", "node", "severity", "page"),
			Alert:  labels.FromStrings("alertname", "Down", "instance", "db-1.example.com:9100", "job", "node", "severity", "warn", "team", "infra"),
			Added:  []config.Pair{{Name: "severity"}, {Name: "team"}},
		},
		Value:    11,
		Type:     config.Prometheus,
		Expr:     `up{job="node"} == 0`,
		Interval: time.Minute,
		For:      5 * time.Minute,
		ActiveAt: time.Date(2022, 1, 25, 12, 36, 43, 250e6, time.UTC),
		AlertID:  18446744073709551615,
		GroupID:  42,
	}
}

// expand returns the value of one annotation.
func expand(t testing.TB, e *Engine, d *rules.TemplateData, text string) (string, error) {
	t.Helper()
	tmpl, err := e.CompileAnnotations([]config.Pair{{Name: "summary", Value: text}})
	if err != nil {
		t.Fatalf("compile %q: %v", text, err)
	}
	values, err := tmpl.Expand(context.Background(), d)
	if len(values) != 1 {
		t.Fatalf("expand %q: %d values, want 1", text, len(values))
	}
	return values[0], err
}

// mustExpand fails the test when the annotation does.
func mustExpand(t testing.TB, e *Engine, d *rules.TemplateData, text string) string {
	t.Helper()
	s, err := expand(t, e, d, text)
	if err != nil {
		t.Fatalf("expand %q: %v", text, err)
	}
	return s
}

// expectBothWays checks that operations and text/template expand a text to want.
// It returns whether the text has operations.
func expectBothWays(t testing.TB, e *Engine, d *rules.TemplateData, text, want string) bool {
	t.Helper()
	prog, err := compileText(e.core, annotationText, text)
	if err != nil {
		t.Fatalf("compile %q: %v", text, err)
	}
	x, err := prog.execution(e.core)
	if err != nil {
		t.Fatalf("parse %q: %v", text, err)
	}
	slow, err := x.run(context.Background(), e.core, d, nil)
	if err != nil {
		t.Errorf("%q by text/template: %v", text, err)
	}
	if string(slow) != want {
		t.Errorf("%q by text/template:\n got %q\nwant %q", text, slow, want)
	}
	if !prog.fast {
		return false
	}
	m := takeMachine(e.core)
	defer m.release()
	if !m.run(prog, d) || string(m.out) != want {
		t.Errorf("%q by operations:\n got %q\nwant %q", text, m.out, want)
	}
	return true
}

// samples answers every query with two instances that are up.
func samples(context.Context, string) ([]rules.Sample, error) {
	return []rules.Sample{
		{Labels: labels.FromStrings("__name__", "up", "instance", "b"), V: 2, T: 1700000000000},
		{Labels: labels.FromStrings("__name__", "up", "instance", "a"), V: 1, T: 1700000000000},
	}, nil
}

// nothing answers every query with no series.
func nothing(context.Context, string) ([]rules.Sample, error) { return nil, nil }

// withJob returns labels with one of that name.
func withJob(v string) rules.TemplateLabels {
	return rules.TemplateLabels{Result: labels.FromStrings("job", v)}
}
