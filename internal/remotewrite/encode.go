package remotewrite

import (
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/prometheus/prometheus/model/labels"

	"tocsin/rules"
)

const (
	// maxRawBytes ends a block early when its labels are long, as storage limits
	// the size of a request.
	maxRawBytes = 4 << 20
	// zstdWindow is small to save memory; labels repeat at short distance.
	zstdWindow = 256 << 10
)

// Field tags of the messages WriteRequest, TimeSeries, Label and Sample.
const (
	tagTimeSeries = 1<<3 | 2
	tagLabel      = 1<<3 | 2
	tagSample     = 2<<3 | 2
	tagName       = 1<<3 | 2
	tagValue      = 2<<3 | 2
	tagSampleV    = 1<<3 | 1
	tagSampleT    = 2 << 3
)

// encoder turns rows into compressed write requests. It serves all senders, one
// at a time: encoding is far faster than storage, and so one raw buffer will do.
type encoder struct {
	zstd *zstd.Encoder // one frame at a time, without goroutines

	mu      sync.Mutex // guards the fields below
	raw     []byte
	snappy  []byte        // as large as the worst case, unlike what is kept of it
	symbols symbolEncoder // empty unless storage wants remote write 2.0
}

func newEncoder() (*encoder, error) {
	z, err := zstd.NewWriter(nil,
		zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
		zstd.WithWindowSize(zstdWindow), zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(false))
	if err != nil {
		return nil, fmt.Errorf("make zstd encoder: %w", err)
	}
	return &encoder{zstd: z}, nil
}

// encode overwrites dst with the first rows of block as a compressed write
// request: as many as limit and maxRawBytes allow, at least one. It returns how many.
func (e *encoder) encode(dst []byte, block []part, limit int, p protocol) ([]byte, int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	rows := 0
	if p == prometheus2 {
		rows = e.fillSymbols(block, limit)
	} else {
		rows = e.fill(block, limit)
	}
	if p == victoriaMetrics {
		return e.zstd.EncodeAll(e.raw, dst[:0]), rows
	}
	e.snappy = s2.EncodeSnappy(e.snappy[:cap(e.snappy)], e.raw)
	return append(dst[:0], e.snappy...), rows
}

// fill makes raw a request of remote write 1.0.
func (e *encoder) fill(block []part, limit int) (rows int) {
	raw := e.raw[:0]
	for b := range block {
		n := block[b].len()
		for i := 0; i < n && rows < limit && len(raw) < maxRawBytes; i++ {
			raw = appendSeries(raw, block[b].row(i))
			rows++
		}
	}
	e.raw = raw
	return rows
}

// fillSymbols makes raw a request of remote write 2.0.
func (e *encoder) fillSymbols(block []part, limit int) (rows int) {
	e.symbols.reset()
	for b := range block {
		n := block[b].len()
		for i := 0; i < n && rows < limit && e.symbols.size() < maxRawBytes; i++ {
			e.symbols.add(block[b].row(i))
			rows++
		}
	}
	e.raw = e.symbols.appendTo(e.raw[:0])
	return rows
}

// appendSeries appends one TimeSeries field of a WriteRequest.
func appendSeries(dst []byte, s *rules.Series) []byte {
	dst = append(dst, tagTimeSeries, 0)
	start := len(dst)
	s.Range(func(l labels.Label) {
		dst = appendLabel(dst, l.Name, l.Value)
	})
	dst = appendSample(dst, tagSample, s)
	return sealLength(dst, start)
}

func appendLabel(dst []byte, name, value string) []byte {
	n, v := uint64(len(name)), uint64(len(value))
	dst = append(dst, tagLabel)
	dst = binary.AppendUvarint(dst, 2+uint64(varintLen(n))+n+uint64(varintLen(v))+v)
	dst = append(dst, tagName)
	dst = binary.AppendUvarint(dst, n)
	dst = append(dst, name...)
	dst = append(dst, tagValue)
	dst = binary.AppendUvarint(dst, v)
	return append(dst, value...)
}

// sealLength writes the length of dst[start:] into the byte before start, and
// moves what follows when the length needs more than that byte.
func sealLength(dst []byte, start int) []byte {
	n := len(dst) - start
	if n < 1<<7 {
		dst[start-1] = byte(n)
		return dst
	}
	var length [binary.MaxVarintLen64]byte
	l := binary.PutUvarint(length[:], uint64(n))
	dst = append(dst, length[1:l]...)
	copy(dst[start-1+l:], dst[start:start+n])
	copy(dst[start-1:], length[:l])
	return dst
}

func varintLen(v uint64) int {
	n := 1
	for ; v >= 1<<7; v >>= 7 {
		n++
	}
	return n
}
