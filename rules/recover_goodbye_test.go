package rules_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/config"
	"tocsin/rules"
)

func TestRuleRemovedWhileDownSaysGoodbye(t *testing.T) {
	for name, c := range map[string]struct {
		after  []config.Group
		record string
	}{
		"rule":  {[]config.Group{group("g", recording("s", "f"))}, ""},
		"group": {[]config.Group{group("h", recording("s", "f"))}, ""},
		"all":   {nil, "no g"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, j, start := untilCrash(t, group("g", alerting("F", "f", 0), alerting("P", "p", time.Hour), recording("s", "f")))
				w.down(j, 10*time.Second)
				j.clear()
				w.datasource.Hang()
				w.apply(c.after...)
				want := []string{"told {g F i} resolved 0s-1m15s", "ended ALERTS{g F firing i} at 1m0.001s, " +
					"ALERTS_FOR_STATE{g F i} at 1m0.001s, ALERTS_FOR_STATE{g P i} at 1m0.001s, ALERTS{g P pending i} at 1m0.001s"}
				if name == "all" {
					want[1] += ", s{i} at 1m0.001s"
				}
				w.datasource.Asked()
				if diff := cmp.Diff(want, w.events(start)); diff != "" {
					t.Errorf("goodbye (-want +got):\n%s", diff)
				}
				if got := what(j.kept()); c.record != "" && (len(got) != 2 || got[1] != c.record) {
					t.Errorf("recorded %q, want the goodbye and %q", got, c.record)
				}
				w.crash(j)
				w.apply(c.after...)
				if got := joined(w.toldAlerts(start)); strings.Contains(got, "resolved") && name == "all" {
					t.Errorf("told %q after another restart", got)
				}
			})
		})
	}
}

// A dormant group has no expression, so that its alerts have no address.
func TestGoodbyeOfARecoveredGroupHasNoLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := group("g", alerting("F", "f", 0))
		w, j, _ := untilCrash(t, g)
		w.down(j, 10*time.Second)
		w.deps.Link = rules.LinkForTest(func(r *config.Rule) string { return "http://x/?expr=" + r.Expr })
		w.apply()
		sent := w.notifier.Sent()
		if len(sent) != 1 || sent[0].Alerts[0].GeneratorURL != (rules.Link{}) {
			t.Errorf("told %+v, want an alert without an address", sent)
		}
	})
}

func TestGoodbyeOfARecoveredGroupHasTheTimeOfAQuery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, j, _ := untilCrash(t, group("g", alerting("F", "f", 0)))
		w.down(j, 10*time.Second)
		room := time.Duration(-1)
		j.onKeep(func(ctx context.Context, _ rules.Record) error {
			if deadline, ok := ctx.Deadline(); ok {
				room = time.Until(deadline)
			}
			return nil
		})
		w.apply()
		if room != 10*time.Second {
			t.Errorf("the journal may take %s, want 10s", room)
		}
	})
}
