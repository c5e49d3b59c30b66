package store

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
)

// load reads what is in the folder and returns the cursors it has. Damaged
// segments are set aside.
func (s *Store) load() ([]cursor, error) {
	names, err := s.disk.list()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnwritable, err)
	}
	if slices.ContainsFunc(names, isUnfinished) {
		return nil, s.setAside(names, errors.New("an earlier run has not finished to set it aside"))
	}
	scan := scan{disk: s.disk, ledger: &s.ledger, values: &s.values}
	if err = scan.headers(names); err == nil {
		err = scan.segments()
	}
	var bad *damage
	switch {
	case errors.As(err, &bad):
		s.ledger.segments, s.ledger.bytes, s.ledger.last = nil, 0, 0
		s.values = newValues()
		return nil, s.setAside(names, bad)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("%w: %w", ErrUnwritable, err)
	case err != nil:
		return nil, err
	}
	if scan.torn > 0 {
		s.log.Info("the end of the journal was cut short by a crash, the commit under way is left out",
			"folder", s.disk.String(), "bytes", scan.torn)
	}
	return scan.cursors, nil
}

// found is a segment file.
type found struct {
	segment *segment
	header  segmentHeader
	err     error // why the header is none; a *damage
}

// scan reads a folder.
type scan struct {
	disk   disk
	ledger *ledger
	values *values

	files   []*found // in order
	frames  frames
	content content
	cursors []cursor // latest
	last    int64    // where the last commit begins, in its segment; 0 before the first
	torn    int64    // bytes at the end that do not count
}

// headers reads the beginning of each segment.
func (sc *scan) headers(names []string) error {
	for _, name := range names {
		if id, ok := parseSegmentName(name); ok {
			sc.files = append(sc.files, &found{segment: &segment{id: id}})
		}
	}
	slices.SortFunc(sc.files, func(a, b *found) int { return cmp.Compare(a.segment.id, b.segment.id) })
	for _, f := range sc.files {
		if err := sc.header(f); err != nil {
			return err
		}
	}
	return nil
}

// header reads the beginning of one segment. Damage is no error yet.
func (sc *scan) header(f *found) error {
	in, err := sc.disk.open(segmentName(f.segment.id), os.O_RDONLY)
	if err != nil {
		return err
	}
	defer in.Close()
	if f.segment.size, err = in.Size(); err != nil {
		return err
	}
	block := make([]byte, min(f.segment.size, blockSize))
	if n, err := in.ReadAt(block, 0); n < len(block) && !errors.Is(err, io.EOF) {
		f.err = &damage{segment: f.segment.id, what: "cannot be read", err: err}
		return nil
	}
	f.header, f.err = parseSegmentHeader(block, f.segment.id)
	if errors.Is(f.err, ErrVersion) {
		return f.err
	}
	return nil
}

// segments reads all segments.
func (sc *scan) segments() error {
	newest, err := sc.chain()
	if err != nil {
		return err
	}
	for i, f := range sc.files {
		switch {
		case i == newest:
			err = sc.newest(f)
		case i > newest:
			// Its header was never finished, unless there is more in it than what was
			// written together with that.
			err = sc.void(f, 0)
		case f.segment.end > 0:
			err = sc.sealed(f)
		}
		if err != nil {
			return err
		}
		sc.ledger.add(f.segment)
	}
	return nil
}

// chain follows the headers back from the newest that is one, finds out where
// each segment ends, and returns the index of the newest.
func (sc *scan) chain() (int, error) {
	newest := len(sc.files) - 1
	for newest >= 0 && sc.files[newest].err != nil {
		newest--
	}
	if newest < 0 {
		return newest, nil
	}
	sc.files[newest].segment.end = blockSize
	for h := sc.files[newest].header; h.prev > 0; {
		i := slices.IndexFunc(sc.files, func(f *found) bool { return f.segment.id == h.prev })
		switch {
		case i < 0 && sc.files[0].segment.id > h.prev:
			return newest, nil
		case i < 0:
			return 0, &damage{segment: h.prev, what: "missing"}
		case sc.files[i].err != nil:
			return 0, sc.files[i].err
		case h.prevEnd == 0:
			return 0, &damage{segment: h.id, what: "header that contradicts itself"}
		}
		sc.files[i].segment.end = h.prevEnd
		h = sc.files[i].header
	}
	return newest, nil
}

// sealed reads a segment of which the end is known. The error is a *damage, or
// about opening the file.
func (sc *scan) sealed(f *found) error {
	return sc.with(f, func(in file) error {
		at, err := sc.commits(f, in, f.segment.end)
		if err == nil && at != f.segment.end {
			err = &damage{segment: f.segment.id, offset: at, what: "commit beyond the end"}
		}
		return err
	})
}

// newest reads the segment that was written last, as far as it goes, and makes
// durable what it has found.
func (sc *scan) newest(f *found) error {
	return sc.with(f, func(in file) error {
		at, err := sc.commits(f, in, f.segment.size)
		var bad *damage
		switch {
		case errors.As(err, &bad):
			if bad.err != nil || sc.after(f, in, at+blockSize) {
				return err
			}
			sc.torn = f.segment.size - at
		case err != nil:
			return err
		}
		f.segment.end = at
		if err := sc.confirm(in, at); err != nil {
			return fmt.Errorf("%w: make what was read durable: %w", ErrUnwritable, err)
		}
		return nil
	})
}

// confirm makes the last commit, which ends at end, durable. When only the process
// has crashed, the system knows it but may not have written it. Nor need an fsync
// do that if one before has failed, so the bytes are written again.
func (sc *scan) confirm(in file, end int64) error {
	from := sc.last
	if from <= blockSize {
		from = 0 // the header is as new
	}
	buf := make([]byte, min(readAhead, end-from))
	for at := from; at < end; at += int64(len(buf)) {
		n, err := in.ReadAt(buf[:min(int64(len(buf)), end-at)], at)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if _, err := in.WriteAt(buf[:n], at); err != nil {
			return err
		}
	}
	return errors.Join(in.Sync(), sc.disk.sync())
}

// void makes sure that there is nothing in a segment that may count.
func (sc *scan) void(f *found, from int64) error {
	return sc.with(f, func(in file) error {
		if sc.after(f, in, from) {
			return f.err
		}
		sc.torn += f.segment.size
		return nil
	})
}

func (sc *scan) with(f *found, do func(file) error) error {
	in, err := sc.disk.open(segmentName(f.segment.id), os.O_RDWR)
	if err != nil {
		return err
	}
	return errors.Join(do(in), in.Close())
}

// commits takes over the commits of f that begin before limit and returns where
// the next would begin.
func (sc *scan) commits(f *found, in file, limit int64) (int64, error) {
	if sc.ledger.newest() == nil {
		sc.ledger.last = f.header.first - 1
	}
	expected := sc.ledger.last + 1
	if f.header.first != expected {
		return 0, &damage{segment: f.segment.id, what: "commits are missing before it"}
	}
	at := int64(blockSize)
	sc.last = 0
	for ; at < limit; expected++ {
		sc.frames.reset(in, f.segment.id, at, limit)
		err := sc.content.read(&sc.frames)
		if err == nil && sc.content.number != expected {
			err = &damage{segment: f.segment.id, offset: at, what: "commit out of order"}
		}
		if err != nil {
			return at, err
		}
		sc.last, at = at, sc.frames.offset
		sc.accept(f.segment)
	}
	return at, nil
}

func (sc *scan) accept(s *segment) {
	c := &sc.content
	if c.rows.size > 0 {
		s.batches = append(s.batches, batch{seq: c.number, at: c.at, place: c.rows, samples: c.samples})
	}
	if c.cursors != nil {
		sc.cursors = c.cursors
	}
	s.last, sc.ledger.last = c.number, c.number
	sc.values.apply(s, c.values)
}

// after reports whether, at a block boundary from offset on, there is a frame of
// a commit that could only begin when the one after the last found was durable.
func (sc *scan) after(f *found, in file, offset int64) bool {
	for ; offset < f.segment.size; offset += blockSize {
		sc.frames.reset(in, f.segment.id, offset, f.segment.size)
		if fr, err := sc.frames.next(); err == nil && fr.commit > sc.ledger.last+1 {
			return true
		}
	}
	return false
}
