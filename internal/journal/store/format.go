package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
)

const (
	magic         = "tocsinJ\n"
	formatVersion = 1

	blockSize   = 4096
	chunkSize   = 64 << 10
	maxKey      = 1 << 20 // bytes of a key, and of the names of targets together
	frameHeader = 16
	maxBody     = maxKey + 32 + chunkSize
)

// ErrVersion is wrapped by the error of Open for a folder that a later version of
// the program has written.
var ErrVersion = errors.New("format is of a later version")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// kind is what a frame holds.
type kind byte

const (
	kindValue kind = 1 + iota
	kindRows
	kindMore
	kindRemoval
	kindCursors
	kindEnd

	packed = 0x80 // added to the kind on disk
)

// damage is an error about bytes on disk that cannot be right, or not be read.
type damage struct {
	segment uint64
	offset  int64
	what    string
	err     error // of reading; nil when the bytes are wrong
}

func (d *damage) Error() string {
	s := fmt.Sprintf("segment %s, offset %d: %s", segmentName(d.segment), d.offset, d.what)
	if d.err != nil {
		s += ": " + d.err.Error()
	}
	return s
}

func (d *damage) Unwrap() error { return d.err }

const segmentSuffix = ".seg"

func segmentName(id uint64) string { return fmt.Sprintf("%016x%s", id, segmentSuffix) }

// parseSegmentName returns the number of the segment called name.
func parseSegmentName(name string) (id uint64, ok bool) {
	digits, ok := strings.CutSuffix(name, segmentSuffix)
	if !ok || len(digits) != 16 {
		return 0, false
	}
	id, err := strconv.ParseUint(digits, 16, 64)
	return id, err == nil && id > 0 && segmentName(id) == name
}

// segmentHeader is the first block of a segment.
type segmentHeader struct {
	id      uint64
	prev    uint64 // the segment before; 0 is none
	prevEnd int64  // how much of it is valid, in bytes
	first   uint64 // number of the first commit
}

const segmentHeaderSize = 48

// appendSegmentHeader appends h as a whole block.
func appendSegmentHeader(dst []byte, h segmentHeader) []byte {
	start := len(dst)
	dst = append(dst, magic...)
	dst = binary.LittleEndian.AppendUint32(dst, formatVersion)
	dst = binary.LittleEndian.AppendUint64(dst, h.id)
	dst = binary.LittleEndian.AppendUint64(dst, h.prev)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(h.prevEnd))
	dst = binary.LittleEndian.AppendUint64(dst, h.first)
	dst = binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[start:], castagnoli))
	return append(dst, make([]byte, blockSize-segmentHeaderSize)...)
}

// parseSegmentHeader reads the header of the segment with the given number. The
// error is a *damage, or wraps ErrVersion.
func parseSegmentHeader(b []byte, id uint64) (segmentHeader, error) {
	bad := func(what string) (segmentHeader, error) {
		return segmentHeader{}, &damage{segment: id, what: what}
	}
	if len(b) < len(magic)+4 || string(b[:len(magic)]) != magic {
		return bad("not the beginning of a segment")
	}
	if v := binary.LittleEndian.Uint32(b[8:]); v > formatVersion {
		return segmentHeader{}, fmt.Errorf("segment %s has format %d, and %d is the latest known: %w",
			segmentName(id), v, formatVersion, ErrVersion)
	}
	if len(b) < segmentHeaderSize || crc32.Checksum(b[:44], castagnoli) != binary.LittleEndian.Uint32(b[44:]) {
		return bad("header with a wrong checksum")
	}
	h := segmentHeader{
		id:      binary.LittleEndian.Uint64(b[12:]),
		prev:    binary.LittleEndian.Uint64(b[20:]),
		prevEnd: int64(binary.LittleEndian.Uint64(b[28:])),
		first:   binary.LittleEndian.Uint64(b[36:]),
	}
	if h.id != id || h.prev >= id || h.prevEnd < 0 || h.prevEnd%blockSize != 0 || h.first == 0 {
		return bad("header that contradicts itself")
	}
	return h, nil
}

// frameSum is the checksum of the frame that stands at offset of a segment; rest
// is everything in it after the checksum.
func frameSum(segment uint64, offset int64, rest []byte) uint32 {
	return crc32.Update(uint32(segment*0x9e3779b9+uint64(offset)), castagnoli, rest)
}

// aligned returns the first block boundary that is not before offset.
func aligned(offset int64) int64 { return (offset + blockSize - 1) &^ (blockSize - 1) }
