package rules_test

import (
	"testing"
	"testing/synctest"
	"time"

	"tocsin/config"
)

// The evaluations that a page of a rule shows outlive every edit.
func TestReloadKeepsTheHistoryOfBothKindsOfRules(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.apply(group("g", alerting("A", "a", 0), recording("r", "a")))
		w.pass(21 * time.Second)
		edited := group("g", alerting("A", "a > 1", 0), recording("r", "a > 1"))
		edited.Labels = []config.Pair{{Name: "site", Value: "home"}}
		w.apply(edited)
		w.pass(10 * time.Second)
		for _, r := range w.manager.Groups()[0].Rules {
			if got := r.History.Len(); got != 4 {
				t.Errorf("%s remembers %d evaluations, want 3 from before the reload and 1 since", r.Rule.Name, got)
			}
		}
	})
}

func TestReloadPutsTheNumberOfRememberedEvaluationsInForce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		rule := alerting("A", "a", 0)
		rule.UpdateEntries = 2
		w.apply(group("g", rule))
		w.pass(41 * time.Second)
		remembered := func() int { return w.manager.Groups()[0].Rules[0].History.Len() }
		if got := remembered(); got != 2 {
			t.Fatalf("%d evaluations are remembered, want 2", got)
		}
		rule.UpdateEntries = 3
		w.apply(group("g", rule))
		w.pass(30 * time.Second)
		if got := remembered(); got != 3 {
			t.Errorf("%d evaluations are remembered, want 3 since the reload", got)
		}
	})
}
