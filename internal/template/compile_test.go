package template

import (
	"context"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tocsin/config"
)

func TestCompileReportsEveryWrongTextAndGoesOn(t *testing.T) {
	e := load(t, nil)
	tmpl, err := e.CompileAnnotations([]config.Pair{
		{Name: "a", Value: `{{ unknown|query }}`},
		{Name: "b", Value: `value {{ $value }}`},
		{Name: "c", Value: "first line\n{{ }}"},
		{Name: "d", Value: `{{ $undefined }}`},
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		`annotation "a": template: annotation text:1: function "unknown" not defined`,
		`annotation "c": template: annotation text:2: missing value for command`,
		`annotation "d": template: annotation text:1: undefined variable "$undefined"`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not say %q", err, want)
		}
	}
	values, err := tmpl.Expand(context.Background(), alert())
	if values[1] != "value 11" || !strings.HasPrefix(values[0], `annotation "a": `) || !strings.Contains(values[2], "missing value") {
		t.Errorf("values %q, want the second expanded and the others their errors", values)
	}
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("expand: error %v, want three", err)
	}
}

func TestCompileDoesNotExecute(t *testing.T) {
	e := load(t, nil)
	for _, text := range []string{
		`{{ query "up" | first | value }}`, `{{ $labels.pod | parseDuration }}`, `{{ template "later" . }}`, `{{ $.labels.x }}`,
		`{{ index (query "up") 7 }}`,
	} {
		if _, err := e.CompileAnnotations([]config.Pair{{Name: "a", Value: text}}); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestErrorsGiveThePlaceInTheText(t *testing.T) {
	e := load(t, nil)
	for text, want := range map[string]string{
		`ab {{ $labels.job | humanize }} {{ $value }}`:     `annotation "summary": template: annotation text:1:20: executing`,
		"one\n{{ $value }} {{ $labels.job | humanize }}":   `annotation "summary": template: annotation text:2:30: executing`,
		`{{ .Nothing }} {{ $value }}{{ $labels.instance}}`: `annotation "summary": template: annotation text:1:3: executing`,
	} {
		if _, err := expand(t, e, alert(), text); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: error %v\nwant %s...", text, err, want)
		}
	}
}

func TestDefineInOneAnnotationIsUnknownToOthers(t *testing.T) {
	e := load(t, map[string]string{"base.tmpl": `{{ define "x" }}file{{ end }}`})
	tmpl, err := e.CompileAnnotations([]config.Pair{
		{Name: "a", Value: `{{ define "x" }}own{{ end }}{{ template "x" }}`},
		{Name: "b", Value: `{{ block "y" . }}block {{ .Value }}{{ end }}`},
		{Name: "c", Value: `{{ template "x" }}`},
		{Name: "d", Value: `{{ template "y" }}`},
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		values, err := tmpl.Expand(context.Background(), alert())
		if diff := cmp.Diff([]string{"own", "block 11", "file"}, values[:3]); diff != "" {
			t.Fatalf("values (-want +got):\n%s", diff)
		}
		if err == nil || !strings.Contains(values[3], `template "y" not defined`) {
			t.Fatalf("value %q, error %v; want the template undefined", values[3], err)
		}
	}
}

func TestTextThatOnlyDefinesIsEmpty(t *testing.T) {
	e := load(t, nil)
	for _, text := range []string{`{{ define "x" }}y{{ end }}`, `{{ define "annotation text" }}y{{ end }}`, `{{/* nothing */}}`} {
		if got := mustExpand(t, e, alert(), text); got != "" {
			t.Errorf("%s expands to %q, want nothing", text, got)
		}
	}
}

func TestConstantTextsKeepNothingParsed(t *testing.T) {
	e := load(t, nil)
	tmpl, err := e.CompileAnnotations([]config.Pair{
		{Name: "a", Value: "no action } at } all"},
		{Name: "b", Value: `see {{ $externalURL }} and {{ toUpper "x" }}`},
		{Name: "c", Value: `at {{ $externalLabels.site }}{{/* of course */}}`},
	})
	if err != nil {
		t.Fatal(err)
	}
	programs := tmpl.(*texts).programs
	if programs[0] != nil {
		t.Error("a constant text keeps a program")
	}
	if programs[1] == nil {
		t.Error("a text with a call keeps no program")
	}
	if ops := programs[2].ops; len(ops) != 1 || ops[0].text != "at north" {
		t.Errorf("a text without variable parts is %d operations, want its value", len(ops))
	}
}

func TestEqualTextsShareTheirProgramAsLongAsItIsUsed(t *testing.T) {
	e := load(t, nil)
	compile := func(name string) *program {
		tmpl, err := e.CompileAnnotations([]config.Pair{{Name: name, Value: "is {{ $value }}"}})
		if err != nil {
			t.Fatal(err)
		}
		return tmpl.(*texts).programs[0]
	}
	first, second := compile("a"), compile("b")
	if first != second {
		t.Error("two equal texts have two programs")
	}
	key := internKey{annotationText, "is {{ $value }}"}
	runtime.KeepAlive(first)
	first, second = nil, nil
	for range 100 {
		runtime.GC()
		e.programs.mu.Lock()
		_, held := e.programs.programs[key]
		e.programs.mu.Unlock()
		if !held {
			return
		}
		runtime.Gosched()
	}
	t.Error("the engine still knows a program that nobody uses")
}

func TestTextOfNoTexts(t *testing.T) {
	tmpl, err := load(t, nil).CompileLabels(nil)
	if err != nil {
		t.Fatal(err)
	}
	if values, err := tmpl.Expand(context.Background(), alert()); len(values) != 0 || err != nil {
		t.Errorf("expands to %q, %v", values, err)
	}
}

func TestTemplateThatCallsItselfIsRefused(t *testing.T) {
	e := load(t, map[string]string{"x.tmpl": `
		{{ define "a" }}{{ range .Labels }}{{ template "b" }}{{ end }}{{ end }}
		{{ define "b" }}{{ template "a" . }}{{ end }}
		{{ define "diamond" }}{{ template "leaf" }}{{ template "leaf" . }}{{ end }}
		{{ define "leaf" }}x{{ end }}
		{{ define "count" }}{{ if lt (len .) 5 }}{{ tmpl "count" (print . "x") }}{{ else }}{{ . }}{{ end }}{{ end }}`})
	for _, text := range []string{
		`{{ template "a" . }}`, `{{ tmpl "b" . }}`, `{{ tmpl $labels.job . }}`, `{{ define "c" }}{{ template "c" }}{{ end }}{{ template "c" }}`,
	} {
		if _, err := compileText(e.core, annotationText, text); err == nil || !strings.Contains(err.Error(), "calls itself") {
			t.Errorf("%s: error %v", text, err)
		}
	}
	for text, want := range map[string]string{`{{ template "diamond" }}`: "xx", `{{ tmpl "count" "x" }}`: "xxxxx"} {
		if got := mustExpand(t, e, alert(), text); got != want {
			t.Errorf("%s expands to %q, want %q", text, got, want)
		}
	}
}
