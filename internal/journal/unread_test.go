package journal

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/config"
	"tocsin/rules"
)

// blind makes the files of the journal impossible to open, as when a process has
// too many open files, until see is called.
func (w *world) blind() (see func()) {
	w.t.Helper()
	must := func(err error) {
		if err != nil {
			w.t.Fatal(err)
		}
	}
	segments, err := filepath.Glob(filepath.Join(w.folder, "*.seg"))
	must(err)
	for _, s := range segments {
		must(os.Rename(s, s+".aside"))
		must(os.Symlink(filepath.Base(s), s)) // a link to itself
	}
	return func() {
		for _, s := range segments {
			must(os.Remove(s))
			must(os.Rename(s+".aside", s))
		}
	}
}

func TestResultsThatCannotBeReadForAMomentAreNotPassedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := newSink(true)
		w, _ := newWorld(t, t.TempDir(), sink)
		defer w.stop()
		const size = maxFresh - 1
		w.keep(rules.Record{Series: samples("a", 1, size)})        // waits in memory
		w.keep(rules.Record{Series: samples("a", size+1, size+9)}) // waits on disk
		see := w.blind()
		sink.empty()
		synctest.Wait()
		w.keep(rules.Record{Series: samples("a", size+10, size+10)})
		time.Sleep(3 * tidyEvery)
		synctest.Wait()
		if n := len(sink.lines()); n != size {
			t.Errorf("%d samples written, want the %d of before those that cannot be read", n, size)
		}
		sink.settle()
		w.journal.Settle()
		see()
		time.Sleep(tidyEvery)
		synctest.Wait()
		var want []string
		for _, s := range samples("a", 1, size+10) {
			want = append(want, lineOf(&s))
		}
		if got := sink.lines(); !slices.Equal(got, want) {
			t.Errorf("%d samples written, want all %d in order", len(got), len(want))
		}
		if n := w.log.count("cannot be read back"); n != 1 {
			t.Errorf("logged %d times, want once", n)
		}
		if n := w.log.count("read back from disk again"); n != 1 {
			t.Errorf("logged %d times that the disk is read again, want once", n)
		}
		if !w.metric("tocsin_journal_read_errors_total 4") {
			t.Error("not every attempt is counted")
		}
	})
}

// Neither reading nor writing: what is in memory must not wait for the disk.
func TestDeadDiskDoesNotHoldUpWhatIsInMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := newSink(true)
		w, _ := newWorld(t, t.TempDir(), sink)
		p := w.journal.pumps[0]
		w.keep(rules.Record{Series: samples("a", 1, maxFresh)})
		w.keep(rules.Record{Series: samples("b", 1, 1)}) // on disk
		see := w.blind()
		sink.empty()
		synctest.Wait()
		p.offer(parcel{series: samples("c", 1, 1)}) // of a commit that failed
		time.Sleep(2 * tidyEvery)
		synctest.Wait()
		if got := sink.lines(); len(got) != maxFresh+1 || got[maxFresh] != "c@1" {
			t.Errorf("%d samples written, want %d and c@1", len(got), maxFresh)
		}
		see()
		time.Sleep(tidyEvery)
		synctest.Wait()
		if got := sink.lines(); got[len(got)-1] != "b@1" {
			t.Errorf("written last: %s, want b@1, which can be read again", got[len(got)-1])
		}
		w.stop()
	})
}

func TestDamagedResultsAreNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := newSink(true)
		w, _ := newWorld(t, t.TempDir(), sink)
		defer w.stop()
		w.keep(rules.Record{Series: samples("a", 1, maxFresh)})
		w.keep(rules.Record{Series: samples("b", 1, 3)}) // on disk
		segments, err := filepath.Glob(filepath.Join(w.folder, "*.seg"))
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range segments {
			data, err := os.ReadFile(s)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(s, []byte(strings.Replace(string(data), "b@1", "b@x", 1)), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		sink.empty()
		synctest.Wait()
		w.keep(rules.Record{Series: samples("c", 1, 1)})
		synctest.Wait()
		if got := sink.lines(); len(got) != maxFresh+1 || got[maxFresh] != "c@1" {
			t.Errorf("%d samples written, want %d and c@1", len(got), maxFresh)
		}
		if !w.metric(`tocsin_journal_dropped_samples_total{target="0",reason="damaged"} 3`) {
			t.Error("not counted")
		}
	})
}

func TestTooLargeCommitIsHandedOnAndLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := newSink(false)
		w, _ := newWorld(t, t.TempDir(), sink)
		defer w.stop()
		longName := rules.GroupState{Group: config.Key{Name: strings.Repeat("x", 2<<20)}, Data: []byte("1")}
		for range 2 {
			w.keep(rules.Record{
				States: []rules.GroupState{longName},
				Told:   []rules.Notification{notification("A", false, false)}, Series: samples("a", 1, 1),
			})
		}
		synctest.Wait()
		if got, want := w.notifier.heard(), "A firing, A firing"; got != want {
			t.Errorf("told %q, want %q", got, want)
		}
		if got, want := strings.Join(sink.lines(), " "), "a@1 a@1"; got != want {
			t.Errorf("wrote %q, want %q", got, want)
		}
		if n := w.log.count("too much for the journal"); n != 1 {
			t.Errorf("logged %d times, want once", n)
		}
		for _, line := range []string{
			"tocsin_journal_commit_errors_total 2", "tocsin_journal_lost_samples_total 0", "tocsin_journal_unkept_samples_total 2",
		} {
			if !w.metric(line) {
				t.Errorf("metrics do not have %s", line)
			}
		}
	})
}
