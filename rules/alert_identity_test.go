package rules_test

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/rules"
	"tocsin/rules/rulestest"
)

// Ids are hashes of labels without anything between names and values, as clients
// know them, so they may collide. Alerts are told apart by their labels.
func TestAlertsWhoseIDsCollideAreToldApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.deps.Options.DisableAlertgroup = true
		first, second := rulestest.Sample(1, "b", "cd"), rulestest.Sample(2, "bc", "d")
		w.datasource.Set("a", first, second)
		w.apply(group("g", alerting("A", "a", 0)))
		w.pass(11 * time.Second)
		alerts := w.manager.Groups()[0].Rules[0].Alerts()
		if len(alerts) != 2 || alerts[0].ID != alerts[1].ID {
			t.Fatalf("got %+v, want two alerts of one id", alerts)
		}
		w.notifier.Sent()
		w.datasource.Set("a", first)
		w.pass(10 * time.Second)
		for _, a := range w.manager.Groups()[0].Rules[0].Alerts() {
			if gone := a.Labels.Get("bc") == "d"; (a.State == rules.Inactive) != gone {
				t.Errorf("alert %s is %s once the second condition has gone", a.Labels, a.State)
			}
		}
	})
}

// Links in notifications name alerts by id, and have to lead to them after a
// restart.
func TestRestoredAlertKeepsItsID(t *testing.T) {
	ids := map[bool]uint64{}
	for _, restored := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			if restored {
				w.storage.Set(metricsQLRestore, alertSince(midnight-100))
			}
			coldStart(w)
			w.pass(11 * time.Second)
			a := w.manager.Groups()[0].Rules[0].Alerts()[0]
			if a.Restored != restored {
				t.Fatalf("restored is %t, want %t", a.Restored, restored)
			}
			ids[restored] = a.ID
		})
	}
	if ids[true] != ids[false] || ids[true] == 0 {
		t.Errorf("the id is %d once restored, %d before", ids[true], ids[false])
	}
}

// A clock that is no number is as good as none.
func TestNoNumberIsRestoredAsAClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.storage.Set(metricsQLRestore, alertSince(math.NaN()))
		coldStart(w)
		w.pass(time.Second)
		a := w.manager.Groups()[0].Rules[0].Alerts()[0]
		if a.Restored || a.ActiveAt.Time().Unix() != midnight {
			t.Errorf("got %+v, want the clock of the first evaluation", a)
		}
	})
}
