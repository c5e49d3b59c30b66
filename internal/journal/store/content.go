package store

import (
	"encoding/binary"

	"github.com/klauspost/compress/s2"
)

// content is what one commit changes, without the bytes themselves.
type content struct {
	number  uint64
	at      int64 // Unix time of the commit in milliseconds
	values  []change
	rows    place // size 0 if there are none
	samples uint32
	cursors []cursor // of all targets; nil if they are as they were

	// While reading: what the next frame goes on with, and for how many bytes.
	open *place
	left int
}

// change is a new value, or none, for a key.
type change struct {
	key   string
	place place // size 0 removes
}

// cursor is how far a target is: it has settled the rows of the commits up to and
// including this one.
type cursor struct {
	target  string
	settled uint64
}

// reset empties c and keeps its memory.
func (c *content) reset() {
	clear(c.values)
	*c = content{values: c.values[:0]}
}

// read reads the commit at f.offset and steps behind it and its padding. The
// error is a *damage.
func (c *content) read(f *frames) error {
	c.reset()
	for n := uint32(0); ; n++ {
		fr, err := f.next()
		if err != nil {
			return err
		}
		if n == 0 {
			c.number = fr.commit
		}
		if fr.commit != c.number || (c.left > 0) != (fr.kind == kindMore) || !c.take(&fr) {
			return &damage{segment: f.segment, offset: fr.offset, what: "frame in a wrong place"}
		}
		if fr.kind != kindEnd {
			continue
		}
		if binary.LittleEndian.Uint32(fr.body[8:]) != n {
			return &damage{segment: f.segment, offset: fr.offset, what: "commit with a wrong number of frames"}
		}
		f.offset = aligned(f.offset)
		return nil
	}
}

// take adds fr to c and reports whether it is well-formed.
func (c *content) take(fr *frame) bool {
	body := fields{rest: fr.body}
	here := place{offset: uint32(fr.offset), size: uint32(fr.size)}
	switch fr.kind {
	case kindValue:
		c.values = append(c.values, change{key: string(body.name()), place: here})
		c.open = &c.values[len(c.values)-1].place
		return c.begin(&body, fr.packed)
	case kindRows:
		samples := body.number()
		if c.rows.size > 0 || samples > maxSamples {
			return false
		}
		c.rows, c.samples, c.open = here, uint32(samples), &c.rows
		return c.begin(&body, fr.packed)
	case kindMore:
		return c.more(fr)
	case kindRemoval:
		c.values = append(c.values, change{key: string(fr.body)})
		return true
	case kindCursors:
		c.cursors = []cursor{}
		for len(body.rest) > 0 && !body.bad {
			c.cursors = append(c.cursors, cursor{target: string(body.name()), settled: body.number()})
		}
		return !body.bad
	default:
		if len(fr.body) != 12 {
			return false
		}
		c.at = int64(binary.LittleEndian.Uint64(fr.body))
		return true
	}
}

// begin takes the first chunk of a value or of rows.
func (c *content) begin(body *fields, compressed bool) bool {
	total := body.number()
	n, ok := chunkLength(body.rest, compressed)
	if body.bad || !ok || total > maxCommit || n > int(total) || n == 0 && total > 0 {
		return false
	}
	c.left = int(total) - n
	return true
}

// more takes a further chunk of what was begun last.
func (c *content) more(fr *frame) bool {
	n, ok := chunkLength(fr.body, fr.packed)
	if !ok || n == 0 || n > c.left {
		return false
	}
	c.left -= n
	c.open.size += uint32(fr.size)
	return true
}

// chunkLength returns how many bytes chunk holds; ok says whether that can be.
func chunkLength(chunk []byte, compressed bool) (n int, ok bool) {
	n = len(chunk)
	if compressed {
		var err error
		if n, err = s2.DecodedLen(chunk); err != nil {
			return 0, false
		}
	}
	return n, n <= chunkSize
}

// fields takes a body apart. After a field that cannot be read it is bad, and
// what it returns is empty.
type fields struct {
	rest []byte
	bad  bool
}

func (f *fields) number() uint64 {
	v, n := binary.Uvarint(f.rest)
	if n <= 0 {
		f.bad, f.rest = true, nil
		return 0
	}
	f.rest = f.rest[n:]
	return v
}

func (f *fields) name() []byte {
	n := f.number()
	if n > uint64(len(f.rest)) {
		f.bad, f.rest = true, nil
		return nil
	}
	name := f.rest[:n]
	f.rest = f.rest[n:]
	return name
}

// readPayload appends to dst the value or the rows that src is to read, which
// must end where src does. The error is a *damage.
func readPayload(dst []byte, src *frames) ([]byte, error) {
	for src.offset < src.limit {
		fr, err := src.next()
		if err != nil {
			return dst, err
		}
		body := fields{rest: fr.body}
		if fr.kind != kindMore {
			if fr.kind == kindValue {
				body.name()
			} else {
				body.number()
			}
			dst = grown(dst, int(min(body.number(), maxCommit)))
		}
		n := len(dst)
		if !fr.packed {
			dst = append(dst, body.rest...)
			continue
		}
		size, ok := chunkLength(body.rest, true)
		if !ok {
			return dst, src.damage("chunk that is too long")
		}
		dst = grown(dst, size)
		if _, err := s2.Decode(dst[n:n+size:n+size], body.rest); err != nil {
			return dst, &damage{segment: src.segment, offset: fr.offset, what: "chunk that cannot be decompressed", err: err}
		}
		dst = dst[:n+size]
	}
	return dst, nil
}

// grown returns dst with room for n bytes more, and not for much more than that:
// values are kept as they are returned.
func grown(dst []byte, n int) []byte {
	if cap(dst)-len(dst) >= n {
		return dst
	}
	return append(make([]byte, 0, len(dst)+n), dst...)
}
