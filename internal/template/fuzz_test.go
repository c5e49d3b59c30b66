package template

import (
	"context"
	"regexp"
	"testing"

	"tocsin/config"
	"tocsin/rules"
)

// longLoop finds loops over a number, which run as long as their text says.
var longLoop = regexp.MustCompile(`range[^}]*[0-9$.]`)

// FuzzExpand compiles and expands any text. Nothing must panic, the value must
// be bounded, and operations must agree with text/template.
func FuzzExpand(f *testing.F) {
	for _, text := range []string{
		"", "plain", "{{", "{{ }}", "{{ $value }}", `{{ $labels.instance | stripPort | toUpper }}`,
		`{{ if gt $value 5.0 }}{{ $labels }}{{ else with $labels.x }}{{ . }}{{ end }}`,
		`{{ range query "up" }}{{ .Labels.instance }}{{ end }}`, `{{ define "x" }}{{ template "x" }}{{ end }}{{ tmpl "x" . }}`,
		`{{ $x := $value | humanize }}{{ printf "%q %v" $x . }}`, `{{ block "b" . }}{{ .Value }}{{ end }}`,
		`{{ index $labels "a" }}{{ len $labels }}{{ call $value }}{{ slice "abc" 1 2 }}`, `{{ reReplaceAll "(a*)*" "$1" $expr }}`,
		`{{ (toTime "5").Sub $activeAt | humanizeDuration }}`, `{{- /* c */ -}} x`, `{{ and $value "x" | or "" | not }}`,
	} {
		f.Add(text, "value")
	}
	e := load(f, map[string]string{"x.tmpl": `{{ define "file" }}{{ .Value }}{{ end }}`})
	f.Fuzz(func(t *testing.T, text, label string) {
		if longLoop.MatchString(text) {
			t.Skip("may run for as long as it says")
		}
		d := alert()
		d.Labels = withJob(label)
		d.Query = samples
		ps := []config.Pair{{Name: "a", Value: text}, {Name: "b", Value: "{{ $labels.job }}"}}
		for _, compile := range []func([]config.Pair) (rules.Template, error){e.CompileAnnotations, e.CompileLabels} {
			tmpl, err := compile(ps)
			values, expandErr := tmpl.Expand(context.Background(), d)
			if err != nil && expandErr == nil {
				t.Fatalf("%q does not compile (%v) but expands", text, err)
			}
			if len(values) != 2 || values[1] != label {
				t.Fatalf("%q changes its neighbour: %q", text, values)
			}
			if len(values[0]) > 2*maxOutput {
				t.Fatalf("%q expands to %d bytes", text, len(values[0]))
			}
		}
		checkSame(t, e, d, text)
	})
}
