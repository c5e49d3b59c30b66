package store

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The load the bound on the folder is meant for, for ten minutes: 200 groups that
// remember 3 MB, compressed to a third, and results of 1 MB every 10 s.
func TestSteadyLoadStaysSmallOnDisk(t *testing.T) {
	const groups, commits = 200, 10
	r := newRig(t, Options{Targets: []string{"a"}})
	most := int64(0)
	for round := range 60 {
		for c := range commits {
			var puts []Put
			for g := c; g < groups; g += commits {
				state := append(r.noise(5000), make([]byte, 10_000)...)
				puts = append(puts, Put{Key: "group " + strconv.Itoa(g), Value: state})
			}
			seq, err := r.Commit(puts, r.noise(1<<20/commits), 2000)
			if err != nil {
				t.Fatal(err)
			}
			if round > 0 && c > 2 {
				r.Settle("a", seq-2)
			}
			most = max(most, r.disk.bytes())
		}
	}
	if most > 24<<20 {
		t.Errorf("the folder grew to %d bytes", most)
	}
	if len(r.values()) != groups {
		t.Errorf("%d values are left", len(r.values()))
	}
}

// Values that are hardly ever replaced are copied again and again, but no commit
// copies much, and the folder stays in proportion.
func TestColdValuesAreCopiedInSmallPortions(t *testing.T) {
	r := newRig(t, Options{Targets: []string{"a"}, SegmentBytes: 256 << 10})
	want := map[string]string{}
	for i := range 400 {
		key, value := fmt.Sprint("cold ", i), string(r.noise(20_000))
		want[key] = value
		r.commit("", put(key, value))
	}
	want["huge"] = string(r.noise(3 << 20))
	r.commit("", put("huge", want["huge"]))
	live := r.stateBytes()
	const hot = 50_000
	most, largest, copied, before := int64(0), int64(0), int64(0), r.count("written")
	for i := range 1000 {
		want["hot"] = string(r.noise(hot))
		r.Settle("a", r.commit("x", put("hot", want["hot"])))
		most = max(most, r.disk.bytes())
		largest = max(largest, r.count("written")-before)
		before = r.count("written")
		if i%100 == 50 {
			copied += r.count("copied")
			r.restart()
			before = r.count("written")
			r.wantValues(want)
		}
	}
	r.wantValues(want)
	if limit := sprawl*live + live/2 + (slack+2)*r.bounds.segment; most > limit {
		t.Errorf("the folder grew to %d bytes, want at most %d", most, limit)
	}
	if limit := int64(3<<20 + 2*moveQuantum + 4*hot); largest > limit {
		t.Errorf("a commit wrote %d bytes, want at most %d", largest, limit)
	}
	if copied < live {
		t.Errorf("%d bytes were copied, want all that live at least once, %d", copied, live)
	}
}

func (r *rig) stateBytes() int64 {
	n, err := strconv.ParseFloat(r.metric("tocsin_journal_state_bytes"), 64)
	if err != nil {
		r.t.Fatal(err)
	}
	return int64(n)
}

// count returns the bytes that were written, or copied, since the last restart.
func (r *rig) count(what string) int64 {
	n, err := strconv.ParseInt(r.metric("tocsin_journal_"+what+"_bytes_total"), 10, 64)
	if err != nil {
		r.t.Fatal(err)
	}
	return n
}

// churn makes commits until the oldest segment is another.
func (r *rig) churn() {
	r.t.Helper()
	oldest := r.ledger.oldest()
	for range 1000 {
		r.Settle("a", r.commit("x", Put{Key: "hot", Value: r.noise(20_000)}))
		if r.ledger.oldest() != oldest {
			return
		}
	}
	r.t.Fatal("the oldest segment stays")
}

func TestFailedCommitIsNoReasonToForgetAValue(t *testing.T) {
	r := newRig(t, Options{Targets: []string{"a"}, SegmentBytes: minSegmentBytes})
	r.commit("", put("cold", "x"), Put{Key: "large", Value: r.noise(minSegmentBytes)})
	for range 30 {
		r.disk.failing("sync")
		for range 3 {
			if _, err := r.Commit([]Put{{"hot", r.noise(20_000)}}, nil, 0); err == nil {
				t.Fatal("no error")
			}
		}
		r.disk.fail = nil
		r.Settle("a", r.commit("x", Put{Key: "hot", Value: r.noise(20_000)}))
	}
	if r.ledger.oldest().id == 1 {
		t.Error("the first segment is still there")
	}
	r.restart()
	if got := r.values(); got["cold"] != "x" || len(got["large"]) != minSegmentBytes {
		t.Errorf("values are lost: %d left", len(got))
	}
}

func TestRemovedKeyDoesNotComeBackWhenItsSegmentsGo(t *testing.T) {
	r := newRig(t, Options{Targets: []string{"a"}, SegmentBytes: minSegmentBytes})
	r.commit("", put("gone", "x"), put("cold", "x"), Put{Key: "large", Value: r.noise(minSegmentBytes)})
	r.commit("", remove("gone"))
	for range 10 {
		r.churn()
		r.reopen()
		if got := r.values(); got["gone"] != "" || got["cold"] != "x" {
			t.Fatalf("values are %.100q", got)
		}
	}
}

func TestDamagedValueIsGivenUpWhenItsSegmentGoes(t *testing.T) {
	r := newRig(t, Options{Targets: []string{"a"}, SegmentBytes: minSegmentBytes})
	r.commit("", put("bad", "x"), put("good", "x"), Put{Key: "large", Value: r.noise(3 * chunkSize)})
	at := r.location("large")
	r.disk.files[r.disk.segments()[0]].data[r.location("bad").place.offset+20] ^= 1
	r.disk.files[r.disk.segments()[0]].data[at.place.offset+at.place.size-1] ^= 1
	r.churn()
	if got := r.book.messages(slog.LevelError); len(got) != 1 {
		t.Errorf("logged %q, want one error", got)
	}
	r.wantMetric("tocsin_journal_lost_values_total", "2")
	r.wantMetric("tocsin_journal_degraded", "0")
	r.restart()
	if got := r.values(); got["good"] != "x" || len(got) != 2 {
		t.Errorf("%d values are left, want good and hot", len(got))
	}
}

func (r *rig) location(key string) location { return r.Store.values.at[key] }

func TestValueThatCannotBeOpenedIsTriedAgain(t *testing.T) {
	r := newRig(t, Options{Targets: []string{"a"}, SegmentBytes: minSegmentBytes})
	r.commit("", put("cold", "x"), Put{Key: "large", Value: r.noise(minSegmentBytes)})
	r.disk.fail = func(op, _ string) error {
		if op == "open" {
			return errors.New("too many open files")
		}
		return nil
	}
	for range 30 {
		r.Settle("a", r.commit("x", Put{Key: "hot", Value: r.noise(20_000)}))
	}
	if got := r.metric("tocsin_journal_copy_errors_total"); got == "0" {
		t.Error("no errors are counted")
	}
	r.disk.fail = nil
	r.churn()
	if got := r.values(); got["cold"] != "x" {
		t.Error("the value is lost")
	}
}

// While the values of a segment are copied, commit by commit, the rest of them may
// change.
func TestValuesThatChangeMeanwhileAreNotCopied(t *testing.T) {
	r := newRig(t, Options{Targets: []string{"a"}, SegmentBytes: minSegmentBytes})
	want := map[string]string{}
	var puts []Put
	for i := range 100 {
		p := Put{Key: fmt.Sprintf("cold %02d", i), Value: r.noise(30_000)}
		want[p.Key] = string(p.Value)
		puts = append(puts, p)
	}
	r.commit("", puts...)
	for r.count("copied") == 0 {
		r.commit("", Put{Key: "hot", Value: r.noise(100_000)})
	}
	copied := r.count("copied")
	var changes []Put
	for i := 50; i < 75; i++ {
		want[puts[i].Key] = "new"
		changes = append(changes, put(puts[i].Key, "new"))
	}
	for i := 75; i < 100; i++ {
		delete(want, puts[i].Key)
		changes = append(changes, remove(puts[i].Key))
	}
	r.commit("", changes...)
	r.churn()
	got := r.values()
	delete(got, "hot")
	if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	if !maps.Equal(want, got) {
		t.Error("values are not what was put last")
	}
	if copied == 0 || copied > 40*30_000 {
		t.Errorf("%d bytes had been copied before the values changed, want some of them", copied)
	}
}
