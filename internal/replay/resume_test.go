package replay_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/internal/replay"
	"tocsin/rules"
)

// interrupted runs the replay until it has written so many batches.
func (w *world) interrupted(batches int) error {
	ctx, interrupt := context.WithCancel(context.Background())
	defer interrupt()
	w.sink.OnAppend(func(context.Context) error {
		if batches--; batches < 0 {
			interrupt()
			return context.Canceled
		}
		return nil
	})
	defer w.sink.OnAppend(nil)
	_, err := replay.Run(ctx, w.options)
	return err
}

// files returns the names of what is in the folder of records.
func (w *world) files() (names []string) {
	all, err := os.ReadDir(w.dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		w.t.Fatal(err)
	}
	for _, f := range all {
		names = append(names, filepath.Ext(f.Name()))
	}
	return names
}

func TestInterruptedReplayGoesOn(t *testing.T) {
	w := newWorld(t)
	w.counts("x")
	w.counts("y")
	g := group("g", recording("r", "x"), recording("s", "y"))
	w.options.Asking.MaxPoints = 4
	want := w.mustReplay(g)

	record := w.recorded()
	w.groups(g)
	err := w.interrupted(4)
	if !errors.Is(err, replay.ErrInterrupted) || !strings.Contains(err.Error(), "run the same command again") {
		t.Errorf("error is %v, want it to say how to go on", err)
	}
	if err := record.Close(); err != nil {
		t.Fatal(err)
	}
	before := shown(w.sink.Appended())
	w.datasource.AskedRanges()

	record = w.recorded()
	both := append(before, w.mustReplay(g)...)
	slices.Sort(both)
	if diff := cmp.Diff(want, both); diff != "" {
		t.Errorf("written by both (-without interruption +got):\n%s", diff)
	}
	for _, q := range w.datasource.AskedRanges() {
		if q.Expr == "x" {
			t.Error("a rule that was done is asked for again")
		}
	}
	if err := record.Close(); err != nil {
		t.Fatal(err)
	}
	if left := w.files(); len(left) > 0 {
		t.Errorf("the complete replay leaves %q", left)
	}
}

// What was skipped before an interruption is not forgotten.
func TestInterruptedReplayStaysIncomplete(t *testing.T) {
	w := newWorld(t)
	w.counts("x")
	w.options.Asking.MaxPoints, w.options.Asking.SkipFailing = 2, true
	w.datasource.HookRange(func(_ context.Context, q rules.RangeQuery) error {
		if q.From.Equal(start) {
			return rules.ErrRejected
		}
		return nil
	})
	record := w.recorded()
	w.groups(group("g", recording("r", "x")))
	_ = w.interrupted(1)
	record.Close()
	record = w.recorded()
	defer record.Close()
	s, err := w.replay(group("g", recording("r", "x")))
	if !errors.Is(err, replay.ErrIncomplete) || s.Skipped != 2 || s.Evaluations != 7 {
		t.Errorf("%+v, %v; want it to be as incomplete as before", s, err)
	}
}

// The end of a period that was open at first stays where it was.
func TestInterruptedReplayKeepsItsEnd(t *testing.T) {
	w := newWorld(t)
	w.options.Period.Open = true
	w.leftOff().Close()
	record := w.recorded()
	defer record.Close()
	got, ok := record.Period()
	if !ok || !got.From.Equal(w.options.Period.From) || !got.To.Equal(w.options.Period.To) || !got.Open {
		t.Errorf("period is %v, %t; want that of the interrupted replay", got, ok)
	}
}

func TestReplayStartsAfreshIfWanted(t *testing.T) {
	w := newWorld(t)
	w.leftOff().Close()
	record, err := replay.OpenRecord(w.dir, "the same", true)
	if err != nil {
		t.Fatal(err)
	}
	defer record.Close()
	w.options.Record = record
	w.sink.Appended()
	if got := w.mustReplay(group("g", recording("r", "x"))); len(got) != 11 {
		t.Errorf("%d samples, want all eleven", len(got))
	}
}

func TestRecordTellsReplaysApart(t *testing.T) {
	w := newWorld(t)
	defer w.leftOff().Close()
	other, err := replay.OpenRecord(w.dir, "another", false)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, ok := other.Period(); ok {
		t.Error("another replay goes on with this one")
	}
	if _, err := replay.OpenRecord(w.dir, "the same", false); !errors.Is(err, replay.ErrRunning) {
		t.Errorf("error is %v, want ErrRunning", err)
	}
}

func TestDamagedRecordIsSaid(t *testing.T) {
	w := newWorld(t)
	w.leftOff().Close()
	paths, _ := filepath.Glob(filepath.Join(w.dir, "*.json"))
	for _, text := range []string{"", "{", `{"Version":9}`} {
		if err := os.WriteFile(paths[0], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		record, err := replay.OpenRecord(w.dir, "the same", false)
		if !errors.Is(err, replay.ErrBadRecord) {
			t.Fatalf("with %q the error is %v, want ErrBadRecord", text, err)
		}
		if _, ok := record.Period(); ok {
			t.Errorf("with %q it goes on", text)
		}
		record.Close()
	}
}

func TestStateOfARuleMustFit(t *testing.T) {
	w := newWorld(t)
	w.leftOff().Close()
	w.recorded()
	defer w.options.Record.Close()
	w.options.Period.To = start.Add(time.Minute / 2)
	if _, err := w.replay(group("g", recording("r", "x"))); !errors.Is(err, replay.ErrBadRecord) {
		t.Errorf("error is %v, want ErrBadRecord", err)
	}
}

// Progress is recorded while the replay goes on, so that a crash costs little.
func TestProgressIsRecordedNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.counts("x")
		record := w.recorded()
		defer record.Close()
		w.options.Asking.MaxPoints = 1
		seen := false
		w.sink.OnAppend(func(context.Context) error {
			seen = seen || len(w.files()) > 1
			time.Sleep(time.Second)
			return nil
		})
		w.mustReplay(group("g", recording("r", "x")))
		if !seen {
			t.Error("nothing was recorded in the middle of the replay")
		}
	})
}

// What storage has not accepted is not done.
func TestUnsettledSamplesAreNotRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.counts("x")
		record := w.recorded()
		defer record.Close()
		w.groups(group("g", recording("r", "x")))
		w.options.Asking.MaxPoints = 1
		w.sink.OnFlush(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		began := time.Now()
		err := w.interrupted(3)
		if !errors.Is(err, replay.ErrInterrupted) || !strings.Contains(err.Error(), "a little earlier") {
			t.Errorf("error is %v, want it to say that some is done again", err)
		}
		if took := time.Since(began); took != w.options.Drain {
			t.Errorf("it took %s to end, want the time for draining", took)
		}
		for _, ext := range w.files() {
			if ext == ".json" {
				t.Error("progress was recorded")
			}
		}
	})
}
