package remotewrite

import (
	"encoding/binary"
	"math"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/rules"
)

// Field tags of the messages of remote write 2.0: Request, TimeSeries and Sample.
// Samples carry no metadata: some storage makes labels of it, and the labels of a
// series must not depend on the protocol.
const (
	tagSymbol      = 4<<3 | 2
	tagTimeSeries2 = 5<<3 | 2
	tagLabelRefs   = 1<<3 | 2
	tagSample2     = 2<<3 | 2
)

// symbolEncoder builds a request of remote write 2.0, in which every string
// stands once.
type symbolEncoder struct {
	numbers map[string]uint64 // of the strings in symbols; the empty string is 0
	symbols []byte
	series  []byte
}

func (e *symbolEncoder) reset() {
	if e.numbers == nil {
		e.numbers = make(map[string]uint64)
	}
	clear(e.numbers)
	e.numbers[""] = 0
	e.symbols = append(e.symbols[:0], tagSymbol, 0)
	e.series = e.series[:0]
}

// size is how long the request is so far.
func (e *symbolEncoder) size() int { return len(e.symbols) + len(e.series) }

// appendTo appends the request to dst and lets go of the strings.
func (e *symbolEncoder) appendTo(dst []byte) []byte {
	clear(e.numbers)
	return append(append(dst, e.symbols...), e.series...)
}

func (e *symbolEncoder) add(s *rules.Series) {
	e.series = append(e.series, tagTimeSeries2, 0)
	begin := len(e.series)
	e.series = append(e.series, tagLabelRefs, 0)
	refs := len(e.series)
	s.Range(func(l labels.Label) {
		name, value := e.number(l.Name), e.number(l.Value)
		e.series = binary.AppendUvarint(e.series, name)
		e.series = binary.AppendUvarint(e.series, value)
	})
	e.series = sealLength(e.series, refs)
	e.series = appendSample(e.series, tagSample2, s)
	e.series = sealLength(e.series, begin)
}

func (e *symbolEncoder) number(text string) uint64 {
	if n, ok := e.numbers[text]; ok {
		return n
	}
	n := uint64(len(e.numbers))
	e.numbers[text] = n
	e.symbols = append(e.symbols, tagSymbol)
	e.symbols = binary.AppendUvarint(e.symbols, uint64(len(text)))
	e.symbols = append(e.symbols, text...)
	return n
}

// appendSample appends a Sample, which is the same in all protocols.
func appendSample(dst []byte, tag byte, s *rules.Series) []byte {
	const valueLen = 1 + 8
	t := uint64(s.T)
	dst = append(dst, tag, byte(valueLen+1+varintLen(t)), tagSampleV)
	dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(s.V))
	dst = append(dst, tagSampleT)
	return binary.AppendUvarint(dst, t)
}
