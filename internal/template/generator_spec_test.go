package template

import (
	"testing"

	"tocsin/config"
	"tocsin/rules"
)

// expandEverywhere returns what a text comes to as a label and as an annotation.
func expandEverywhere(t *testing.T, d *rules.TemplateData, text string) (label, annotation string) {
	t.Helper()
	e := load(t, nil)
	annotations, err := e.CompileAnnotations([]config.Pair{{Name: "a", Value: text}})
	if err != nil {
		t.Fatal(err)
	}
	var values [2]string
	for i, tmpl := range []rules.Template{mustCompileLabels(t, e, text), annotations} {
		expanded, err := tmpl.Expand(t.Context(), d)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		values[i] = expanded[0]
	}
	return values[0], values[1]
}

// What the specification of alert generators leaves open must not keep a rule from
// being loaded, and must not fail, in labels as in annotations.
func TestOptionalFunctionsOfTheSpecificationDoNotFail(t *testing.T) {
	d := alert()
	d.Query = samples
	for _, c := range []struct{ text, want string }{
		{`{{ graphLink "up" }}`, "/graph?g0.expr=up&g0.tab=0"},
		{`{{ tableLink "up" }}`, "/graph?g0.expr=up&g0.tab=1"},
		{`{{ pathPrefix }}`, "/tocsin"},
		{`{{ "text" | safeHtml }}`, "text"},
		{`{{ query "up" | first | strvalue }}`, "up"},
		{`{{ $externalLabels.none }}{{ .ExternalLabels.site }}`, "north"},
		{`{{ $externalURL }}`, "https://alerts.example.com/tocsin"},
		{`{{ define "x" }}{{ .arg0 }}{{ end }}{{ tmpl "x" (args "given") }}`, "given"},
	} {
		if label, annotation := expandEverywhere(t, d, c.text); label != c.want || annotation != c.want {
			t.Errorf("%s: label %q, annotation %q, want %q", c.text, label, annotation, c.want)
		}
	}
}

// A label that the rule overrides is, in its templates, that of the result.
func TestTemplatesSeeTheLabelsOfTheResultAsSpecified(t *testing.T) {
	d := alert() // severity is page in the result and warn in the alert
	for _, text := range []string{`{{ $labels.severity }}`, `{{ .Labels.severity }}`} {
		if label, annotation := expandEverywhere(t, d, text); label != "page" || annotation != "page" {
			t.Errorf("%s: label %q, annotation %q, want the page of the result", text, label, annotation)
		}
	}
}
