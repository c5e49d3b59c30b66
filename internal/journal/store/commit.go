package store

import (
	"fmt"
	"os"
	"time"
)

// writer is the newest segment while it is written to.
type writer struct {
	record  record
	content content // of the commit that is being made

	file    file // nil if the next commit begins a segment
	segment *segment
	fresh   bool // nothing has been committed to the segment, and the ledger does not know it
	used    bool // something has been committed since Open
}

// Commit makes puts and rows durable, all or nothing, and returns the number of
// the commit, which is greater than that of any before. samples says how many
// there are in rows. Of several puts with one key the last counts. If there is
// nothing to write, the number is that of the last commit. Nothing of puts and
// rows is used after Commit has returned.
//
// After an error, which may wrap ErrTooLarge, nothing has changed for Readers and
// later commits. But if the process ends before a later commit succeeds, the one
// that failed may be found to have succeeded.
func (s *Store) Commit(puts []Put, rows []byte, samples int) (seq uint64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return 0, ErrClosed
	}
	if err := checkCommit(puts, rows, samples); err != nil {
		s.health.refused(err)
		return 0, fmt.Errorf("commit to journal %s: %w", s.disk, err)
	}
	if len(s.ledger.targets) == 0 {
		rows = nil
	}
	if len(puts) == 0 && len(rows) == 0 && !s.ledger.moved() {
		return s.ledger.last, nil
	}
	return s.commit(puts, rows, samples)
}

func checkCommit(puts []Put, rows []byte, samples int) error {
	size := len(rows)
	for i := range puts {
		p := &puts[i]
		if len(p.Key) > maxKey {
			return fmt.Errorf("%w: key of %d bytes", ErrTooLarge, len(p.Key))
		}
		size += len(p.Key) + len(p.Value)
	}
	if size > maxCommit || samples < 0 || samples > maxSamples {
		return fmt.Errorf("%w: %d bytes, %d samples", ErrTooLarge, size, samples)
	}
	return nil
}

func (s *Store) commit(puts []Put, rows []byte, samples int) (uint64, error) {
	began := time.Now()
	w := &s.writer
	err := s.ready()
	if err == nil {
		s.compose(puts, rows, samples, began)
		if w.record.frames == 0 {
			return s.ledger.last, nil
		}
		err = w.record.finish(began)
	}
	if err == nil && w.fresh {
		err = s.syncFolder()
	}
	if err != nil {
		s.abandon()
		s.ledger.unsettle()
		s.mover.rest()
		s.health.failed(err)
		err = fmt.Errorf("commit to journal %s: %w", s.disk, err)
	} else {
		s.accept()
		s.metrics.commit.duration.UpdateDuration(began)
		s.health.succeeded()
	}
	s.reclaim()
	s.show()
	return s.ledger.last, err
}

// ready sees to it that there is a segment to write to.
func (s *Store) ready() error {
	w := &s.writer
	if w.file != nil && w.segment.end >= s.bounds.segment {
		w.leave()
	}
	number := s.ledger.last + 1
	if w.file != nil {
		w.record.begin(w.file, w.segment.id, number, w.segment.end)
		return nil
	}
	id := s.ledger.nextID()
	f, err := s.disk.open(segmentName(id), os.O_RDWR|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return err
	}
	w.file, w.segment, w.fresh = f, &segment{id: id}, true
	w.record.begin(f, id, number, 0)
	header := segmentHeader{id: id, first: number}
	if prev := s.ledger.newest(); prev != nil {
		header.prev, header.prevEnd = prev.id, prev.end
	}
	w.record.header(header)
	return nil
}

// leave ends the writing of the newest segment. What is in it is durable.
func (w *writer) leave() {
	if w.file != nil {
		_ = w.file.Close() // everything has been synced
	}
	w.file, w.segment, w.fresh = nil, nil, false
}

// compose puts together what is to be written.
func (s *Store) compose(puts []Put, rows []byte, samples int, now time.Time) {
	r, c := &s.writer.record, &s.writer.content
	c.reset()
	c.number, c.at = r.number, now.UnixMilli()
	// Before the puts, which are newer.
	s.moveForward(r, c)
	for i := range puts {
		p := &puts[i]
		change := change{key: p.Key}
		if p.Value != nil {
			change.place = r.value(p.Key, p.Value)
		} else if s.has(p.Key, c.values) {
			r.removal(p.Key)
		} else {
			continue
		}
		c.values = append(c.values, change)
	}
	if len(rows) > 0 {
		c.rows, c.samples = r.rows(rows, uint32(samples)), uint32(samples)
	}
	if s.ledger.moved() || s.writer.fresh {
		r.cursors(s.ledger.cursors())
	}
}

// has reports whether key has a value, or may have one by the changes before.
func (s *Store) has(key string, changes []change) bool {
	if _, ok := s.values.at[key]; ok {
		return true
	}
	for i := range changes {
		if changes[i].key == key {
			return true
		}
	}
	return false
}

// accept takes over the commit that has become durable.
func (s *Store) accept() {
	w := &s.writer
	if w.fresh {
		s.ledger.add(w.segment)
		w.fresh = false
	}
	w.used = true
	written := w.record.offset - w.segment.end
	s.ledger.append(w.segment, &w.content, w.record.offset)
	s.values.apply(w.segment, w.content.values)
	s.mover.earn(written)
	s.metrics.commit.total.Inc()
	s.metrics.commit.written.Add(int(written))
}

// abandon gives up the newest segment after a failed write, without the bytes
// that do not count. Whether an fsync that is tried again vouches for what an
// earlier one has lost depends on the system, so the segment is not used again.
func (s *Store) abandon() {
	w := &s.writer
	switch {
	case w.file == nil:
		return
	case w.fresh:
		if err := s.disk.remove(segmentName(w.segment.id)); !removed(err) {
			s.metrics.removeErrors.Inc()
			s.ledger.add(&segment{id: w.segment.id, size: w.size()})
		}
	default:
		if err := w.file.Truncate(w.segment.end); err != nil {
			s.ledger.resize(w.segment, w.size())
		}
	}
	w.leave()
}

// size returns how large the file is after a failed write.
func (w *writer) size() int64 {
	if n, err := w.file.Size(); err == nil {
		return n
	}
	return w.record.offset // what should have been written
}
