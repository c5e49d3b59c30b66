package store

import (
	"encoding/binary"
	"errors"
	"io"
)

// readAhead is how much is read at once, in bytes, unless less is asked for.
const readAhead = 128 << 10

// frame is one frame of a segment.
type frame struct {
	kind   kind
	packed bool
	commit uint64
	body   []byte // valid until the next frame is read
	offset int64
	size   int // with its header
}

// frames reads the frames of one segment in turn.
type frames struct {
	source  io.ReaderAt
	segment uint64
	offset  int64 // of the next frame
	limit   int64 // nothing from here on is read

	window      []byte // bytes of the segment, read but not necessarily used
	windowStart int64
}

// reset makes f read from offset to limit of a segment. The window, and what is
// in it, serve on if the segment is the same.
func (f *frames) reset(source io.ReaderAt, segment uint64, offset, limit int64) {
	if f.source != source || f.segment != segment {
		f.window = f.window[:0]
	}
	f.source, f.segment, f.offset, f.limit = source, segment, offset, limit
}

// next returns the frame at f.offset and steps behind it. The error is a *damage.
func (f *frames) next() (frame, error) {
	head, err := f.peek(frameHeader)
	if err != nil {
		return frame{}, err
	}
	word := binary.LittleEndian.Uint32(head[4:])
	k, size := kind(word>>24)&^packed, frameHeader+int(word&0xffffff)
	if k < kindValue || k > kindEnd || size > frameHeader+maxBody {
		return frame{}, f.damage("not a frame")
	}
	raw, err := f.peek(size)
	if err != nil {
		return frame{}, err
	}
	if frameSum(f.segment, f.offset, raw[4:]) != binary.LittleEndian.Uint32(raw) {
		return frame{}, f.damage("frame with a wrong checksum")
	}
	fr := frame{
		kind: k, packed: word>>24&packed != 0, commit: binary.LittleEndian.Uint64(raw[8:]),
		body: raw[frameHeader:], offset: f.offset, size: size,
	}
	f.offset += int64(size)
	return fr, nil
}

// peek returns the n bytes at f.offset.
func (f *frames) peek(n int) ([]byte, error) {
	at := f.offset - f.windowStart
	if at < 0 || at+int64(n) > int64(len(f.window)) {
		if err := f.fill(n); err != nil {
			return nil, err
		}
		at = 0
	}
	return f.window[at : at+int64(n) : at+int64(n)], nil
}

// fill makes the window begin at f.offset and hold n bytes at least.
func (f *frames) fill(n int) error {
	want := min(max(int64(n), readAhead), f.limit-f.offset)
	if want < int64(n) {
		return f.damage("ends early")
	}
	if int64(cap(f.window)) < want {
		f.window = make([]byte, want)
	}
	f.window, f.windowStart = f.window[:want], f.offset
	got, err := f.source.ReadAt(f.window, f.offset)
	f.window = f.window[:got]
	switch {
	case got >= n:
		return nil
	case errors.Is(err, io.EOF):
		return f.damage("ends early")
	default:
		f.window = f.window[:0]
		return &damage{segment: f.segment, offset: f.offset, what: "cannot be read", err: err}
	}
}

func (f *frames) damage(what string) *damage {
	return &damage{segment: f.segment, offset: f.offset, what: what}
}
