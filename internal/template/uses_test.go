package template

import (
	"testing"

	"tocsin/config"
	"tocsin/rules"
)

func TestUses(t *testing.T) {
	e := load(t, map[string]string{"x.tmpl": `
		{{ define "plain" }}x{{ end }}
		{{ define "val" }}{{ .Value }}{{ end }}
		{{ define "dollar" }}{{ with .Labels }}{{ $.ActiveAt }}{{ end }}{{ end }}
		{{ define "asks" }}{{ query "up" | first | value }}{{ end }}
		{{ define "outer" }}{{ template "inner" . }}{{ tmpl "outer" . }}{{ end }}
		{{ define "inner" }}{{ .IsPartial }}{{ end }}
		{{ define "named" }}{{ tmpl . 1 }}{{ end }}`})
	const all = rules.UsesValue | rules.UsesActiveAt | rules.UsesPartial
	for _, c := range []struct {
		text string
		want rules.TemplateUse
	}{
		{`constant`, 0},
		{`{{ $labels.x }} {{ $labels }} {{ $expr }} {{ $for }} {{ $interval }} {{ $type }} {{ $alertID }} {{ externalURL }}`, 0},
		{`{{ $value | humanize }}`, rules.UsesValue},
		{`{{ .Value }}`, rules.UsesValue},
		{`{{ if $.Value }}x{{ end }}`, rules.UsesValue},
		{`{{ $activeAt.Unix }}`, rules.UsesActiveAt},
		{`{{ ($activeAt.Add (parseDurationTime "1h")).UnixMilli }}`, rules.UsesActiveAt},
		{`{{ $isPartial }}`, rules.UsesPartial},
		{`{{ $value }}{{ .ActiveAt }}{{ $.IsPartial }}`, all},
		{`{{ query "up" }}`, rules.UsesWorld},
		{`{{ now }}`, rules.UsesWorld},
		{`{{ (query (printf "%v" $value)) | first }}`, rules.UsesWorld | rules.UsesValue},
		{`{{ with $labels.x }}{{ . }}{{ .Value }}{{ end }}`, 0},
		{`{{ with . }}{{ .Value }}{{ end }}`, rules.UsesValue},
		{`{{ range $labels }}{{ . }}{{ $.Value }}{{ end }}`, rules.UsesValue},
		{`{{ . }}`, all},
		{`{{ printf "%v" $ }}`, all},
		{`{{ (.).ActiveAt }}`, all},
		{`{{ $value := 1 }}{{ $value }}`, 0},
		{`{{ if true }}{{ $value := 1 }}{{ end }}{{ $value }}`, rules.UsesValue},
		{`{{ if $value := 1 }}{{ $value }}{{ end }}`, 0},
		{`{{ template "plain" . }}`, 0},
		{`{{ template "val" . }}`, rules.UsesValue},
		{`{{ template "val" $ }}`, rules.UsesValue},
		{`{{ template "val" (args 1) }}`, 0},
		{`{{ template "val" (args .) }}`, all},
		{`{{ template "dollar" . }}`, rules.UsesActiveAt},
		{`{{ template "asks" }}`, rules.UsesWorld},
		{`{{ template "outer" . }}`, rules.UsesPartial},
		{`{{ template "missing" . }}`, 0},
		{`{{ template "named" "val" }}`, rules.UsesWorld},
		{`{{ tmpl "val" . }}`, rules.UsesValue},
		{`{{ tmpl "val" $labels.x }}`, 0},
		{`{{ tmpl $labels.x 1 }}`, rules.UsesWorld},
		{`{{ . | tmpl "plain" }}`, all},
		{`{{ define "own" }}{{ now }}{{ end }}{{ template "own" }}`, rules.UsesWorld},
		{`{{ define "own" }}{{ now }}{{ end }}x`, 0},
		{`{{ unknown }}`, 0},
	} {
		tmpl, _ := e.CompileAnnotations([]config.Pair{{Name: "a", Value: c.text}})
		if got := tmpl.Uses(); got != c.want {
			t.Errorf("%s uses %04b, want %04b", c.text, got, c.want)
		}
	}
}

func TestUsesOfARuleAreThoseOfAllItsTexts(t *testing.T) {
	tmpl, err := load(t, nil).CompileAnnotations([]config.Pair{
		{Name: "a", Value: `{{ $value }}`}, {Name: "b", Value: `c`}, {Name: "c", Value: `{{ $isPartial }}`},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := tmpl.Uses(), rules.UsesValue|rules.UsesPartial; got != want {
		t.Errorf("uses %04b, want %04b", got, want)
	}
}
