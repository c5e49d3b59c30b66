package template

import (
	"context"
	"fmt"
	"testing"

	"tocsin/config"
)

// BenchmarkExpand expands three annotations of one alert.
func BenchmarkExpand(b *testing.B) {
	for _, c := range []struct {
		name  string
		texts [3]string
	}{
		{"constant", [3]string{"Instance is down", "https://wiki.example.com/down", "page the owner"}},
		{"operations", [3]string{
			`Instance {{ $labels.instance }} of {{ $labels.job }} is down`,
			`Value is {{ $value | humanize }} ({{ printf "%.2f" $value }}) for {{ $for }}`,
			`{{ $externalURL }}/d/node?var-instance={{ $labels.instance | queryEscape }}`,
		}},
		{"whole labels", [3]string{`VALUE = {{ $value }} LABELS = {{ $labels }}`, `{{ $labels }}`, `{{ if $labels.team }}{{ $labels.team }}{{ end }}`}},
		{"text/template", [3]string{
			`{{ range $k, $v := $labels }}{{ $k }}={{ $v }} {{ end }}`,
			`{{ template "summary" . }}`,
			`{{ ($activeAt.Add (parseDurationTime "1h")).UnixMilli }}`,
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			e := load(b, map[string]string{"x.tmpl": `{{ define "summary" }}{{ .Labels.job }} is {{ .Value }}{{ end }}`})
			var ps []config.Pair
			for i, text := range c.texts {
				ps = append(ps, config.Pair{Name: fmt.Sprint(i), Value: text})
			}
			tmpl, err := e.CompileAnnotations(ps)
			if err != nil {
				b.Fatal(err)
			}
			d := alert()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := tmpl.Expand(context.Background(), d); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkCompile compiles the texts of a rule that no other rule has.
func BenchmarkCompile(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		e := load(b, nil)
		b.StartTimer()
		if _, err := e.CompileAnnotations([]config.Pair{
			{Name: "summary", Value: `Instance {{ $labels.instance }} of {{ $labels.job }} is down`},
			{Name: "description", Value: `Value is {{ $value | humanize }} for {{ $for }}`},
			{Name: "runbook", Value: `https://wiki.example.com/down`},
		}); err != nil {
			b.Fatal(err)
		}
	}
}
