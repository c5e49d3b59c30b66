package store

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// A file may end anywhere when the process, or the machine, ends while it is
// written. Whatever of the last two commits is left, they count whole or not.
func TestFileCutAnywhereHasWholeCommitsOnly(t *testing.T) {
	r := newRig(t, Options{Targets: []string{"a"}})
	long := strings.Repeat("much", 1500)
	type state struct {
		values map[string]string
		rows   []string
		size   int64
	}
	var after []state
	note := func() { after = append(after, state{r.values(), r.readAll("a"), r.disk.bytes()}) }
	r.commit("one", put("k", "1"), put("gone", "1"))
	note()
	r.commit("two", put("k", string(r.noise(5000))), remove("gone"), put("new", long))
	note()
	r.commit(string(r.noise(400)), put("k", "3"))
	note()

	name := r.disk.segments()[0]
	whole := r.disk.files[name].data
	for size := int(after[0].size); size <= len(whole); size++ {
		if padding := whole[size-20 : size]; size%61 > 0 && bytes.Count(padding, []byte{0}) == len(padding) {
			continue // one place in the padding is like the other
		}
		r.disk = newFakeDisk()
		r.disk.put(name, whole[:size:size])
		r.reopen()
		last := int(r.ledger.last)
		if int64(size) >= after[1].size && last < 2 || last < 1 {
			t.Fatalf("cut at %d: only %d commits left", size, last)
		}
		want := after[last-1]
		r.wantValues(want.values)
		r.wantRows("a", want.rows...)
		if size%101 == 0 { // it goes on from there
			r.commit("more", put("more", "x"))
			r.restart()
			r.wantRows("a", append(want.rows, "more")...)
		}
	}
	if int(r.ledger.last) != 3 {
		t.Errorf("%d commits in the whole file", r.ledger.last)
	}
}

func TestCutIsToldQuietly(t *testing.T) {
	r := newRig(t, Options{})
	r.commit("one")
	r.commit("two")
	f := r.disk.files[r.disk.segments()[0]]
	f.data = f.data[:len(f.data)-blockSize+20]
	r.reopen()
	r.wantRows("a", "one")
	if got := r.book.messages(levelInfo); len(got) != 1 {
		t.Errorf("logged %q, want one line", got)
	}
	r.reopen()
	r.commit("two")
	r.commit("three")
	r.book.messages(levelInfo)
	r.reopen()
	r.wantRows("a", "one", "two", "three")
	if got := r.book.messages(levelInfo); len(got) != 0 {
		t.Errorf("logged %q although nothing is cut", got)
	}
}

// A new segment may be all that a crash has spoilt.
func TestSegmentThatWasNeverFinishedIsLeftOut(t *testing.T) {
	for cut := 0; cut < 2*blockSize; cut += 97 {
		r := newRig(t, Options{})
		r.commit("one", put("k", "1"))
		r.reopen()
		r.commit("two", put("k", "2"))
		f := r.disk.files[r.disk.segments()[1]]
		f.data = f.data[:cut]
		r.reopen()
		if r.ledger.last != 1 && cut < blockSize+100 {
			t.Fatalf("cut at %d: last commit is %d, want 1", cut, r.ledger.last)
		}
		if r.ledger.last == 1 {
			r.wantRows("a", "one")
			r.wantValues(map[string]string{"k": "1"})
		}
		r.commit("new", put("k", "3"))
		r.reopen()
		r.commit("newer")
		r.restart()
		r.wantValues(map[string]string{"k": "3"})
		if got := r.readAll("b"); len(got) < 3 || got[len(got)-1] != "newer" {
			t.Fatalf("cut at %d: rows %q", cut, got)
		}
	}
}

func TestManyRestartsDoNotLeaveManySegments(t *testing.T) {
	r := newRig(t, Options{})
	r.commit("", put("cold", "x"))
	for n := range 300 {
		r.reopen()
		r.Settle("a", r.ledger.last)
		r.Settle("b", r.ledger.last)
		r.commit(fmt.Sprint(n), put("hot", fmt.Sprint(n)))
	}
	if got := len(r.disk.segments()); got > 16*slack+removeMost {
		t.Errorf("%d segments", got)
	}
	r.wantValues(map[string]string{"cold": "x", "hot": "299"})
}

func TestWhatAKilledProcessLeftIsSyncedBeforeItIsBuiltUpon(t *testing.T) {
	r := newRig(t, Options{})
	r.commit("one")
	r.disk.fail = func(op, _ string) error {
		if op == "sync" {
			panic("killed")
		}
		return nil
	}
	func() {
		defer func() { _ = recover() }()
		_, _ = r.Commit(nil, []byte("two"), 3)
	}()
	r.disk.fail = nil
	r.reopen()
	r.wantRows("a", "one", "two") // the system has it all
	r.commit("three")
	for range 20 {
		cut := *r
		cut.disk = r.disk.powerCut()
		cut.reopen()
		cut.wantRows("a", "one", "two", "three")
	}
}

// The system may write the blocks of one commit in any order. What is left of it
// further on is no sign that it was complete.
func TestCommitWithoutItsBeginningDoesNotCount(t *testing.T) {
	r := newRig(t, Options{})
	r.commit("one")
	start := r.disk.bytes()
	first := blockSize - frameHeader - len("\x01k\x00\x00") // so that the second value begins with a block
	r.commit("two", Put{Key: "k", Value: r.noise(first)}, Put{Key: "l", Value: r.noise(100)})
	data := r.disk.files[r.disk.segments()[0]].data
	clear(data[start : start+blockSize])
	var second frames
	second.reset(r.disk.files[r.disk.segments()[0]], 1, start+blockSize, int64(len(data)))
	if _, err := second.next(); err != nil {
		t.Fatalf("the second value does not begin with a block: %v", err)
	}
	r.reopen()
	r.wantRows("a", "one")
	if len(r.disk.folders) > 0 {
		t.Error("it is taken for damage")
	}
}

func TestCommitWithoutAllItsFramesDoesNotCount(t *testing.T) {
	r := newRig(t, Options{})
	f, err := r.disk.open(segmentName(1), os.O_CREATE)
	if err != nil {
		t.Fatal(err)
	}
	for frames := range uint32(3) {
		var rec record
		rec.begin(f, 1, 1, 0)
		rec.header(segmentHeader{id: 1, first: 1})
		rec.removal("k")
		rec.frames = frames
		if err := rec.finish(time.UnixMilli(1)); err != nil {
			t.Fatal(err)
		}
		r.reopen()
		if counts := r.ledger.last == 1; counts != (frames == 1) {
			t.Errorf("a commit of 1 frame that says %d: counts is %v", frames, counts)
		}
	}
}

// When an fsync has failed, Linux takes what was to be written for written, and the
// next process cannot tell.
func TestCommitWhoseSyncFailedIsWrittenAgainBeforeItIsBuiltUpon(t *testing.T) {
	for _, fresh := range []bool{false, true} {
		for range 30 {
			r := newRig(t, Options{})
			r.commit("one")
			if fresh {
				r.reopen()
			}
			r.disk.failing("sync", "truncate", "remove")
			if _, err := r.Commit([]Put{{"k", r.noise(40_000)}}, []byte("two"), 3); err == nil {
				t.Fatal("no error")
			}
			r.disk.fail = nil
			r.reopen()
			r.wantRows("a", "one", "two") // the system has it
			r.commit("three")
			r.disk = r.disk.powerCut()
			r.reopen()
			r.wantRows("a", "one", "two", "three")
		}
	}
}
