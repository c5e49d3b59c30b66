package template

import (
	"context"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/labels"

	"tocsin/config"
	"tocsin/rules"
)

func TestVariables(t *testing.T) {
	e := load(t, nil)
	d := alert()
	d.Partial = true
	for _, c := range []struct{ variable, path, want string }{
		{"$value", ".Value", "11"},
		{"$type", ".Type", "prometheus"},
		{"$labels.instance", ".Labels.instance", "db-1.example.com:9100"},
		{"$expr", ".Expr", `up{job="node"} == 0`},
		{"$interval", ".Interval", "1m0s"},
		{"$externalLabels", ".ExternalLabels", "map[site:north]"},
		{"$externalLabels.site", ".ExternalLabels.site", "north"},
		{"$externalLabels.none", ".ExternalLabels.none", ""},
		{"$externalURL", ".ExternalURL", "https://alerts.example.com/tocsin"},
		{"$alertID", ".AlertID", "18446744073709551615"},
		{"$groupID", ".GroupID", "42"},
		{"$activeAt", ".ActiveAt", "2022-01-25 12:36:43.25 +0000 UTC"},
		{"$activeAt.UnixMilli", ".ActiveAt.UnixMilli", "1643114203250"},
		{"$for", ".For", "5m0s"},
		{"$isPartial", ".IsPartial", "true"},
	} {
		text := "a {{ " + c.variable + " }} {{ " + c.path + " }} {{ $" + c.path + " }} z"
		expectBothWays(t, e, d, text, "a "+c.want+" "+c.want+" "+c.want+" z")
	}
}

func TestVariablesResolveInAnyOrder(t *testing.T) {
	e := load(t, nil)
	expectBothWays(t, e, alert(), `{{ $for }}{{ $expr }}{{ $value }}{{ $labels.job }}`, `5m0sup{job="node"} == 011node`)
}

func TestMissingLabelIsEmpty(t *testing.T) {
	e := load(t, nil)
	d := alert()
	expectBothWays(t, e, d, `[{{ $labels.none }}{{ .Labels.none }}{{ $labels.none | toUpper }}]`, "[]")
	expectBothWays(t, e, d, `{{ if $labels.none }}yes{{ else }}no{{ end }}`, "no")
	d.Labels = rules.TemplateLabels{}
	expectBothWays(t, e, d, `[{{ $labels.none }}{{ $labels }}{{ if $labels }}some{{ end }}{{ len $labels }}]`, "[map[]0]")
}

func TestLabelsAreThoseOfTheResultFirst(t *testing.T) {
	e := load(t, nil)
	d := alert()
	expectBothWays(t, e, d, `{{ $labels.severity }} {{ $labels.team }} {{ $labels.alertname }} {{ $labels.__name__ }}`, "page infra Down up")
	d.Labels.Result = labels.FromStrings("alertname", "fromseries")
	expectBothWays(t, e, d, `{{ $labels.alertname }}`, "fromseries")
}

func TestWholeLabelsPrintInOrder(t *testing.T) {
	e := load(t, nil)
	want := "map[__name__:up alertname:Down instance:db-1.example.com:9100 job:node severity:page team:infra]"
	for range 20 {
		if !expectBothWays(t, e, alert(), `{{ $labels }}`, want) {
			t.Fatal("printing the labels has no operation")
		}
	}
	expectBothWays(t, e, alert(), `{{ range $k, $v := $labels }}{{ $k }}={{ $v }},{{ end }}`,
		"__name__=up,alertname=Down,instance=db-1.example.com:9100,job=node,severity=page,team=infra,")
}

func TestAddedNamesThatAreNotLabelsAreLeftOut(t *testing.T) {
	e := load(t, nil)
	d := &rules.TemplateData{Labels: rules.TemplateLabels{
		Result: labels.FromStrings("b", "2"), Alert: labels.FromStrings("a", "1"), Added: []config.Pair{{Name: "c"}, {Name: "a"}, {Name: "b"}},
	}}
	expectBothWays(t, e, d, `{{ $labels }} {{ len $labels }}`, "map[a:1 b:2] 2")
}

func TestVariablesOfOneAlertDoNotLeakIntoAnother(t *testing.T) {
	e := load(t, nil)
	text := `{{ range $k, $v := $labels }}{{ $k }}={{ $v }} {{ end }}{{ $value }} {{ $activeAt.Unix }} {{ query "x" | first | value }}`
	tmpl, err := e.CompileAnnotations([]config.Pair{{Name: "a", Value: text}})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for name, want := range map[string]string{"a": "a=a 97 97 97", "b": "b=b 98 98 98", "c": "c=c 99 99 99", "d": "d=d 100 100 100"} {
		wg.Go(func() {
			d := &rules.TemplateData{
				Labels:   rules.TemplateLabels{Result: labels.FromStrings(name, name)},
				Value:    float64(name[0]),
				ActiveAt: time.Unix(int64(name[0]), 0),
				Query: func(context.Context, string) ([]rules.Sample, error) {
					return []rules.Sample{{V: float64(name[0])}}, nil
				},
			}
			for range 200 {
				got, err := tmpl.Expand(context.Background(), d)
				if err != nil || got[0] != want {
					t.Errorf("alert %s expands to %q, %v; want %q", name, got[0], err, want)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestLabelsSeeOnlyWhatTheIdentityCanDependOn(t *testing.T) {
	e := load(t, map[string]string{"x.tmpl": `{{ define "since" }}{{ .ActiveAt.IsZero }}{{ end }}`})
	for text, want := range map[string]string{
		`{{ $labels.job }} {{ $value }} {{ len $expr }}`:              "node 11 19",
		`{{ $type := "own" }}{{ $type }}`:                             "own",
		`{{ $externalLabels.site }}`:                                  "north",
		`{{ $externalLabels }} {{ .ExternalURL }} {{ $externalURL }}`: "map[site:north] https://alerts.example.com/tocsin https://alerts.example.com/tocsin",
		`{{ .AlertID }} {{ $groupID }}`:                               "0 0",
		`{{ $for }} {{ .Interval }} {{ $isPartial }}[{{ $type }}]`:    "0s 0s false[]",
		`{{ $activeAt.IsZero }} {{ template "since" . }}`:             "true true",
		`{{ if $for }}long{{ else }}short{{ end }}`:                   "short",
	} {
		d := alert()
		got, err := mustCompileLabels(t, e, text).Expand(context.Background(), d)
		if err != nil || got[0] != want {
			t.Errorf("%s expands to %q, %v; want %q", text, got, err, want)
		}
	}
}

func TestBlankVariablesOfLabelsAreNoReasonToExpandAgain(t *testing.T) {
	tmpl := mustCompileLabels(t, load(t, nil), `{{ $activeAt }} {{ $isPartial }}`)
	if got := tmpl.Uses(); got != 0 {
		t.Errorf("the label uses %v, want nothing", got)
	}
}

func TestLabelThatShowsAllDataDoesNotDependOnTime(t *testing.T) {
	tmpl := mustCompileLabels(t, load(t, nil), `{{ . }}`)
	d := alert()
	before, err := tmpl.Expand(context.Background(), d)
	if err != nil {
		t.Fatal(err)
	}
	d.ActiveAt, d.Partial, d.AlertID = d.ActiveAt.Add(time.Hour), true, 7
	after, err := tmpl.Expand(context.Background(), d)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("label changed (-before +after):\n%s", diff)
	}
}

func TestSpecialValuesPrintAsFmtDoes(t *testing.T) {
	e := load(t, nil)
	for v, want := range map[float64]string{
		0: "0 0.00 0", 1e6: "1e+06 1000000.00 1e+06", 0.1: "0.1 0.10 0.1", 123456789: "1.23456789e+08 123456789.00 1.235e+08",
		math.Inf(1): "+Inf +Inf +Inf", math.Inf(-1): "-Inf -Inf -Inf", 1e21: "1e+21 1000000000000000000000.00 1e+21",
	} {
		d := alert()
		d.Value = v
		if !expectBothWays(t, e, d, `{{ $value }} {{ printf "%.2f" $value }} {{ $value | printf "%.4g" }}`, want) {
			t.Error("the text has no operations")
		}
	}
	d := alert()
	d.Value = math.NaN()
	expectBothWays(t, e, d, `{{ $value }} {{ printf "%.2f" $value }} {{ if gt $value 1.0 }}gt{{ end }}{{ if lt $value 1.0 }}lt{{ end }}{{ if $value }}true{{ end }}`, "NaN NaN gttrue")
}
