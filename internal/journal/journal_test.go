package journal

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/internal/journal/store"
	"tocsin/rules"
)

func statesText(states []rules.GroupState) string {
	var all []string
	for _, s := range states {
		all = append(all, s.Group.Name+"="+string(s.Data))
	}
	return strings.Join(all, " ")
}

func TestLastStateOfEachGroupIsRecovered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		folder := t.TempDir()
		w, states := newWorld(t, folder)
		if len(states) != 0 {
			t.Errorf("a new folder has %d states", len(states))
		}
		w.keep(rules.Record{States: []rules.GroupState{state("a", "1"), state("b", "1")}})
		w.keep(rules.Record{States: []rules.GroupState{state("a", "2")}})
		w.keep(rules.Record{States: []rules.GroupState{state("c", "3"), state("b", "")}})
		w.stop()
		w, states = newWorld(t, folder)
		defer w.stop()
		if got, want := statesText(states), "a=2 c=3"; got != want {
			t.Errorf("recovered %s, want %s", got, want)
		}
	})
}

func TestRecordsOfAMomentAreCommittedTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _ := newWorld(t, t.TempDir())
		defer w.stop()
		for range 10 {
			if err := w.journal.Keep(t.Context(), rules.Record{States: []rules.GroupState{state("a", "x")}}); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(gatherFor)
		synctest.Wait()
		if !w.metric("tocsin_journal_commits_total 1") {
			t.Error("10 records of one moment are not one commit")
		}
	})
}

func (w *world) metric(line string) bool {
	var b strings.Builder
	w.metrics.WritePrometheus(&b)
	return strings.Contains(b.String(), line+"\n")
}

func TestAlertsAreToldOnceTheyAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _ := newWorld(t, t.TempDir())
		defer w.stop()
		w.keep(rules.Record{Told: []rules.Notification{notification("A", false, false), notification("B", true, false)}})
		if got, want := w.notifier.heard(), "A firing, B resolved"; got != want {
			t.Errorf("told %q, want %q", got, want)
		}
	})
}

func TestEndsOfAlertsAreToldAgainUntilTheyAreAccepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		folder := t.TempDir()
		w, _ := newWorld(t, folder)
		w.keep(rules.Record{Told: []rules.Notification{
			notification("Heard", true, false), notification("Unheard", true, false),
			notification("Back", true, false), notification("Firing", false, false),
		}})
		w.keep(rules.Record{Told: []rules.Notification{notification("Back", false, false), notification("Unheard", true, true)}})
		w.notifier.accept("Heard")
		time.Sleep(2 * tidyEvery)
		w.stop()
		for range 2 { // it is still not accepted the second time
			w, _ = newWorld(t, folder)
			time.Sleep(holdFor)
			synctest.Wait()
			if got, want := w.notifier.heard(), "Unheard resolved"; got != want {
				t.Errorf("after a restart told %q, want %q", got, want)
			}
			w.stop()
		}
	})
}

func TestResultsAreWrittenInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := newSink(false)
		w, _ := newWorld(t, t.TempDir(), sink)
		defer w.stop()
		w.keep(rules.Record{Series: samples("a", 1, 2)})
		w.keep(rules.Record{Series: samples("a", 3, 4)})
		synctest.Wait()
		if got, want := strings.Join(sink.lines(), " "), "a@1 a@2 a@3 a@4"; got != want {
			t.Errorf("wrote %s, want %s", got, want)
		}
	})
}

func TestUnsettledResultsAreWrittenAgainAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		folder, up, down := t.TempDir(), newSink(false), newSink(true)
		w, _ := newWorld(t, folder, up, down)
		w.keep(rules.Record{Series: samples("a", 1, 2)})
		synctest.Wait()
		up.settle()
		w.journal.Settle()
		w.keep(rules.Record{Series: samples("a", 3, 3)}) // stores the cursor
		w.stop()

		up, down = newSink(false), newSink(false)
		w, _ = newWorld(t, folder, up, down)
		defer w.stop()
		synctest.Wait()
		if got, want := strings.Join(up.lines(), " "), "a@3"; got != want {
			t.Errorf("the target that had settled the first results got %q, want %q", got, want)
		}
		if got, want := strings.Join(down.lines(), " "), "a@1 a@2 a@3"; got != want {
			t.Errorf("the target that was down got %q, want %q", got, want)
		}
	})
}

func TestTargetThatLagsIsServedFromDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := newSink(true)
		w, _ := newWorld(t, t.TempDir(), sink)
		defer w.stop()
		const batches, size = 5, maxFresh/2 - 1
		for i := range int64(batches) {
			w.keep(rules.Record{Series: samples("a", i*size, (i+1)*size-1)})
		}
		p := w.journal.pumps[0]
		p.mu.Lock()
		if p.queue.samples > maxFresh || p.queue.stored == 0 {
			t.Errorf("%d samples in memory, want no more than %d and the rest on disk", p.queue.samples, maxFresh)
		}
		p.mu.Unlock()
		sink.empty()
		synctest.Wait()
		w.keep(rules.Record{Series: samples("b", 0, 0)})
		synctest.Wait()
		got := sink.lines()
		if len(got) != batches*size+1 || got[len(got)-1] != "b@0" {
			t.Fatalf("%d samples written, want %d", len(got), batches*size+1)
		}
		for i, want := range samples("a", 0, batches*size-1) {
			if got[i] != lineOf(&want) {
				t.Fatalf("sample %d is %s, want %s", i, got[i], lineOf(&want))
			}
		}
	})
}

func TestFlushWaitsForAllTargets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up, down := newSink(false), newSink(true)
		w, _ := newWorld(t, t.TempDir(), up, down)
		defer w.stop()
		if err := w.journal.Keep(t.Context(), rules.Record{Series: samples("a", 1, 1)}); err != nil {
			t.Fatal(err)
		}
		limited, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := w.journal.Flush(limited); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("with a target down: %v", err)
		}
		down.failing = true
		if err := w.journal.Flush(t.Context()); err != nil || up.SettledThrough() == 0 {
			t.Errorf("not flushed while another target fails: %v", err)
		}
		down.failing = false
		down.empty()
		if err := w.journal.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		if down.SettledThrough() == 0 {
			t.Error("not settled")
		}
	})
}

func TestKeepAfterCloseIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _ := newWorld(t, t.TempDir())
		w.stop()
		if err := w.journal.Keep(t.Context(), rules.Record{}); !errors.Is(err, ErrClosed) {
			t.Errorf("got %v, want ErrClosed", err)
		}
	})
}

func TestCloseCommitsWhatWasTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		folder := t.TempDir()
		w, _ := newWorld(t, folder)
		if err := w.journal.Keep(t.Context(), rules.Record{States: []rules.GroupState{state("a", "last")}}); err != nil {
			t.Fatal(err)
		}
		w.stop()
		w, states := newWorld(t, folder)
		defer w.stop()
		if got, want := statesText(states), "a=last"; got != want {
			t.Errorf("recovered %q, want %q", got, want)
		}
	})
}

// A store that is closed takes nothing, as a disk that is full does not.
func TestEverythingGoesOnWithoutTheDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := newSink(false)
		w, _ := newWorld(t, t.TempDir(), sink)
		if err := w.store.Close(); err != nil {
			t.Fatal(err)
		}
		w.keep(rules.Record{
			States: []rules.GroupState{state("a", "1")},
			Told:   []rules.Notification{notification("A", false, false)}, Series: samples("a", 1, 1),
		})
		synctest.Wait()
		if got := w.notifier.heard(); got != "A firing" {
			t.Errorf("told %q", got)
		}
		if got := sink.lines(); !slices.Equal(got, []string{"a@1"}) {
			t.Errorf("wrote %q", got)
		}
		if !w.metric("tocsin_journal_unkept_samples_total 1") {
			t.Error("the sample is not counted as kept in memory only")
		}
		if len(w.journal.owed.puts) != 1 || len(w.journal.owed.series) != 1 {
			t.Errorf("%d values and %d samples are owed to the disk, want the state and its result",
				len(w.journal.owed.puts), len(w.journal.owed.series))
		}
		_ = w.journal.Close(t.Context())
	})
}

// A commit that fails must not let the next one store memory of evaluations whose
// results are on no disk.
func TestResultsOfAFailedCommitAreStoredWithTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		folder, sink := t.TempDir(), newSink(true)
		w, _ := newWorld(t, folder, sink)
		w.journal.owed = debt{
			puts:   []store.Put{{Key: stateKey(state("a", "").Group), Value: []byte("1")}},
			series: samples("a", 1, 2),
		}
		w.keep(rules.Record{Series: samples("a", 3, 3)})
		w.stop()
		sink = newSink(false)
		w, states := newWorld(t, folder, sink)
		defer w.stop()
		synctest.Wait()
		if got, want := statesText(states), "a=1"; got != want {
			t.Errorf("recovered %q, want %q", got, want)
		}
		if got, want := strings.Join(sink.lines(), " "), "a@1 a@2 a@3"; got != want {
			t.Errorf("wrote %q, want %q", got, want)
		}
	})
}
