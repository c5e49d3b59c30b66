package rules_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/config"
	"tocsin/rules/rulestest"
)

// Values of labels that are templated are known only by alert, so storage is
// asked without them; which clock is whose is told by the whole label set.
func TestRestoreQueryLeavesTemplatedLabelsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.restores()
		w.deps.Options.DisableAlertgroup = true
		w.deps.Options.ExternalLabels = []config.Pair{{Name: "dc", Value: "north"}}
		w.datasource.Set("a", rulestest.Sample(1, "i", "1"), rulestest.Sample(1, "i", "2"))
		r := alerting("A", "a", time.Hour)
		r.Labels = []config.Pair{{Name: "gone", Value: ""}, {Name: "team", Value: "x"}, {Name: "who", Value: "{{ $labels.i }}"}}
		g := group("g", r)
		g.Labels = []config.Pair{{Name: "site", Value: `"home"`}}
		g.Params = map[string][]string{"extra_label": {"tenant=7"}}
		g.Headers = []config.Pair{{Name: "X-Scope", Value: "team"}}
		const expr = `default_rollup(ALERTS_FOR_STATE{alertname="A",dc="north",site="\"home\"",team="x"}[3600s])`
		clock := func(i string) []string {
			return []string{"__name__", "ALERTS_FOR_STATE", "alertname", "A", "dc", "north", "site", `"home"`, "team", "x",
				"who", "{{ $labels.i }}", "i", i}
		}
		w.storage.Set(expr, rulestest.Sample(midnight-50, clock("2")...), rulestest.Sample(midnight-90, clock("3")...))
		w.apply(g)
		w.pass(time.Second)

		asked := w.storage.Asked()
		if len(asked) != 1 || asked[0].Expr != expr {
			t.Fatalf("asked %v, want %s", asked, expr)
		}
		if len(asked[0].Params) != 1 || len(asked[0].Headers) != 1 {
			t.Errorf("asked with params %v and headers %v, want those of the group", asked[0].Params, asked[0].Headers)
		}
		for _, a := range w.manager.Groups()[0].Rules[0].Alerts() {
			if want := a.Labels.Get("i") == "2"; a.Restored != want {
				t.Errorf("alert %s: restored %t, want %t", a.Labels, a.Restored, want)
			}
		}
	})
}

// State is always kept by a Prometheus, for which the arguments of other APIs mean
// nothing, or something else.
func TestRestoreQueryOfAnotherLanguageHasNoParams(t *testing.T) {
	for _, typ := range []config.Type{config.Graphite, config.VLogs} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.restores()
			w.datasource.Set("a", rulestest.Sample(1, "i", "1"))
			g := group("g", alerting("A", "a", time.Hour))
			g.Type = typ
			g.Params = map[string][]string{"extra_filters": {"app:x"}}
			g.Headers = []config.Pair{{Name: "X-Scope", Value: "team"}}
			w.apply(g)
			w.pass(time.Second)
			asked := w.storage.Asked()
			if len(asked) != 1 || asked[0].Type != config.Prometheus || asked[0].Params != nil || len(asked[0].Headers) != 1 {
				t.Errorf("asked %+v", asked)
			}
		})
	}
}

// By the time of a second attempt storage has the clocks that were begun after
// the restart; they must not be taken for older ones.
func TestSecondRestoreAsksForTheTimeBeforeTheFirstEvaluation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.storage.Fail(metricsQLRestore, errors.New("storage is down"))
		coldStart(w)
		w.pass(25 * time.Second)
		asked := w.storage.Asked()
		if len(asked) != 3 {
			t.Fatalf("asked %d times in three rounds", len(asked))
		}
		for i, q := range asked {
			if want := time.Unix(midnight-1, 0); !q.Time.Equal(want) {
				t.Errorf("attempt %d asks for %s, want %s", i+1, q.Time, want)
			}
		}
	})
}
