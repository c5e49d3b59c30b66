package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"syscall"
	"testing"
)

func TestRowsStayUntilEveryTargetHasSettledThem(t *testing.T) {
	r := newRig(t, Options{})
	r.commit("one")
	two := r.commit("two", put("k", "v"))
	r.commit("", put("k", "w"))
	three := r.commit("three")
	r.wantRows("a", "one", "two", "three")
	r.wantRows("b", "one", "two", "three")
	r.Settle("a", two)
	r.Settle("b", three)
	r.Settle("b", two) // a cursor never goes back
	r.wantRows("a", "three")
	r.wantRows("b")
	r.restart()
	r.wantRows("a", "three")
	r.wantRows("b")
	r.Settle("a", three+100)
	four := r.commit("four")
	r.wantRows("a", "four")
	if four <= three {
		t.Errorf("commit %d after %d", four, three)
	}
}

func TestCursorsBecomeDurableWithALaterCommit(t *testing.T) {
	r := newRig(t, Options{})
	one := r.commit("one")
	r.commit("two")
	r.Settle("a", one)
	r.reopen() // as after a kill
	r.wantRows("a", "one", "two")
	r.Settle("a", one)
	r.commit("", put("k", "v"))
	r.reopen()
	r.wantRows("a", "two")
}

func TestReaderGoesOnWhereItWas(t *testing.T) {
	r := newRig(t, Options{})
	reader := r.Reader("a")
	next := func(want string) {
		t.Helper()
		b, err := reader.Next()
		if want == "" {
			if err != io.EOF {
				t.Fatalf("got %q and %v, want io.EOF", b.Rows, err)
			}
			return
		}
		if err != nil || string(b.Rows) != want {
			t.Fatalf("got %q and %v, want %q", b.Rows, err, want)
		}
	}
	next("")
	r.commit("one")
	next("one")
	next("")
	r.commit("two")
	r.commit("three")
	four := r.commit("four")
	next("two")
	r.Settle("a", four-1)
	next("four")
	reader.Close()
	r.commit("five")
	next("five")
	next("")
}

func TestLargeRowsAreReadWhole(t *testing.T) {
	r := newRig(t, Options{Targets: []string{"a"}})
	want := []string{
		string(r.noise(5*chunkSize + 1)),
		strings.Repeat("text", 100_000),
		"small",
	}
	for _, rows := range want {
		r.commit(rows, Put{Key: "k", Value: r.noise(2 * chunkSize)})
	}
	r.wantRows("a", want...)
	r.restart()
	r.wantRows("a", want...)
}

func TestUnknownTargetGetsWhatComesFromNowOn(t *testing.T) {
	r := newRig(t, Options{Targets: []string{"a"}})
	r.commit("one")
	r.options.Targets = []string{"b", "a"}
	r.restart()
	r.commit("two")
	r.wantRows("a", "one", "two")
	r.wantRows("b", "two")
	r.options.Targets = []string{"b"}
	r.restart()
	r.commit("three")
	r.options.Targets = []string{"a", "b"}
	r.restart()
	r.wantRows("a")
	r.wantRows("b", "two", "three")
}

func TestRowsAreNotKeptWithoutTargets(t *testing.T) {
	r := newRig(t, Options{Targets: []string{}})
	before := r.commit("", put("k", "v"))
	size := r.disk.bytes()
	if got := r.commit("rows"); got != before {
		t.Errorf("commit is number %d, want that of the last, %d", got, before)
	}
	if got := r.disk.bytes(); got != size {
		t.Errorf("%d bytes on disk, want %d", got, size)
	}
}

func TestReaderOfUnknownTargetPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	newRig(t, Options{}).Reader("z")
}

func TestDamagedRowsArePassedOverAndCounted(t *testing.T) {
	r := newRig(t, Options{})
	one := r.commit("one")
	r.commit("twotwo")
	r.commit("three")
	r.Settle("b", one)
	data := r.disk.files[r.disk.segments()[0]].data
	data[strings.Index(string(data), "one")] ^= 1
	data[strings.Index(string(data), "twotwo")] ^= 1
	r.wantRows("a", "three")
	r.wantRows("b", "three")
	if got := r.book.messages(slog.LevelError); len(got) != 2 {
		t.Errorf("logged %q, want two errors", got)
	}
	r.wantMetric(`tocsin_journal_dropped_samples_total{target="a",reason="damaged"}`, "9")
	r.wantMetric(`tocsin_journal_dropped_samples_total{target="b",reason="damaged"}`, "6")
	r.wantMetric(`tocsin_journal_waiting_samples{target="a"}`, "5")
}

func TestReaderMayBeAskedAgainAfterAnErrorOfOpening(t *testing.T) {
	r := newRig(t, Options{})
	r.commit("one")
	r.disk.fail = func(op, _ string) error {
		if op == "open" {
			return &fs.PathError{Op: op, Path: "x", Err: syscall.EMFILE}
		}
		return nil
	}
	reader := r.Reader("a")
	if _, err := reader.Next(); !errors.Is(err, syscall.EMFILE) {
		t.Fatalf("error is %v, want EMFILE", err)
	}
	r.disk.fail = nil
	if b, err := reader.Next(); err != nil || string(b.Rows) != "one" {
		t.Errorf("got %q and %v, want the rows", b.Rows, err)
	}
}

func TestReadersAndCommitsDoNotDisturbOneAnother(t *testing.T) {
	const commits = 120
	s, err := Open(Options{
		Path: t.TempDir(), SegmentBytes: minSegmentBytes, Targets: []string{"fast", "slow"},
		Metrics: newRig(t, Options{}).options.Metrics, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	var readers sync.WaitGroup
	read := func(target string, settleEvery int) {
		reader := s.Reader(target)
		defer reader.Close()
		for n := 0; n < commits; {
			b, err := reader.Next()
			if err == io.EOF {
				s.waiting(target)
				continue
			}
			if want := fmt.Sprint("rows ", n, strings.Repeat(" etc", n)); err != nil || string(b.Rows) != want {
				t.Errorf("%s read %.20q and %v, want %.20q", target, b.Rows, err, want)
				return
			}
			if n++; n%settleEvery == 0 {
				s.Settle(target, b.Seq)
			}
		}
	}
	readers.Go(func() { read("fast", 1) })
	readers.Go(func() { read("slow", 100) })
	random := newRig(t, Options{})
	for n := range commits {
		rows := fmt.Sprint("rows ", n, strings.Repeat(" etc", n))
		puts := []Put{{Key: fmt.Sprint(n % 7), Value: random.noise(3000)}, {Key: fmt.Sprint("cold ", n%30), Value: random.noise(50)}}
		if _, err := s.Commit(puts, []byte(rows), 1); err != nil {
			t.Error(err)
		}
	}
	readers.Wait()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// A Reader may be about to open a segment when that goes.
func TestRowsThatGoWhileTheyAreReadAreNotTakenForDamaged(t *testing.T) {
	r := newRig(t, Options{MaxBytes: 1 << 20})
	r.commit("one")
	segment, b, ok, err := r.ledger.next(r.ledger.target("b"), 0)
	if !ok || err != nil {
		t.Fatalf("found nothing: %v", err)
	}
	r.outage(100)
	if _, exists := r.disk.files[segmentName(segment.id)]; exists {
		t.Fatal("the segment is still there")
	}
	if r.ledger.dropBatch(segment, b) {
		t.Error("the rows count as dropped a second time")
	}
}

func TestRowsOfAMissingFileAreDropped(t *testing.T) {
	r := newRig(t, Options{})
	r.commit("one")
	r.reopen()
	r.commit("two")
	delete(r.disk.files, r.disk.segments()[0])
	r.wantRows("a", "two")
	r.wantMetric(`tocsin_journal_dropped_samples_total{target="a",reason="damaged"}`, "3")
}
