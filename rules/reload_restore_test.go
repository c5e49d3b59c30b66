package rules_test

import (
	"testing"
	"testing/synctest"
	"time"

	"tocsin/config"
	"tocsin/rules"
)

func restoredRule(expr string) config.Group {
	r := alerting("A", expr, time.Minute)
	r.Labels = []config.Pair{{Name: "team", Value: "x"}}
	return group("g", r)
}

// The look-up that a reload interrupts is made again, and finds the true clock.
func TestReloadDuringRestoreLooksUpAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.storage.Hang()
		coldStart(w)
		w.pass(time.Second)
		w.storage.Hook(nil)
		w.storage.Set(metricsQLRestore, alertSince(midnight-100))
		g := restoredRule("a")
		g.Limit = 5
		w.apply(g)
		w.pass(10 * time.Second)
		a := w.manager.Groups()[0].Rules[0].Alerts()[0]
		if !a.Restored || a.ActiveAt.Time().Unix() != midnight-100 {
			t.Errorf("after the reload the alert is %+v, want its clock restored", a)
		}
		if asked := len(w.storage.Asked()); asked != 2 {
			t.Errorf("storage was asked %d times, want once before and once after the reload", asked)
		}
	})
}

func TestReloadAfterRestoreAsksStorageNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.storage.Set(metricsQLRestore, alertSince(midnight-30))
		coldStart(w)
		w.pass(time.Second)
		w.storage.Asked()
		for _, g := range []config.Group{inFile("new.yml", restoredRule("a")), restoredRule("a")} {
			g.Limit = 5
			w.apply(g)
			w.pass(10 * time.Second)
		}
		if got := exprs(w.storage.Asked()); got != "" {
			t.Errorf("after the reloads storage was asked %q", got)
		}
		a := w.manager.Groups()[0].Rules[0].Alerts()[0]
		if a.State != rules.Pending || a.ActiveAt.Time().Unix() != midnight-30 {
			t.Errorf("the alert is %+v, want it pending since it was", a)
		}
	})
}
