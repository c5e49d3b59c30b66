package store

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// outage commits results that target "b" does not settle, n times 20 kB, and
// returns the size to which the folder grew.
func (r *rig) outage(n int) (most int64) {
	for range n {
		r.Settle("a", r.commit(string(r.noise(20_000)), Put{Key: "hot", Value: r.noise(5000)}))
		most = max(most, r.disk.bytes())
	}
	return most
}

func TestOldestRowsAreDroppedWhenTheFolderIsFull(t *testing.T) {
	const limit = 2 << 20
	r := newRig(t, Options{MaxBytes: limit})
	r.commit("", put("cold", "x"))
	if most := r.outage(60); most > limit {
		t.Errorf("the folder grew to %d bytes", most)
	}
	r.wantMetric(`tocsin_journal_dropped_samples_total{target="b",reason="journal_full"}`, "0")
	kept := len(r.readAll("b"))
	if most := r.outage(200); most > limit {
		t.Errorf("the folder grew to %d bytes", most)
	}
	want := []string{"journal is full, its oldest results are dropped"}
	if diff := cmp.Diff(want, r.book.messages(slog.LevelWarn)); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
	r.wantMetric(`tocsin_journal_dropped_samples_total{target="a",reason="journal_full"}`, "0")
	left := len(r.readAll("b"))
	if left < kept*9/10 {
		t.Errorf("%d batches are left, want about %d", left, kept)
	}
	dropped := strconv.Itoa((260 - left) * 20_000)
	r.wantMetric(`tocsin_journal_dropped_samples_total{target="b",reason="journal_full"}`, dropped)

	// The target is back.
	r.Settle("b", r.ledger.last)
	r.outage(1)
	want = []string{"journal has room again"}
	if diff := cmp.Diff(want, r.book.messages(slog.LevelInfo)); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
	r.outage(5)
	if got := r.book.messages(slog.LevelInfo); len(got) > 0 {
		t.Errorf("logged %q again", got)
	}
	if got := r.values()["cold"]; got != "x" {
		t.Error("a value was dropped")
	}
}

func TestRowsThatWereDroppedStayDropped(t *testing.T) {
	r := newRig(t, Options{MaxBytes: 1 << 20})
	r.outage(100)
	want := r.readAll("b")
	if len(want) == 100 {
		t.Fatal("nothing was dropped")
	}
	reader := r.Reader("b")
	if b, err := reader.Next(); err != nil || string(b.Rows) != want[0] {
		t.Fatalf("a reader begins with %.10q and %v", b.Rows, err)
	}
	r.outage(20) // drops what it would read next
	b, err := reader.Next()
	if err != nil {
		t.Fatal(err)
	}
	if again := r.readAll("b"); string(b.Rows) != again[0] {
		t.Error("the reader does not go on with the oldest that is left")
	}
	r.restart()
	r.outage(1)
	if got := r.readAll("b"); len(got) > len(want)+1 {
		t.Errorf("%d batches after %d", len(got), len(want))
	}
}

func TestValuesAreKeptEvenBeyondTheBound(t *testing.T) {
	r := newRig(t, Options{MaxBytes: 1 << 20})
	want := map[string]string{}
	for i := range 150 {
		key := fmt.Sprint("group ", i)
		want[key] = string(r.noise(10_000))
		r.commit("rows", put(key, want[key]))
	}
	for range 500 {
		want["hot"] = string(r.noise(10_000))
		r.Settle("a", r.commit("rows", put("hot", want["hot"])))
	}
	r.wantValues(want)
	if got, limit := r.disk.bytes(), 3*r.stateBytes(); got > limit {
		t.Errorf("%d bytes on disk, want at most %d", got, limit)
	}
	r.restart()
	r.wantValues(want)
}

func TestTargetThatIsNotNamedAnyMoreHoldsNothingBack(t *testing.T) {
	r := newRig(t, Options{SegmentBytes: minSegmentBytes})
	r.outage(50)
	r.options.Targets = []string{"a"}
	r.restart()
	r.outage(20)
	if got := len(r.disk.segments()); got > 3 {
		t.Errorf("%d segments are left", got)
	}
	if got := r.metric(`tocsin_journal_dropped_samples_total{target="a",reason="journal_full"}`); got != "0" {
		t.Errorf("%s samples were dropped", got)
	}
}

func TestSegmentsAreSmallInSmallFolders(t *testing.T) {
	for _, test := range []struct{ segment, max, want int64 }{
		{0, 0, 4 << 20},
		{1 << 20, 0, 1 << 20},
		{0, 1 << 30, 4 << 20},
		{0, 8 << 20, 1 << 20},
		{0, 1, minSegmentBytes},
		{1, 0, minSegmentBytes},
		{8 << 30, 0, maxSegmentBytes},
	} {
		got := boundsOf(Options{SegmentBytes: test.segment, MaxBytes: test.max}).segment
		if got != test.want {
			t.Errorf("segments of %d in a folder of %d: %d, want %d", test.segment, test.max, got, test.want)
		}
	}
}

func TestLargeCommitMakesALargeSegment(t *testing.T) {
	r := newRig(t, Options{Targets: []string{"a"}, SegmentBytes: minSegmentBytes})
	r.commit("x", put("k", "1"))
	text := strings.Repeat("abcdefghij", 20_000)
	r.commit(text, Put{Key: "l", Value: r.noise(20 * minSegmentBytes)})
	r.commit("y")
	if got := len(r.disk.segments()); got != 2 {
		t.Errorf("%d segments, want 2", got)
	}
	r.restart()
	r.wantRows("a", "x", text, "y")
}
