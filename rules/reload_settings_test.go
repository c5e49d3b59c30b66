package rules_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/config"
	"tocsin/rules"
	"tocsin/rules/rulestest"
)

// Each edit is one of a group that runs; the next round must show it.
func TestReloadPutsEverySettingOfAGroupInForce(t *testing.T) {
	header := []config.Pair{{Name: "X-Scope", Value: "team"}}
	for name, c := range map[string]struct {
		edit func(*config.Group)
		seen func(*world) string
		want string
	}{
		"eval_delay": {
			func(g *config.Group) { g.EvalDelay = config.Duration{Duration: 20 * time.Second, Set: true} },
			func(w *world) string { return w.nextQuery().Time.Format("15:04:05") }, "23:59:50",
		},
		"eval_alignment": {
			func(g *config.Group) {
				g.EvalAlignment, g.EvalDelay.Duration = false, 3*time.Second
			},
			func(w *world) string { return w.nextQuery().Time.Format("15:04:05") }, "00:00:07",
		},
		"limit": {
			func(g *config.Group) { g.Limit = 1 },
			func(w *world) string {
				w.pass(10 * time.Second)
				return fmt.Sprint(w.metric("vmalert_execution_errors_total 1"))
			}, "true",
		},
		"params": {
			func(g *config.Group) { g.Params = map[string][]string{"nocache": {"1"}} },
			func(w *world) string { return fmt.Sprint(w.nextQuery().Params) }, "map[nocache:[1]]",
		},
		"headers": {
			func(g *config.Group) { g.Headers = header },
			func(w *world) string { return fmt.Sprint(w.nextQuery().Headers) }, "[{X-Scope team}]",
		},
		"notifier_headers": {
			func(g *config.Group) { g.NotifierHeaders = header },
			func(w *world) string { return fmt.Sprint(w.nextNotification().Headers) }, "[{X-Scope team}]",
		},
		"labels": {
			func(g *config.Group) { g.Labels = []config.Pair{{Name: "site", Value: "home"}} },
			func(w *world) string { return lastAlert(w.nextNotification()).Labels.Get("site") }, "home",
		},
		"debug": {
			func(g *config.Group) { g.Debug, g.Rules[0].Debug = true, true },
			func(w *world) string { return fmt.Sprint(w.nextQuery().Debug) }, "true",
		},
		"type": {
			func(g *config.Group) { g.Type = config.VLogs },
			func(w *world) string { return string(w.nextQuery().Type) }, "vlogs",
		},
		"eval_offset": {
			func(g *config.Group) { g.EvalOffset = config.Duration{Duration: 4 * time.Second, Set: true} },
			func(w *world) string { return w.nextQuery().Time.Format("15:04:05") }, "00:00:04",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.datasource.Set("a", rulestest.Sample(1, "x", "1"), rulestest.Sample(1, "x", "2"))
				w.apply(group("g", alerting("A", "a", 0)))
				w.pass(time.Second)
				w.datasource.Asked()
				w.notifier.Sent()
				edited := group("g", alerting("A", "a", 0))
				c.edit(&edited)
				if change := w.apply(edited); did(change) != "changed g" {
					t.Fatalf("got %+v, want one changed group", change)
				}
				if got := c.seen(w); got != c.want {
					t.Errorf("the next round shows %s, want %s", got, c.want)
				}
			})
		})
	}
}

// nextQuery returns the first query of the next round.
func (w *world) nextQuery() rules.Query {
	w.t.Helper()
	w.pass(10 * time.Second)
	asked := w.datasource.Asked()
	if len(asked) == 0 {
		w.t.Fatal("nothing was asked")
	}
	return asked[0]
}

// nextNotification returns the first notification of the next round.
func (w *world) nextNotification() rules.Notification {
	w.t.Helper()
	w.pass(10 * time.Second)
	sent := w.notifier.Sent()
	if len(sent) == 0 {
		w.t.Fatal("nobody was told")
	}
	return sent[0]
}

func lastAlert(n rules.Notification) rules.Alert { return n.Alerts[len(n.Alerts)-1] }

func TestReloadPutsConcurrencyInForce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.datasource.Hook(func(context.Context, rules.Query) error { time.Sleep(2 * time.Second); return nil })
		g := group("g", recording("a", "a"), recording("b", "b"), recording("c", "c"))
		w.apply(g)
		w.pass(7 * time.Second)
		g.Concurrency = 3
		w.apply(g)
		w.datasource.Asked()
		w.pass(4 * time.Second)
		if got := exprs(w.datasource.Asked()); len(got) != len("a b c") {
			t.Errorf("asked %q within a second of the round, want all three at once", got)
		}
	})
}

func TestReloadedRulesStandInFileOrderWithTheirState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		for _, expr := range []string{"a", "b", "c", "d"} {
			w.datasource.Set(expr, rulestest.Sample(1))
		}
		rule := func(name, expr string) config.Rule { return alerting(name, expr, time.Minute) }
		w.apply(group("g", rule("A", "a"), rule("B", "b"), rule("C", "c")))
		w.pass(time.Second)
		w.datasource.Asked()
		w.apply(group("g", rule("D", "d"), rule("C", "c"), rule("A", "a"), rule("B", "b")))
		w.pass(10 * time.Second)
		if got, want := exprs(w.datasource.Asked()), "d c a b"; got != want {
			t.Errorf("asked %q, want %q", got, want)
		}
		var got []string
		for _, r := range w.manager.Groups()[0].Rules {
			got = append(got, r.Rule.Name+" since "+r.Alerts()[0].ActiveAt.Time().Format("05"))
		}
		if diff := cmp.Diff([]string{"D since 10", "C since 00", "A since 00", "B since 00"}, got); diff != "" {
			t.Errorf("rules (-want +got):\n%s", diff)
		}
	})
}

func TestMetricsAreThereFromTheFirstLoadAndGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.deps.Options.MaxStartDelay = time.Hour
		g := group("g", alerting("A", "a", 0))
		g.Interval = time.Hour
		w.apply(g)
		for _, want := range []string{
			`vmalert_iteration_total{group="g",file="f.yml"} 0`,
			`vmalert_alerts_firing{alertname="A",group="g",file="f.yml",id="`,
			`vmalert_alerting_rules_errors_total{alertname="A",group="g",file="f.yml",id="`,
		} {
			if !w.metric(want) {
				t.Errorf("before the first round there is no %s", want)
			}
		}
		w.pass(2 * time.Hour)
		g.Interval = 2 * time.Hour
		w.apply(g)
		for _, want := range []string{
			`vmalert_iteration_total{group="g",file="f.yml"} 2`,
			`vmalert_iteration_interval_seconds{group="g",file="f.yml"} 7200`,
		} {
			if !w.metric(want) {
				t.Errorf("after the edit there is no %s", want)
			}
		}
	})
}
