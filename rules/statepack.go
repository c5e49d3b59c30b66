package rules

import (
	"bytes"
	"encoding/binary"
	"sync"

	"github.com/klauspost/compress/s2"
)

// A state is packed while it is made: that of a rule with very many alerts is long,
// and no more of it than this is ever in memory as it is.
const packBlock = 64 << 10

// packer packs what is written to it: blocks, each preceded by its length in S2.
type packer struct {
	raw, small []byte
	out        []byte   // the last of what is packed
	full       [][]byte // what comes before out, in pieces that are never copied to grow
}

var packers = sync.Pool{New: func() any { return new(packer) }}

// packState returns what write appends to b, after a byte that says what it is. Where
// much has been appended, write has it spilled.
func packState(first byte, write func(b []byte, spill func([]byte) []byte) []byte) []byte {
	p := packers.Get().(*packer)
	defer packers.Put(p)
	p.out = append(p.out[:0], first)
	p.raw = write(p.raw[:0], p.spill)
	p.raw = p.spill(p.raw)
	p.pack(p.raw)
	packed := bytes.Join(append(p.full, p.out), nil)
	p.full = nil
	return packed
}

// spill packs whole blocks of raw and returns what is left.
func (p *packer) spill(raw []byte) []byte {
	if len(raw) < packBlock {
		return raw
	}
	rest := raw
	for ; len(rest) >= packBlock; rest = rest[packBlock:] {
		p.pack(rest[:packBlock])
	}
	return raw[:copy(raw, rest)]
}

func (p *packer) pack(block []byte) {
	if len(block) == 0 {
		return
	}
	p.small = s2.Encode(p.small[:cap(p.small)], block)
	if len(p.out)+binary.MaxVarintLen64+len(p.small) > packBlock {
		p.full = append(p.full, p.out)
		p.out = make([]byte, 0, packBlock)
	}
	p.out = binary.AppendUvarint(p.out, uint64(len(p.small)))
	p.out = append(p.out, p.small...)
}

// unpacker unpacks one block after the other, so no more of a state is in memory as
// it is than when it was packed.
type unpacker struct {
	packed []byte
	left   int // bytes that are still packed, once unpacked
	block  []byte
}

// newUnpacker returns an unpacker of what packState returned, less the first byte;
// false if that cannot be.
func newUnpacker(packed []byte) (u unpacker, ok bool) {
	u.packed = packed
	for len(packed) > 0 {
		var block []byte
		block, packed = cutBlock(packed)
		length, err := s2.DecodedLen(block)
		if err != nil || length <= 0 || length > packBlock {
			return unpacker{}, false
		}
		u.left += length
	}
	return u, true
}

// cutBlock cuts the first packed block from packed; it is empty if it is not whole.
func cutBlock(packed []byte) (block, rest []byte) {
	n, size := binary.Uvarint(packed)
	if size <= 0 || n > uint64(len(packed)-size) {
		return nil, nil
	}
	packed = packed[size:]
	return packed[:n], packed[n:]
}

// next returns the next block; false if it cannot be unpacked, or there is none.
func (u *unpacker) next() (block string, ok bool) {
	if len(u.packed) == 0 {
		return "", false
	}
	small, rest := cutBlock(u.packed)
	raw, err := s2.Decode(u.block[:cap(u.block)], small)
	if err != nil {
		return "", false
	}
	u.packed, u.block = rest, raw
	u.left -= len(raw)
	return string(raw), true
}
