package journal

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/rules"
)

// giveUp hands r to the journal, which has a second for it.
func (w *world) giveUp(r rules.Record) {
	w.t.Helper()
	limited, cancel := context.WithTimeout(w.t.Context(), time.Second)
	defer cancel()
	if err := w.journal.Keep(limited, r); err != nil {
		w.t.Fatal(err)
	}
	synctest.Wait()
}

// full is a record that leaves room for two samples or alerts.
func full() rules.Record {
	return rules.Record{
		States: []rules.GroupState{state("big", strings.Repeat("x", maxWaiting-3*sampleBytes))},
		Series: samples("a", 2, 2),
	}
}

// hung is a world whose disk hangs while it takes a@1; a@2 waits, and there is no
// room for more.
func hung(t *testing.T, folder string, sinks ...*fakeSink) (w *world, open func()) {
	w, _ = newWorld(t, folder, sinks...)
	open = w.disk.shut()
	w.giveUp(rules.Record{Told: []rules.Notification{notification("A", false, false)}, Series: samples("a", 1, 1)})
	time.Sleep(gatherFor)
	synctest.Wait()
	w.giveUp(full())
	if got := w.notifier.heard(); got != "" {
		t.Fatalf("told %q before it was on disk", got)
	}
	return w, open
}

func TestHungDiskIsGoneAroundInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := newSink(false)
		w, open := hung(t, t.TempDir(), sink)
		defer w.stop()
		began := time.Now()
		w.giveUp(rules.Record{Told: []rules.Notification{notification("B", false, false)}, Series: samples("a", 3, 3)})
		if waited := time.Since(began); waited != time.Second {
			t.Errorf("waited %s for the disk, want all the time there was", waited)
		}
		began = time.Now()
		w.giveUp(rules.Record{Told: []rules.Notification{notification("B", true, false)}, Series: samples("a", 4, 4)})
		if waited := time.Since(began); waited != 0 {
			t.Errorf("waited %s for a disk that is known to hang", waited)
		}
		if got, want := w.notifier.heard(), "A firing, B firing, B resolved"; got != want {
			t.Errorf("told %q, want %q", got, want)
		}
		if got, want := strings.Join(sink.lines(), " "), "a@1 a@2 a@3 a@4"; got != want {
			t.Errorf("wrote %q, want %q", got, want)
		}
		if !w.metric("tocsin_journal_bypassed_records_total 4") {
			t.Error("not counted")
		}
		open()
		time.Sleep(gatherFor)
		synctest.Wait()
		w.keep(rules.Record{Series: samples("a", 5, 5)})
		synctest.Wait()
		if got, want := strings.Join(sink.lines(), " "), "a@1 a@2 a@3 a@4 a@5"; got != want {
			t.Errorf("when the disk was back, wrote %q, want %q", got, want)
		}
		if !w.metric("tocsin_journal_bypassed_records_total 4") {
			t.Error("the disk is gone around though it works")
		}
	})
}

// Rules that are few fill no memory, and are not to wait until they have.
func TestAlertsDoNotWaitLongForAHungDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _ := newWorld(t, t.TempDir(), newSink(false))
		defer w.stop()
		open := w.disk.shut()
		w.giveUp(rules.Record{Told: []rules.Notification{notification("A", false, false)}, Series: samples("a", 1, 1)})
		time.Sleep(gatherFor + hangAfter - 1)
		synctest.Wait()
		w.giveUp(rules.Record{Told: []rules.Notification{notification("B", false, false)}, Series: samples("a", 2, 2)})
		if got := w.notifier.heard(); got != "" {
			t.Errorf("told %q before the disk had its time", got)
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if got, want := w.notifier.heard(), "A firing, B firing"; got != want {
			t.Errorf("told %q, want %q", got, want)
		}
		w.giveUp(rules.Record{Told: []rules.Notification{notification("C", false, false)}, Series: samples("a", 3, 3)})
		if got, want := w.notifier.heard(), "A firing, B firing, C firing"; got != want {
			t.Errorf("told %q, want %q", got, want)
		}
		open()
		time.Sleep(gatherFor)
		synctest.Wait()
		w.keep(rules.Record{Told: []rules.Notification{notification("D", false, false)}})
		if !w.metric("tocsin_journal_bypassed_records_total 3") {
			t.Error("the disk is gone around though it works")
		}
		for text, want := range map[string]int{"disk of the journal hangs,": 1, "disk of the journal hangs no more": 1} {
			if got := w.log.count(text); got != want {
				t.Errorf("%q stands %d times in the log, want %d", text, got, want)
			}
		}
	})
}

func TestWhatWentAroundAHungDiskIsStoredWhenItIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		folder := t.TempDir()
		w, open := hung(t, folder, newSink(true))
		w.giveUp(rules.Record{
			States: []rules.GroupState{state("small", "1"), state("big", "")},
			Told:   []rules.Notification{notification("A", true, false), notification("C", true, false)},
			Series: samples("a", 3, 3),
		})
		w.giveUp(rules.Record{Told: []rules.Notification{notification("C", false, false)}})
		open()
		time.Sleep(time.Second)
		synctest.Wait()
		w.stop()

		sink := newSink(false)
		w, states := newWorld(t, folder, sink)
		defer w.stop()
		time.Sleep(holdFor)
		synctest.Wait()
		if got, want := statesText(states), "small=1"; got != want {
			t.Errorf("recovered %.40q, want %q", got, want)
		}
		if got, want := w.notifier.heard(), "A resolved"; got != want {
			t.Errorf("after the restart told %q, want %q", got, want)
		}
		if got, want := strings.Join(sink.lines(), " "), "a@1 a@2 a@3"; got != want {
			t.Errorf("after the restart wrote %q, want %q", got, want)
		}
	})
}

// A target that has no room has to get what went around the disk all the same.
func TestWhatWentAroundAHungDiskReachesATargetThatLags(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := newSink(true)
		w, _ := newWorld(t, t.TempDir(), sink)
		defer w.stop()
		w.keep(rules.Record{Series: samples("a", 1, 60_000)})
		open := w.disk.shut()
		w.giveUp(full())
		w.giveUp(rules.Record{Series: samples("b", 1, 60_000)})
		open()
		synctest.Wait()
		sink.empty()
		w.keep(rules.Record{Series: samples("c", 1, 5)})
		synctest.Wait()
		written := map[string]int{}
		for _, line := range sink.lines() {
			written[line[:1]]++
		}
		if written["a"] < 60_000 || written["b"] < 60_000 || written["c"] != 5 {
			t.Errorf("%v samples were written, want 60,001 of a, 60,000 of b and 5 of c", written)
		}
		if !w.metric("tocsin_journal_lost_samples_total 0") {
			t.Error("samples are counted as lost")
		}
	})
}

// Nothing is under way when the room is taken by what a moment has brought.
func TestMomentThatBringsTooMuchIsNoHungDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _ := newWorld(t, t.TempDir(), newSink(false))
		defer w.stop()
		if err := w.journal.Keep(t.Context(), full()); err != nil {
			t.Fatal(err)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := w.journal.Keep(ended, rules.Record{Series: samples("a", 3, 5)}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(gatherFor)
		synctest.Wait()
		w.keep(rules.Record{Told: []rules.Notification{notification("B", false, false)}})
		if !w.metric("tocsin_journal_bypassed_records_total 2") {
			t.Error("the disk is gone around for longer than the moment")
		}
	})
}

func TestCloseDoesNotWaitForAHungDiskForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, open := hung(t, t.TempDir(), newSink(false))
		limited, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		began := time.Now()
		err := w.journal.Close(limited)
		if took, want := time.Since(began), 2*time.Second+endWithin; took != want {
			t.Errorf("closed after %s, want %s", took, want)
		}
		if err == nil || !strings.Contains(err.Error(), "what came since it began may not be on disk") {
			t.Errorf("error is %v, want what may be lost", err)
		}
		if got, want := w.notifier.heard(), "A firing"; got != want {
			t.Errorf("told %q, want %q", got, want)
		}
		open()
		synctest.Wait()
		if got := w.notifier.heard(); got != "A firing" {
			t.Errorf("told %q when the disk was back, want no more than before", got)
		}
		if err := w.store.Close(); err != nil {
			t.Error(err)
		}
	})
}
