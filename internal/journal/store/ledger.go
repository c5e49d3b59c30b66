package store

import (
	"fmt"
	"slices"
	"sort"
	"sync"
	"time"
)

// ledger knows which segments there are, what rows are in them, and which of
// these each target has settled. Any goroutine may ask it and settle; only the
// committer changes the rest, and may read that without the lock.
type ledger struct {
	mu       sync.Mutex // guards the fields below, and those of the segments
	segments []*segment // oldest first
	targets  []*target  // as in Options
	bytes    int64      // of the segments on disk
	last     uint64     // number of the last commit
	unsaved  bool       // cursors have moved since they were last written
	closed   bool
}

// target is who rows are kept for.
type target struct {
	name    string
	settled uint64 // number of the last commit whose rows it needs no more
	drops   drops
}

func (l *ledger) target(name string) *target {
	i := slices.IndexFunc(l.targets, func(t *target) bool { return t.name == name })
	if i < 0 {
		panic(fmt.Sprintf("store: internal error: no target %q", name))
	}
	return l.targets[i]
}

// settle moves the cursor of t, which never goes back.
func (l *ledger) settle(t *target, through uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if through = min(through, l.last); through > t.settled {
		t.settled = through
		l.unsaved = true
	}
}

// cursors returns all cursors, to be written.
func (l *ledger) cursors() []cursor {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unsaved = false
	all := make([]cursor, len(l.targets))
	for i, t := range l.targets {
		all[i] = cursor{target: t.name, settled: t.settled}
	}
	return all
}

// unsettle has the cursors written again: a commit with them failed.
func (l *ledger) unsettle() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unsaved = true
}

func (l *ledger) moved() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.unsaved
}

// next returns the first rows after commit seq that t has not settled, and where
// they are; ok is false when there are none.
func (l *ledger) next(t *target, seq uint64) (s *segment, b batch, ok bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, batch{}, false, ErrClosed
	}
	seq = max(seq, t.settled)
	for _, s := range l.segments[l.find(seq):] {
		if after := s.after(seq); len(after) > 0 {
			return s, after[0], true, nil
		}
	}
	return nil, batch{}, false, nil
}

// find returns the index of the first segment with a commit after seq.
func (l *ledger) find(seq uint64) int {
	return sort.Search(len(l.segments), func(i int) bool { return l.segments[i].last > seq })
}

// backlog is what a target has yet to settle.
type backlog struct {
	batches, samples int
	oldest           int64 // Unix time in milliseconds
}

// age returns for how long the oldest rows have waited by now; 0 if there are none.
func (b backlog) age(now time.Time) time.Duration {
	if b.batches == 0 {
		return 0
	}
	return max(now.Sub(time.UnixMilli(b.oldest)), 0)
}

// waiting returns what t has yet to settle.
func (l *ledger) waiting(t *target) (w backlog) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.segments[l.find(t.settled):] {
		after := s.after(t.settled)
		if w.batches == 0 && len(after) > 0 {
			w.oldest = after[0].at
		}
		w.batches += len(after)
		w.samples += samplesOf(after)
	}
	return w
}

// wanted reports whether a target has yet to settle rows of s.
func (l *ledger) wanted(s *segment) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.ContainsFunc(l.targets, func(t *target) bool { return s.wanted(t.settled) })
}

// add puts a segment behind the others.
func (l *ledger) add(s *segment) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s.last = max(s.last, l.last)
	l.segments = append(l.segments, s)
	l.bytes += s.size
}

// append records a commit, which ends s at end.
func (l *ledger) append(s *segment, c *content, end int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.rows.size > 0 {
		s.batches = append(s.batches, batch{seq: c.number, at: c.at, place: c.rows, samples: c.samples})
	}
	s.last, l.last = c.number, c.number
	l.bytes += end - s.size
	s.end, s.size = end, end
}

// resize records how large the file of s is.
func (l *ledger) resize(s *segment, size int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bytes += size - s.size
	s.size = size
}

// release forgets all rows of s and counts those that a target has not settled as
// dropped for that target. It returns the number of samples so dropped.
func (l *ledger) release(s *segment) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, t := range l.targets {
		if !s.wanted(t.settled) {
			continue
		}
		lost := samplesOf(s.after(t.settled))
		t.drops.full.Add(lost)
		t.settled = s.batches[len(s.batches)-1].seq
		l.unsaved = true
		n += lost
	}
	s.batches = nil
	return n
}

// removeOldest forgets the oldest segment.
func (l *ledger) removeOldest() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bytes -= l.segments[0].size
	l.segments = slices.Delete(l.segments, 0, 1)
}

// pinned returns the bytes of the segments from the first on that has rows which
// a target has not settled.
func (l *ledger) pinned() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.bytes
	for _, s := range l.segments {
		if slices.ContainsFunc(l.targets, func(t *target) bool { return s.wanted(t.settled) }) {
			return n
		}
		n -= s.size
	}
	return 0
}

// dropBatch forgets rows of s that cannot be read and counts them as dropped. It
// reports whether they were there.
func (l *ledger) dropBatch(s *segment, b batch) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	held := len(s.batches)
	s.batches = slices.DeleteFunc(s.batches, func(other batch) bool { return other.seq == b.seq })
	if len(s.batches) == held {
		return false
	}
	for _, t := range l.targets {
		if t.settled < b.seq {
			t.drops.damaged.Add(int(b.samples))
		}
	}
	return true
}

// close makes readers end.
func (l *ledger) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
}

// newest returns the last segment in which anything counts, or nil. Only the
// committer calls it, as those below.
func (l *ledger) newest() *segment {
	for _, s := range slices.Backward(l.segments) {
		if s.end > 0 {
			return s
		}
	}
	return nil
}

// oldest returns the first segment, or nil.
func (l *ledger) oldest() *segment {
	if len(l.segments) == 0 {
		return nil
	}
	return l.segments[0]
}

// nextID returns the number of the segment to be made next.
func (l *ledger) nextID() uint64 {
	if n := len(l.segments); n > 0 {
		return l.segments[n-1].id + 1
	}
	return 1
}
