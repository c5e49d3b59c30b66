package store

import (
	"errors"
	"io/fs"
)

const (
	// moveQuantum is what each commit may copy forward, in bytes, on top of
	// moveFactor times what it has to write itself. Half of a folder or more is
	// free for the taking when copying begins, so twice as much as is written is
	// enough to keep pace.
	moveQuantum = 256 << 10
	moveFactor  = 2
)

// mover copies values that are not replaced from the oldest segment forward, so
// that it can go.
type mover struct {
	from      *segment // which keys are of; nil before it is known
	keys      []string // in from when it became the oldest, in the order of the file
	next      int      // in keys
	allowance int64    // bytes; a value that is larger than what is left is copied nevertheless
	moved     int64    // bytes, in this commit
	source    source
}

// rest makes the mover start anew, with the next commit or much later.
func (m *mover) rest() {
	clear(m.keys)
	m.from, m.keys, m.next = nil, m.keys[:0], 0
	m.source.close()
}

// earn adds to the allowance after a commit of so many bytes.
func (m *mover) earn(written int64) {
	m.allowance += moveQuantum + moveFactor*(written-m.moved)
}

// moveForward appends values of the oldest segment to r and c, if that segment is
// to go.
func (s *Store) moveForward(r *record, c *content) {
	m := &s.mover
	m.moved = 0
	old := s.ledger.oldest()
	if old == nil || !s.unused(old) || old.live == 0 || !s.due(old) {
		m.rest()
		m.allowance = min(m.allowance, moveQuantum) // nothing is saved up
		return
	}
	if m.from != old {
		m.rest()
		m.from, m.keys = old, s.values.in(m.keys, old)
	}
	lost := losses{}
	for ; m.allowance > 0 && m.next < len(m.keys) && r.err == nil; m.next++ {
		key := m.keys[m.next]
		at, ok := s.values.at[key]
		if !ok || at.segment != old {
			continue
		}
		place, err := m.copyTo(r, s.disk, at)
		if isLoss(err) {
			lost.add(key, err)
			s.values.forget(key)
			continue
		} else if err != nil {
			s.metrics.copyErrors.Inc()
			break
		}
		c.values = append(c.values, change{key, place})
		m.moved += int64(place.size)
		m.allowance -= int64(place.size)
	}
	s.metrics.commit.copied.Add(int(m.moved))
	lost.report(s)
}

// unused reports whether segment s is neither written to nor the newest of all:
// that has the number of the last commit.
func (s *Store) unused(old *segment) bool {
	return old != s.writer.segment && old != s.ledger.newest()
}

// due reports whether values have to make way for the oldest segment to go.
func (s *Store) due(old *segment) bool {
	if s.bounds.crowded(s.ledger.bytes) {
		return true
	}
	return s.bounds.sprawling(s.ledger.bytes, len(s.ledger.segments), s.values.live) && !s.ledger.wanted(old)
}

// copyTo appends the value at a location to r, after it has looked whether all of
// it is sound.
func (m *mover) copyTo(r *record, d disk, at location) (place, error) {
	if err := m.source.seek(d, at.segment.id, at.place); err != nil {
		return place{}, err
	}
	for f := &m.source.frames; f.offset < f.limit; {
		if _, err := f.next(); err != nil {
			return place{}, err
		}
	}
	if err := m.source.seek(d, at.segment.id, at.place); err != nil {
		return place{}, err
	}
	return r.repeat(&m.source.frames), nil
}

// isLoss reports whether err means that a value will never be readable.
func isLoss(err error) bool {
	var d *damage
	return errors.As(err, &d) || errors.Is(err, fs.ErrNotExist)
}

// losses are values that could not be copied, since the disk has damaged them.
type losses struct {
	values int
	key    string // of the first
	err    error
}

func (l *losses) add(key string, err error) {
	if l.values == 0 {
		l.key, l.err = key, err
	}
	l.values++
}

func (l *losses) report(s *Store) {
	if l.values == 0 {
		return
	}
	s.metrics.lostValues.Add(l.values)
	s.log.Error("values in the journal are damaged and lost until they are written again",
		"folder", s.disk.String(), "values", l.values, "first", l.key, "error", l.err)
}
