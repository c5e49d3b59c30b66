package store

import "os"

// source reads pieces of segments. It keeps the file it read from last open.
type source struct {
	frames frames

	file    file // nil if none is open
	segment uint64
}

// seek makes frames read what is at p in a segment.
func (s *source) seek(d disk, segment uint64, p place) error {
	if s.file == nil || s.segment != segment {
		s.close()
		f, err := d.open(segmentName(segment), os.O_RDONLY)
		if err != nil {
			return err
		}
		s.file, s.segment = f, segment
	}
	s.frames.reset(s.file, segment, int64(p.offset), int64(p.offset)+int64(p.size))
	return nil
}

func (s *source) close() {
	if s.file != nil {
		_ = s.file.Close() // nothing was written
	}
	s.file = nil
	s.frames.source = nil
}
