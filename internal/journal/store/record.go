package store

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/klauspost/compress/s2"
)

// writeAt is how many bytes of a commit are gathered before they are written.
const writeAt = 256 << 10

// record writes one commit after the other: begin, what the commit holds, finish.
// After the first error it writes nothing more; finish returns it.
type record struct {
	file    file
	segment uint64
	number  uint64
	offset  int64  // in the file, of buf[0]
	buf     []byte // yet to be written
	open    int    // in buf, the frame that is being made
	frames  uint32
	err     error
}

// place is where something is in a segment. Its frames follow one another.
type place struct{ offset, size uint32 }

// begin starts commit number at offset of a segment.
func (r *record) begin(f file, segment, number uint64, offset int64) {
	*r = record{file: f, segment: segment, number: number, offset: offset, buf: r.buf[:0]}
}

// header appends the first block of a segment, which must come first.
func (r *record) header(h segmentHeader) { r.buf = appendSegmentHeader(r.buf, h) }

// at returns the offset in the file of what is appended next.
func (r *record) at() int64 { return r.offset + int64(len(r.buf)) }

func (r *record) since(start int64) place {
	return place{offset: uint32(start), size: uint32(r.at() - start)}
}

// value appends a value that is not nil.
func (r *record) value(key string, value []byte) place {
	start := r.at()
	r.openFrame()
	r.name(key)
	r.chunks(kindValue, value)
	return r.since(start)
}

// rows appends rows.
func (r *record) rows(rows []byte, samples uint32) place {
	start := r.at()
	r.openFrame()
	r.buf = binary.AppendUvarint(r.buf, uint64(samples))
	r.chunks(kindRows, rows)
	return r.since(start)
}

// removal appends that key has no value any more.
func (r *record) removal(key string) {
	r.openFrame()
	r.buf = append(r.buf, key...)
	r.closeFrame(kindRemoval)
}

// cursors appends how far the targets are.
func (r *record) cursors(all []cursor) {
	r.openFrame()
	for i := range all {
		r.name(all[i].target)
		r.buf = binary.AppendUvarint(r.buf, all[i].settled)
	}
	r.closeFrame(kindCursors)
}

// repeat appends the frames of a value from another place, which src reads.
func (r *record) repeat(src *frames) place {
	start := r.at()
	for src.offset < src.limit && r.err == nil {
		f, err := src.next()
		if err != nil {
			r.err = err
			break
		}
		r.openFrame()
		r.buf = append(r.buf, f.body...)
		k := f.kind
		if f.packed {
			k |= packed
		}
		r.closeFrame(k)
	}
	return r.since(start)
}

// finish ends the commit and makes it durable.
func (r *record) finish(now time.Time) error {
	frames := r.frames
	r.openFrame()
	r.buf = binary.LittleEndian.AppendUint64(r.buf, uint64(now.UnixMilli()))
	r.buf = binary.LittleEndian.AppendUint32(r.buf, frames)
	r.closeFrame(kindEnd)
	r.buf = append(r.buf, make([]byte, aligned(r.at())-r.at())...)
	r.write()
	if r.err == nil {
		r.err = r.file.Sync()
	}
	return r.err
}

func (r *record) name(s string) {
	r.buf = binary.AppendUvarint(r.buf, uint64(len(s)))
	r.buf = append(r.buf, s...)
}

// chunks appends data to the open frame of kind first, and to more frames.
func (r *record) chunks(first kind, data []byte) {
	r.buf = binary.AppendUvarint(r.buf, uint64(len(data)))
	for k := first; ; k = kindMore {
		n := min(len(data), chunkSize)
		r.closeFrame(k | r.pack(data[:n]))
		if data = data[n:]; len(data) == 0 {
			return
		}
		r.openFrame()
	}
}

// pack appends chunk, compressed if that makes it smaller, and returns what that
// adds to the kind of the frame.
func (r *record) pack(chunk []byte) kind {
	start := len(r.buf)
	r.buf = slices.Grow(r.buf, s2.MaxEncodedLen(len(chunk)))
	small := s2.Encode(r.buf[start:cap(r.buf)], chunk)
	if len(small) >= len(chunk) {
		r.buf = append(r.buf, chunk...)
		return 0
	}
	r.buf = r.buf[:start+len(small)]
	return packed
}

func (r *record) openFrame() {
	r.open = len(r.buf)
	r.buf = append(r.buf, make([]byte, frameHeader)...)
}

func (r *record) closeFrame(k kind) {
	f := r.buf[r.open:]
	binary.LittleEndian.PutUint32(f[4:], uint32(len(f)-frameHeader)|uint32(k)<<24)
	binary.LittleEndian.PutUint64(f[8:], r.number)
	binary.LittleEndian.PutUint32(f, frameSum(r.segment, r.offset+int64(r.open), f[4:]))
	r.frames++
	if len(r.buf) >= writeAt {
		r.write()
	}
}

// write writes what has been gathered.
func (r *record) write() {
	if r.err == nil {
		_, r.err = r.file.WriteAt(r.buf, r.offset)
	}
	r.offset += int64(len(r.buf))
	r.buf = r.buf[:0]
}
