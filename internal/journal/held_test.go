package journal

import (
	"testing"
	"testing/synctest"
	"time"

	"tocsin/rules"
)

// endedAlerts returns a folder in which a process left the ends of alerts A and B.
func endedAlerts(t *testing.T) string {
	folder := t.TempDir()
	w, _ := newWorld(t, folder)
	w.keep(rules.Record{
		States: []rules.GroupState{state("g", "1")},
		Told:   []rules.Notification{notification("B", true, false), notification("A", true, false)},
	})
	w.stop()
	return folder
}

func TestEndOfAFormerProcessWaitsForNewsOfItsGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _ := newWorld(t, endedAlerts(t))
		defer w.stop()
		time.Sleep(10 * tidyEvery)
		w.keep(rules.Record{States: []rules.GroupState{state("other", "1")}})
		if got := w.notifier.heard(); got != "" {
			t.Errorf("told %q before there was news of the group", got)
		}
		w.keep(rules.Record{
			States: []rules.GroupState{state("g", "2")}, Told: []rules.Notification{notification("C", false, false)},
		})
		if got, want := w.notifier.heard(), "A resolved, B resolved, C firing"; got != want {
			t.Errorf("told %q, want %q", got, want)
		}
	})
}

// An alert that was told to fire again, to a disk that was full, has not ended.
func TestEndOfAFormerProcessGivesWayToNewsOfTheAlert(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		folder := endedAlerts(t)
		w, _ := newWorld(t, folder)
		w.keep(rules.Record{
			States: []rules.GroupState{state("g", "2")}, Told: []rules.Notification{notification("A", false, false)},
		})
		if got, want := w.notifier.heard(), "B resolved, A firing"; got != want {
			t.Errorf("told %q, want %q", got, want)
		}
		w.notifier.accept("B")
		time.Sleep(2 * tidyEvery)
		w.stop()
		w, _ = newWorld(t, folder)
		defer w.stop()
		time.Sleep(holdFor)
		synctest.Wait()
		if got := w.notifier.heard(); got != "" {
			t.Errorf("after a restart told %q, want nothing: all that was stored is over", got)
		}
	})
}

// Nothing is heard of a group whose file has a problem.
func TestEndOfAFormerProcessDoesNotWaitForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _ := newWorld(t, endedAlerts(t))
		defer w.stop()
		time.Sleep(holdFor - 1)
		synctest.Wait()
		if got := w.notifier.heard(); got != "" {
			t.Errorf("told %q too early", got)
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if got, want := w.notifier.heard(), "A resolved, B resolved"; got != want {
			t.Errorf("told %q, want %q", got, want)
		}
	})
}
