package remotewrite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/rules"
)

// maxTextLen is the most bytes of a label's name or value.
const maxTextLen = 1<<24 - 1

var errRowsEnd = errors.New("they end too early")

// DecodeRows returns the rows that AppendRows has encoded. It keeps nothing of
// data, and rows with equal labels one after the other share them. It returns an
// error if data is damaged or of another version.
func DecodeRows(data []byte) ([]rules.Series, error) {
	rows, err := decodeRows(data)
	if err != nil {
		return nil, fmt.Errorf("decode rows: %w", err)
	}
	return rows, nil
}

func decodeRows(data []byte) ([]rules.Series, error) {
	if len(data) == 0 {
		return nil, errRowsEnd
	}
	if data[0] != rowsVersion {
		return nil, fmt.Errorf("they are of version %d, only %d is known", data[0], rowsVersion)
	}
	d := rowDecoder{data: string(data), next: 1}
	n := d.number()
	if n > uint64(d.left()/minRowLen) {
		d.fail(errRowsEnd)
	}
	if d.err != nil {
		return nil, d.err
	}
	rows := make([]rules.Series, n)
	for i := range rows {
		if d.row(&rows[i]); d.err != nil {
			return nil, fmt.Errorf("row %d: %w", i, d.err)
		}
	}
	if left := d.left(); left > 0 {
		return nil, fmt.Errorf("%d bytes follow the last", left)
	}
	return rows, nil
}

// rowDecoder knows the row before. After an error it returns zero values.
type rowDecoder struct {
	data    string // one copy, of which the texts of parts are parts
	next    int    // where to read on
	err     error
	names   []string
	labels  labels.Labels
	parts   []labels.Label // of labels
	builder labels.ScratchBuilder
	time    int64
}

func (d *rowDecoder) fail(err error) {
	if d.err == nil {
		d.err, d.next = err, len(d.data)
	}
}

// left is how many bytes are left.
func (d *rowDecoder) left() int { return len(d.data) - d.next }

func (d *rowDecoder) row(s *rules.Series) {
	head := d.byte()
	s.Alert = rules.State(head & headState)
	if s.Alert > rules.Firing || head&^byte(headBits) != 0 {
		d.fail(fmt.Errorf("unknown head %#x", head))
		return
	}
	s.Name = d.name()
	if head&headSameLabels == 0 {
		d.set()
	}
	s.Labels = d.labels
	if head&headSameTime == 0 {
		d.time += d.signed()
	}
	s.T = d.time
	if head&headWhole != 0 {
		s.V = float64(d.signed())
	} else {
		s.V = d.float()
	}
}

func (d *rowDecoder) name() string {
	n := d.number()
	switch known := uint64(len(d.names)); {
	case n == 0:
		return ""
	case n <= known:
		return d.names[n-1]
	case n == known+1:
		name := strings.Clone(d.text()) // not to keep all of data
		d.names = append(d.names, name)
		return name
	}
	d.fail(fmt.Errorf("name %d of %d", n, len(d.names)))
	return ""
}

func (d *rowDecoder) set() {
	n := d.number()
	if n > uint64(d.left()) {
		d.fail(errRowsEnd)
		return
	}
	d.builder.Reset()
	for i := range int(n) {
		d.label(i)
		if d.err != nil {
			return
		}
		d.builder.Add(d.parts[i].Name, d.parts[i].Value)
	}
	d.parts = d.parts[:n]
	d.labels = d.builder.Labels()
}

// label reads the i-th label into parts.
func (d *rowDecoder) label(i int) {
	tag := d.byte()
	if i == len(d.parts) {
		if tag != newLabel {
			d.fail(fmt.Errorf("label %d is like one that is not there", i))
			return
		}
		d.parts = append(d.parts, labels.Label{})
	}
	switch tag {
	case sameLabel:
	case sameName:
		d.parts[i].Value = d.text()
	case newLabel:
		d.parts[i].Name = d.text()
		d.parts[i].Value = d.text()
	default:
		d.fail(fmt.Errorf("unknown tag %d of label %d", tag, i))
	}
}

func (d *rowDecoder) byte() byte {
	if d.next >= len(d.data) {
		d.fail(errRowsEnd)
		return 0
	}
	b := d.data[d.next]
	d.next++
	return b
}

func (d *rowDecoder) number() uint64 {
	var n uint64
	for shift := 0; shift < 64; shift += 7 {
		b := d.byte()
		if shift == 63 && b > 1 {
			break
		}
		n |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return n
		}
	}
	d.fail(errors.New("a number is too large"))
	return 0
}

func (d *rowDecoder) signed() int64 {
	n := d.number()
	return int64(n>>1) ^ -int64(n&1)
}

func (d *rowDecoder) text() string {
	n := d.number()
	switch {
	case n > maxTextLen:
		d.fail(fmt.Errorf("a text of %d bytes", n))
		return ""
	case n > uint64(d.left()):
		d.fail(errRowsEnd)
		return ""
	}
	begin := d.next
	d.next += int(n)
	return d.data[begin:d.next]
}

func (d *rowDecoder) float() float64 {
	if d.left() < 8 {
		d.fail(errRowsEnd)
		return 0
	}
	bits := binary.LittleEndian.Uint64([]byte(d.data[d.next : d.next+8]))
	d.next += 8
	return math.Float64frombits(bits)
}
