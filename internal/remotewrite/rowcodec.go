package remotewrite

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/rules"
)

// Encoded rows are, in this order: the version, a byte; the number of rows; the
// rows. Numbers are uvarints, those that may be negative zigzag varints; a text is
// its length in bytes and its bytes. A row is
//
//	head    a byte, see below
//	name    0 for none, n for the n-th name of the batch; a new one gets the next
//	        number and is followed by its text
//	labels  of the row, unless it has those of the row before: their number, then
//	        for each a tag, which says how much of it is that of the label that
//	        stands at the same place in the row before, and the texts that are not
//	time    unless it is that of the row before: the difference to it
//	value   a zigzag varint if it is a whole number, else its 8 bytes, little-endian
//
// where the row before the first one has no labels and the time 0.
const rowsVersion = 1

// The head of a row.
const (
	headState      = 3      // bits of the state of the alert
	headSameLabels = 1 << 2 // as in the row before
	headSameTime   = 1 << 3
	headWhole      = 1 << 4 // the value is a whole number
	headBits       = 1<<5 - 1
)

// The tags of a label.
const (
	sameLabel = iota
	sameName  // the value follows
	newLabel  // name and value follow
)

// minRowLen is how many bytes the shortest row has.
const minRowLen = 3

const (
	// rowSample is how many rows are encoded before room is made for the others.
	rowSample = 256
	// mostRoom is how much room is made at once, in bytes.
	mostRoom = 8 << 20
)

// AppendRows appends rows to dst in a form that DecodeRows reads: labels, time and
// value are restored to the bit. Rows with labels much like those of the row before
// take few bytes.
func AppendRows(dst []byte, rows []rules.Series) []byte {
	e := rowEncoder{dst: append(dst, rowsVersion)}
	e.dst = binary.AppendUvarint(e.dst, uint64(len(rows)))
	start := len(e.dst)
	for i := range rows {
		if i == rowSample {
			// The others will hardly be longer.
			e.dst = slices.Grow(e.dst, min(mostRoom, (len(e.dst)-start)/rowSample*(len(rows)-rowSample)))
		}
		e.row(&rows[i])
	}
	return e.dst
}

// rowEncoder knows the row before.
type rowEncoder struct {
	dst    []byte
	names  []string
	labels labels.Labels
	parts  []labels.Label // of labels
	time   int64
}

func (e *rowEncoder) row(s *rules.Series) {
	head := byte(s.Alert) & headState
	same := labels.Equal(s.Labels, e.labels)
	if same {
		head |= headSameLabels
	}
	if s.T == e.time {
		head |= headSameTime
	}
	whole, isWhole := wholeNumber(s.V)
	if isWhole {
		head |= headWhole
	}
	e.dst = append(e.dst, head)
	e.name(s.Name)
	if !same {
		e.set(s.Labels)
	}
	if s.T != e.time {
		e.dst = binary.AppendVarint(e.dst, s.T-e.time) // may overflow, and does so again when it is added
		e.time = s.T
	}
	if isWhole {
		e.dst = binary.AppendVarint(e.dst, whole)
	} else {
		e.dst = binary.LittleEndian.AppendUint64(e.dst, math.Float64bits(s.V))
	}
}

// name appends the number of a name. There are few in a batch.
func (e *rowEncoder) name(name string) {
	if name == "" {
		e.dst = append(e.dst, 0)
		return
	}
	for i := range e.names {
		if e.names[i] == name {
			e.dst = binary.AppendUvarint(e.dst, uint64(i+1))
			return
		}
	}
	e.names = append(e.names, name)
	e.dst = binary.AppendUvarint(e.dst, uint64(len(e.names)))
	e.text(name)
}

// set appends labels, which are not those of the row before.
func (e *rowEncoder) set(l labels.Labels) {
	e.dst = binary.AppendUvarint(e.dst, uint64(l.Len()))
	i := 0
	l.Range(func(x labels.Label) {
		e.label(i, x)
		i++
	})
	e.parts = e.parts[:i]
	e.labels = l
}

func (e *rowEncoder) label(i int, x labels.Label) {
	if i == len(e.parts) {
		e.parts = append(e.parts, labels.Label{})
		e.newLabel(i, x)
		return
	}
	before := &e.parts[i]
	switch {
	case before.Name != x.Name:
		e.newLabel(i, x)
	case before.Value != x.Value:
		e.dst = append(e.dst, sameName)
		e.text(x.Value)
		before.Value = x.Value
	default:
		e.dst = append(e.dst, sameLabel)
	}
}

func (e *rowEncoder) newLabel(i int, x labels.Label) {
	e.dst = append(e.dst, newLabel)
	e.text(x.Name)
	e.text(x.Value)
	e.parts[i] = x
}

func (e *rowEncoder) text(s string) {
	e.dst = binary.AppendUvarint(e.dst, uint64(len(s)))
	e.dst = append(e.dst, s...)
}

// wholeNumber returns v as an integer if that is all there is to it.
func wholeNumber(v float64) (n int64, ok bool) {
	const most = 1 << 53 // up to here every integer is a float64
	if !(v >= -most && v <= most) {
		return 0, false
	}
	n = int64(v)
	return n, math.Float64bits(float64(n)) == math.Float64bits(v)
}
