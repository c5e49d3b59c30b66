package rules_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/prometheus/promql/parser"

	"tocsin/config"
	"tocsin/rules"
	"tocsin/rules/rulestest"
)

const (
	metricsQLRestore = `default_rollup(ALERTS_FOR_STATE{alertname="A",alertgroup="g",team="x"}[3600s])`
	midnight         = 946684800 // 2000-01-01, when a bubble's time starts
)

// coldStart runs a group with a rule that fires after a minute and whose
// condition holds.
func coldStart(w *world) {
	w.restores()
	w.datasource.Set("a", rulestest.Sample(1, "instance", "i"))
	r := alerting("A", "a", time.Minute)
	r.Labels = []config.Pair{{Name: "team", Value: "x"}}
	w.apply(group("g", r))
}

func alertSince(sec float64) rules.Sample {
	return rulestest.Sample(sec, "__name__", "ALERTS_FOR_STATE",
		"alertname", "A", "alertgroup", "g", "team", "x", "instance", "i")
}

func TestRestartRestoresThePendingClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.storage.Set(metricsQLRestore, alertSince(midnight-100))
		coldStart(w)
		w.pass(time.Second)
		asked := w.storage.Asked()
		if len(asked) != 1 || asked[0].Expr != metricsQLRestore {
			t.Fatalf("asked storage %v, want %s", asked, metricsQLRestore)
		}
		if want := time.Unix(midnight-1, 0); !asked[0].Time.Equal(want) {
			t.Errorf("asked storage for %s, want a second before the first evaluation", asked[0].Time)
		}
		a := w.manager.Groups()[0].Rules[0].Alerts()[0]
		if a.State != rules.Pending || !a.Restored || a.ActiveAt.Time().Unix() != midnight-100 {
			t.Errorf("got %+v, want it pending and restored", a)
		}
		w.pass(10 * time.Second)
		if got, want := told(w.notifier.Sent()), "A firing"; got != want {
			t.Errorf("told %q at the second evaluation, want %q", got, want)
		}
		if !w.metric("tocsin_restored_alerts_total 1") {
			t.Error("the restored alert is not counted")
		}
	})
}

// A crash between the first evaluation and the restore must not find a fresh
// clock in storage.
func TestFreshClockIsNotWrittenBeforeStorageWasAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.storage.Set(metricsQLRestore, alertSince(midnight-40))
		coldStart(w)
		w.pass(time.Second)
		var clocks []float64
		for _, s := range w.appender.Appended() {
			if s.Labels.Get("__name__") == "ALERTS_FOR_STATE" {
				clocks = append(clocks, s.V)
			}
		}
		if len(clocks) != 1 || clocks[0] != midnight-40 {
			t.Errorf("clocks %v written, want only the restored one", clocks)
		}
	})
}

func TestFailedRestoreIsRetriedAndStopsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.restores()
		w.datasource.Set("a", rulestest.Sample(1))
		w.datasource.Set("b", rulestest.Sample(1))
		restoreOf := func(name string) string {
			return `default_rollup(ALERTS_FOR_STATE{alertname="` + name + `",alertgroup="g"}[3600s])`
		}
		w.storage.Fail(restoreOf("A"), errors.New("storage is down"))
		w.storage.Set(restoreOf("B"), rulestest.Sample(midnight-50, "alertname", "B", "alertgroup", "g"))
		w.apply(group("g", alerting("A", "a", time.Minute), alerting("B", "b", time.Minute)))
		w.pass(11 * time.Second)
		if got, want := told(w.notifier.Sent()), "B firing"; got != want {
			t.Errorf("told %q, want %q", got, want)
		}
		w.storage.Set(restoreOf("A"), rulestest.Sample(midnight-50, "alertname", "A", "alertgroup", "g"))
		w.pass(20 * time.Second)
		if got := told(w.notifier.Sent()); !strings.Contains(got, "A firing") {
			t.Errorf("told %q, want A firing once storage is back", got)
		}
		if !w.metric("tocsin_restore_errors_total 2") {
			t.Error("the failed attempts are not counted")
		}
	})
}

func TestRestoreGivesUpAndGoesOnWriting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		coldStart(w)
		w.storage.Fail(metricsQLRestore, errors.New("storage is down"))
		w.close()

		w = newWorld(t)
		w.storage.Fail(metricsQLRestore, errors.New("storage is down"))
		w.restores()
		w.datasource.Set("a", rulestest.Sample(1, "instance", "i"))
		r := alerting("A", "a", time.Hour)
		r.Labels = []config.Pair{{Name: "team", Value: "x"}}
		w.apply(group("g", r))
		w.pass(10 * time.Minute)
		if n := len(w.storage.Asked()); n != 20 {
			t.Errorf("storage was asked %d times, want 20", n)
		}
		clocks := 0
		for _, s := range w.appender.Appended() {
			if s.Labels.Get("__name__") == "ALERTS_FOR_STATE" {
				clocks++
			}
		}
		if clocks == 0 {
			t.Error("the clock is not written after giving up")
		}
	})
}

// A storage that does not speak MetricsQL is asked in PromQL, and from then on
// at once.
func TestRestoreFromPrometheus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.storage.Fail(metricsQLRestore, fmt.Errorf("unknown function: %w", rules.ErrRejected))
		coldStart(w)
		w.pass(time.Second)
		asked := w.storage.Asked()
		if len(asked) != 2 {
			t.Fatalf("asked %v, want two queries", asked)
		}
		if _, err := parser.NewParser(parser.Options{}).ParseExpr(asked[1].Expr); err != nil {
			t.Errorf("not PromQL: %v", err)
		}
		if w.manager.Groups()[0].Rules[0].History.Len() == 0 {
			t.Error("the rule was not evaluated")
		}
	})
}

func TestOnlyPendingRulesAreLookedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.restores()
		w.datasource.Set("a", rulestest.Sample(1))
		w.apply(group("g", alerting("NoFor", "a", 0), alerting("Quiet", "b", time.Minute), recording("r", "a")))
		w.pass(time.Minute)
		if got := exprs(w.storage.Asked()); got != "" {
			t.Errorf("asked storage %q, want nothing", got)
		}
	})
}

func TestReloadDuringRestoreDoesNotWaitForStorage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.storage.Hang()
		coldStart(w)
		w.pass(time.Second)
		start := time.Now()
		w.apply(group("g", alerting("A", "b", time.Minute)))
		if took := time.Since(start); took != 0 {
			t.Errorf("reload waited %s for storage", took)
		}
	})
}
