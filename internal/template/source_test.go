package template

import (
	"strings"
	"testing"

	"tocsin/config"
	"tocsin/rules"
)

func TestSource(t *testing.T) {
	e := load(t, nil)
	for _, c := range []struct{ text, want string }{
		{`explore?left={"expr":{{ .Expr | jsonEscape | queryEscape }},"from":"{{ .ActiveAt.UnixMilli }}"}`,
			`explore?left={"expr":%22up%7Bjob%3D%5C%22node%5C%22%7D+%3D%3D+0%22,"from":"1643114203250"}`},
		{`{{ if eq .Type "vlogs" }}vlogs{{ else }}vm{{ end }}/vmui/#/?g0.expr={{ .Expr | queryEscape }}&j={{ $labels.job }}`,
			`vm/vmui/#/?g0.expr=up%7Bjob%3D%22node%22%7D+%3D%3D+0&j=node`},
		{`{{ (.ActiveAt.Add (parseDurationTime (printf "-%s" .Interval))).Unix }}`, "1643114143"},
		{`alert?id={{ $alertID }}&group={{ $groupID }}`, "alert?id=18446744073709551615&group=42"},
		{`constant`, "constant"},
	} {
		s, err := e.CompileSource(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		got, err := s.URL(t.Context(), alert())
		if want := "https://alerts.example.com/tocsin/" + c.want; got != want || err != nil {
			t.Errorf("%s:\n got %s, %v\nwant %s", c.text, got, err, want)
		}
	}
}

func TestSourceMayNotQuery(t *testing.T) {
	e := load(t, map[string]string{"q.tmpl": `{{ define "asks" }}{{ query "up" }}{{ end }}`})
	for _, text := range []string{`{{ query "up" | first | value }}`, `{{ template "asks" }}`} {
		if _, err := e.CompileSource(text); err == nil || !strings.Contains(err.Error(), "query cannot be used here") {
			t.Errorf("%s: error %v", text, err)
		}
	}
}

func TestSourceThatFailsLeavesTheExternalURL(t *testing.T) {
	e := load(t, nil)
	s, err := e.CompileSource(`x/{{ $labels.job | parseDuration }}`)
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.URL(t.Context(), alert())
	if got != "https://alerts.example.com/tocsin" || err == nil {
		t.Errorf("source is %q, error %v", got, err)
	}
	if got, err := s.URL(t.Context(), &rules.TemplateData{Labels: withJob("5m")}); got != "https://alerts.example.com/tocsin/x/300" || err != nil {
		t.Errorf("source is %q, error %v", got, err)
	}
}

func TestSourceThatDoesNotParse(t *testing.T) {
	if _, err := load(t, nil).CompileSource(`{{ .Expr | quotes }}`); err == nil || !strings.Contains(err.Error(), `function "quotes" not defined`) {
		t.Errorf("error %v", err)
	}
}

func mustCompileLabels(t *testing.T, e *Engine, text string) rules.Template {
	t.Helper()
	tmpl, err := e.CompileLabels([]config.Pair{{Name: "l", Value: text}})
	if err != nil {
		t.Fatal(err)
	}
	return tmpl
}
