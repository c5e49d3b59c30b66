package rules_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/config"
	"tocsin/rules"
)

// lastTold returns the alerts that were told last of the firing ones, by name.
func lastTold(ns []rules.Notification) map[string]rules.Alert {
	all := map[string]rules.Alert{}
	for _, n := range ns {
		for _, a := range n.Alerts {
			if a.Resolved {
				delete(all, a.Labels.Get("alertname"))
			} else {
				all[a.Labels.Get("alertname")] = a
			}
		}
	}
	return all
}

// reminded restarts g two seconds after the crash and returns what was told last
// before it, and what before the first evaluation.
func reminded(t *testing.T, g config.Group, down time.Duration) (before, after map[string]rules.Alert) {
	synctest.Test(t, func(t *testing.T) {
		w, j, _ := untilCrash(t, g)
		before = lastTold(w.notifier.Sent())
		w.down(j, down)
		j.clear()
		w.datasource.Hang()
		w.apply(g)
		synctest.Wait()
		sent := w.notifier.Sent()
		after = lastTold(sent)
		for _, n := range sent {
			if n.Group != g.Key || !cmp.Equal(n.Headers, g.NotifierHeaders) {
				t.Errorf("told for %v with headers %v", n.Group, n.Headers)
			}
		}
		if n := len(j.kept()); n > 0 {
			t.Errorf("%d records of the reminder", n)
		}
	})
	return before, after
}

func TestRestartTellsAgainWhatFiresExactlyAsItWasTold(t *testing.T) {
	delayed := eventful()
	delayed.EvalDelay = config.Duration{Duration: 45 * time.Second, Set: true}
	headed := eventful()
	headed.NotifierHeaders = []config.Pair{{Name: "X-Team", Value: "db"}}
	for name, g := range map[string]config.Group{"usual": eventful(), "evaluated late": delayed, "with headers": headed} {
		t.Run(name, func(t *testing.T) {
			before, after := reminded(t, g, 2*time.Second)
			if len(before) != 3 {
				t.Fatalf("told of %d alerts before the crash, want F, K and E", len(before))
			}
			for name, a := range before {
				a.Again = true
				before[name] = a
			}
			if diff := cmp.Diff(before, after, cmp.Comparer(sameLabels)); diff != "" {
				t.Errorf("alerts (-told before +told again):\n%s", diff)
			}
		})
	}
}

// Who was told knows by himself when it is over.
func TestRestartDoesNotTellAgainWhatHasExpired(t *testing.T) {
	for down, want := range map[time.Duration]int{34 * time.Second: 3, 35 * time.Second: 0} {
		if _, after := reminded(t, eventful(), down); len(after) != want {
			t.Errorf("%s after the crash %d alerts are told again, want %d", down, len(after), want)
		}
	}
}

func TestReloadDoesNotTellAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, _ := untilCrash(t, eventful())
		w.forget()
		w.apply(named("new", eventful()))
		if sent := w.notifier.Sent(); len(sent) > 0 {
			t.Errorf("told %s in a reload", told(sent))
		}
	})
}

// An alert under other labels is another alert.
func TestRestartTellsAgainUnderTheLabelsThatAreKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, j, start := untilCrash(t, group("g", alerting("F", "f", 0)))
		w.down(j, 2*time.Second)
		w.apply(named("new", group("", alerting("F", "f", 0))))
		w.pass(time.Second)
		const want = "{g F i} firing 0s, {g F i} resolved 0s-1m0s, {new F i} firing 0s"
		if got := joined(w.toldAlerts(start)); got != want {
			t.Errorf("told %s, want %s", got, want)
		}
	})
}

func TestReminderThatIsRefusedIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := group("g", alerting("F", "f", 0))
		w, j, _ := untilCrash(t, g)
		w.down(j, 2*time.Second)
		w.deps.Notifier = refusing{}
		w.datasource.Hang()
		w.apply(g)
		synctest.Wait()
		if !w.metric("tocsin_rule_handover_errors_total 1") {
			t.Error("the refusal is not counted")
		}
	})
}
