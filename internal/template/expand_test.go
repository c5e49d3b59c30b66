package template

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/config"
	"tocsin/rules"
)

func TestFailureLeavesTheOtherTextsAlone(t *testing.T) {
	e := load(t, nil)
	tmpl, err := e.CompileAnnotations([]config.Pair{
		{Name: "a", Value: "constant"},
		{Name: "b", Value: `before {{ $labels.job | humanize }} after`},
		{Name: "c", Value: `{{ $value }}`},
		{Name: "d", Value: `{{ range query "up" }}{{ end }}`},
		{Name: "e", Value: ``},
	})
	if err != nil {
		t.Fatal(err)
	}
	values, err := tmpl.Expand(context.Background(), alert())
	var both interface{ Unwrap() []error }
	if !errors.As(err, &both) || len(both.Unwrap()) != 2 {
		t.Fatalf("error %v, want two", err)
	}
	want := []string{"constant", both.Unwrap()[0].Error(), "11", both.Unwrap()[1].Error(), ""}
	if diff := cmp.Diff(want, values); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
	if !strings.Contains(values[1], `annotation "b"`) || !strings.Contains(values[3], "queries are not available here") {
		t.Errorf("values %q do not tell their errors", values)
	}
}

func TestQueryFunction(t *testing.T) {
	e := load(t, nil)
	d := alert()
	var asked []string
	d.Query = func(ctx context.Context, expr string) ([]rules.Sample, error) {
		asked = append(asked, expr)
		return samples(ctx, expr)
	}
	got := mustExpand(t, e, d, `{{ with printf "sum(conns{instance=%q})" .Labels.instance | query }}{{ . | first | value }} {{ (first .).Labels.instance }} {{ (index . 1).Value }} {{ (first .).Timestamp }} {{ first . | strvalue }}{{ end }}`)
	if got != "2 b 1 1700000000 up" {
		t.Errorf("expands to %q", got)
	}
	if diff := cmp.Diff([]string{`sum(conns{instance="db-1.example.com:9100"})`}, asked); diff != "" {
		t.Errorf("queries (-want +got):\n%s", diff)
	}
	refused := errors.New("refused")
	d.Query = func(context.Context, string) ([]rules.Sample, error) { return nil, refused }
	if _, err := expand(t, e, d, `{{ query "up" | first }}`); !errors.Is(err, refused) {
		t.Errorf("error %v does not wrap the query's", err)
	}
}

func TestQueryWorksInLabels(t *testing.T) {
	d := alert()
	d.Query = samples
	got, err := mustCompileLabels(t, load(t, nil), `{{ query "up" | first | value }}`).Expand(context.Background(), d)
	if err != nil || got[0] != "2" {
		t.Errorf("expands to %q, %v; want 2", got, err)
	}
}

func TestQueryGetsTheContext(t *testing.T) {
	d := alert()
	d.Query = func(ctx context.Context, _ string) ([]rules.Sample, error) { return nil, ctx.Err() }
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	tmpl := mustCompileLabels(t, load(t, nil), `{{ query "up" | first | value }}`)
	if _, err := tmpl.Expand(ctx, d); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}

func TestNowIsTheClock(t *testing.T) {
	e := load(t, nil)
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(90 * time.Second)
		want := time.Now().UTC().Format(timeLayout)
		expectBothWays(t, e, alert(), `{{ now | toTime }}`, want)
	})
}

func TestRunawayTemplatesEnd(t *testing.T) {
	e := load(t, map[string]string{"x.tmpl": `
		{{ define "self" }}{{ tmpl "self" . }}{{ end }}
		{{ define "long" }}{{ range 1000 }}{{ printf "%10000d" 1 }}{{ end }}{{ end }}`})
	if _, err := expand(t, e, alert(), `{{ tmpl "self" . }}`); !errors.Is(err, errTooDeep) {
		t.Errorf("endless call: error %v, want %v", err, errTooDeep)
	}
	for _, text := range []string{`{{ template "long" }}`, `{{ tmpl "long" 1 }}`} {
		if _, err := expand(t, e, alert(), text); !errors.Is(err, errTooLong) {
			t.Errorf("%s: error %v, want %v", text, err, errTooLong)
		}
	}
	if got := mustExpand(t, e, alert(), `{{ $value }}`); got != "11" {
		t.Errorf("afterwards a text expands to %q", got)
	}
}

func TestLongTextOfOperationsIsAnError(t *testing.T) {
	d := alert()
	d.Labels = withJob(strings.Repeat("x", maxOutput/2))
	got, err := expand(t, load(t, nil), d, `{{ $labels.job }}{{ $labels.job }}!`)
	if !errors.Is(err, errTooLong) || got != err.Error() {
		t.Errorf("error %v, want %v", err, errTooLong)
	}
}

func TestExpansionEndsWithItsContext(t *testing.T) {
	tmpl := mustCompileLabels(t, load(t, nil), `{{ range 1000000000 }}x{{ end }}`)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := tmpl.Expand(ctx, alert()); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}

func TestPanicOfAQueryIsAnError(t *testing.T) {
	d := alert()
	d.Query = func(context.Context, string) ([]rules.Sample, error) { panic("lost") }
	if _, err := expand(t, load(t, nil), d, `{{ query "up" }}`); err == nil || !strings.Contains(err.Error(), "lost") {
		t.Errorf("error %v, want the panic", err)
	}
}

func TestTextThatClosesNoActionIsShownAsItIs(t *testing.T) {
	e := load(t, nil)
	for _, text := range []string{"{{", "{{ $value }", "}} {{ $labels.job", "a }} b"} {
		if got, err := expand(t, e, alert(), text); err != nil || got != text {
			t.Errorf("%q expands to %q, %v; want itself", text, got, err)
		}
	}
}
