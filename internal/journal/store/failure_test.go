package store

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var errIO = errors.New("input/output error")

// failing makes the operations named in ops fail.
func (d *fakeDisk) failing(ops ...string) {
	d.fail = func(op, _ string) error {
		for _, o := range ops {
			if o == op {
				return errIO
			}
		}
		return nil
	}
}

func TestCommitThatFailsChangesNothing(t *testing.T) {
	for _, ops := range [][]string{
		{"write"}, {"sync"}, {"create"}, {"syncfolder"},
		{"write", "truncate"}, {"write", "remove"}, {"sync", "remove", "truncate"}, {"syncfolder", "remove"},
	} {
		for _, fresh := range []bool{false, true} {
			t.Run(fmt.Sprint(ops, fresh), func(t *testing.T) {
				commitFails(t, ops, fresh)
			})
		}
	}
}

// commitFails lets a commit fail when the newest segment is fresh, or not.
func commitFails(t *testing.T, ops []string, fresh bool) {
	r := newRig(t, Options{})
	r.commit("one", put("k", "1"), put("l", "1"))
	if fresh {
		r.restart()
	}
	reader := r.Reader("a")
	r.disk.failing(ops...)
	for i := range 3 {
		rows := strings.Repeat("lost ", 1+100_000*i)
		_, err := r.Commit([]Put{put("k", "lost"), remove("l"), put("m", "lost")}, []byte(rows), len(rows))
		if err == nil {
			if !fresh && (ops[0] == "create" || ops[0] == "syncfolder") {
				return // the segment is there already
			}
			t.Fatal("no error")
		}
		if !errors.Is(err, errIO) {
			t.Fatalf("error is %v", err)
		}
		r.wantValues(map[string]string{"k": "1", "l": "1"})
		r.wantRows("a", "one")
	}
	r.wantMetric("tocsin_journal_degraded", "1")
	r.wantMetric("tocsin_journal_commit_errors_total", "3")
	r.disk.fail = nil
	r.commit("two", put("k", "2"))
	r.wantMetric("tocsin_journal_degraded", "0")
	for _, want := range []string{"one", "two"} {
		if b, err := reader.Next(); err != nil || string(b.Rows) != want {
			t.Fatalf("read %.10q and %v, want %q", b.Rows, err, want)
		}
	}
	for range 10 {
		cut := *r
		cut.disk = r.disk.powerCut()
		cut.reopen()
		cut.wantValues(map[string]string{"k": "2", "l": "1"})
		cut.wantRows("b", "one", "two")
		cut.commit("three")
	}
	r.restart()
	r.wantValues(map[string]string{"k": "2", "l": "1"})
	r.wantRows("b", "one", "two")
	r.wantMetric("tocsin_journal_size_bytes", fmt.Sprint(r.disk.bytes()))
}

func TestFullDiskIsToldOnceAndRecoversWhenThereIsRoom(t *testing.T) {
	r := newRig(t, Options{})
	r.commit("one", put("k", "1"))
	r.disk.room = 10_000
	for range 5 {
		_, err := r.Commit([]Put{{"k", r.noise(20_000)}}, []byte("lost"), 4)
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("error is %v, want ENOSPC", err)
		}
	}
	if got := r.book.messages(slog.LevelError); len(got) != 1 {
		t.Errorf("logged %q, want one error", got)
	}
	r.disk.room = plenty
	r.commit("two", put("k", "2"))
	r.commit("three")
	want := []string{"journal is written again"}
	if diff := cmp.Diff(want, r.book.messages(slog.LevelInfo)); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
	r.wantMetric("tocsin_journal_commit_errors_total", "5")
	r.restart()
	r.wantValues(map[string]string{"k": "2"})
	r.wantRows("a", "one", "two", "three")
}

func TestFailedCommitLeavesNoBytesBehind(t *testing.T) {
	r := newRig(t, Options{})
	r.commit("one")
	before := r.disk.bytes()
	r.disk.room = 500_000
	if _, err := r.Commit([]Put{{"k", r.noise(1_000_000)}}, nil, 0); err == nil {
		t.Fatal("no error")
	}
	if got := r.disk.bytes(); got != before {
		t.Errorf("%d bytes on a full disk, want %d", got, before)
	}
}

// A disk that is full has room again when old segments go.
func TestFullDiskFreesWhatIsNotNeeded(t *testing.T) {
	r := newRig(t, Options{Targets: []string{"a"}, SegmentBytes: minSegmentBytes})
	for range 10 {
		r.commit(string(r.noise(30_000)))
	}
	segments := len(r.disk.segments())
	r.Settle("a", r.ledger.last)
	r.disk.room = 100
	if _, err := r.Commit(nil, []byte("x"), 1); err == nil {
		t.Fatal("no error")
	}
	if got := len(r.disk.segments()); got >= segments {
		t.Errorf("%d segments, want less than %d", got, segments)
	}
}

func TestSegmentThatCannotBeRemovedIsTriedAgain(t *testing.T) {
	r := newRig(t, Options{Targets: []string{"a"}, SegmentBytes: minSegmentBytes})
	r.disk.failing("remove")
	for range 20 {
		r.Settle("a", r.commit(string(r.noise(30_000))))
	}
	if got := r.metric("tocsin_journal_remove_errors_total"); got == "0" {
		t.Error("no errors are counted")
	}
	r.wantRows("a")
	r.disk.fail = nil
	for range 4 {
		r.Settle("a", r.commit("x"))
	}
	if got := len(r.disk.segments()); got > 2 {
		t.Errorf("%d segments are left", got)
	}
	r.restart()
	r.wantRows("a")
}

// A removed segment that comes back is harmless only as long as the ones after it
// are there too.
func TestSegmentsAreRemovedDurablyInOrder(t *testing.T) {
	r := newRig(t, Options{Targets: []string{"a"}, SegmentBytes: minSegmentBytes})
	for range 30 {
		r.commit(string(r.noise(30_000)))
	}
	r.Settle("a", r.ledger.last)
	for range 6 {
		r.commit("x", put("k", "v"))
		for range 30 {
			cut := *r
			cut.disk = r.disk.powerCut()
			cut.reopen()
			cut.wantValues(map[string]string{"k": "v"})
		}
	}
	if got := len(r.disk.segments()); got > 2 {
		t.Errorf("%d segments are left", got)
	}
}

func TestCursorsOfAFailedCommitAreWrittenAgain(t *testing.T) {
	r := newRig(t, Options{})
	one := r.commit("one")
	r.Settle("a", one)
	r.disk.failing("write")
	if _, err := r.Commit(nil, nil, 0); err == nil {
		t.Fatal("no error")
	}
	r.disk.fail = nil
	r.commit("")
	r.reopen()
	r.wantRows("a")
	r.wantRows("b", "one")
}
