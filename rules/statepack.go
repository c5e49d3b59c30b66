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

// maxState bounds the length of an unpacked state, in bytes.
const maxState = 1 << 30

// packer packs what is written to it: blocks, each preceded by its length in S2.
type packer struct{ raw, small, out []byte }

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
	return bytes.Clone(p.out)
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
	p.out = binary.AppendUvarint(p.out, uint64(len(p.small)))
	p.out = append(p.out, p.small...)
}

// unpackState returns what was packed into data, less the first byte; false if that
// cannot be.
func unpackState(data []byte) (raw []byte, ok bool) {
	var block []byte
	for len(data) > 0 {
		n, size := binary.Uvarint(data)
		if size <= 0 || n == 0 || n > uint64(len(data)-size) {
			return nil, false
		}
		small := data[size : size+int(n)]
		data = data[size+int(n):]
		length, err := s2.DecodedLen(small)
		if err != nil || length == 0 || length > packBlock || len(raw)+length > maxState {
			return nil, false
		}
		if block, err = s2.Decode(block[:cap(block)], small); err != nil {
			return nil, false
		}
		raw = append(raw, block...)
	}
	return raw, true
}
