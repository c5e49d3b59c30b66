package rules

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/config"
)

// errBadState is what is wrong with a stored memory that cannot be read.
var errBadState = errors.New("malformed group state")

// decodeState reads what encodeState wrote. The configuration it returns has
// nothing but what groups and rules are told by; instead of expressions it has
// their hashes.
func decodeState(key config.Key, data []byte) (*config.Group, Memory, error) {
	if len(data) == 0 {
		return nil, Memory{}, errBadState
	}
	var d stateDecoder
	switch data[0] {
	case plainState:
		d.rest = string(data[1:])
	case packedState:
		var ok bool
		if d.packed, ok = newUnpacker(data[1:]); !ok {
			return nil, Memory{}, errBadState
		}
	default:
		return nil, Memory{}, fmt.Errorf("group state of version %d; this program knows versions %d and %d", data[0], plainState, packedState)
	}
	return d.group(key)
}

// The fewest bytes that a stored rule, gap, alert, series, label set and label take.
const (
	minRule   = 29
	minGap    = 3
	minAlert  = 17
	minSeries = 3
	minLabel  = 2
)

const (
	// maxText is the length of the longest text that a label can have.
	maxText = 1<<24 - 1
	// maxTrust is for how many things room is made before they have been read.
	maxTrust = 1024
)

// stateDecoder reads a stored memory. After something malformed it has failed and
// reads zeros.
type stateDecoder struct {
	rest    string
	packed  unpacker // what comes after rest
	failed  bool
	builder labels.ScratchBuilder
}

// left returns how many bytes were not read yet.
func (d *stateDecoder) left() int { return len(d.rest) + d.packed.left }

// fill unpacks until n bytes can be read from rest, or as many as there are.
func (d *stateDecoder) fill(n int) {
	for len(d.rest) < n {
		block, ok := d.packed.next()
		if !ok {
			return
		}
		d.rest += block
	}
}

// ended reports whether all was read, and well.
func (d *stateDecoder) ended() bool { return !d.failed && d.left() == 0 }

// group reads the whole of what encodeState wrote but the version.
func (d *stateDecoder) group(key config.Key) (*config.Group, Memory, error) {
	m := Memory{began: Instant(d.varint()), interval: time.Duration(d.varint())}
	n := d.count(minRule)
	cfg := &config.Group{Key: key, Rules: make([]config.Rule, 0, min(n, maxTrust))}
	m.rules = make([]*RuleMemory, 0, min(n, maxTrust))
	for range n {
		cfg.Rules = append(cfg.Rules, d.identity())
		m.rules = append(m.rules, d.rule())
		if d.failed {
			break
		}
	}
	if !d.ended() {
		return nil, Memory{}, errBadState
	}
	return cfg, m, nil
}

func (d *stateDecoder) fail() {
	d.failed, d.rest, d.packed = true, "", unpacker{}
}

func (d *stateDecoder) byte() byte {
	d.fill(1)
	if d.rest == "" {
		d.fail()
		return 0
	}
	b := d.rest[0]
	d.rest = d.rest[1:]
	return b
}

func (d *stateDecoder) uint64() uint64 {
	d.fill(8)
	if len(d.rest) < 8 {
		d.fail()
		return 0
	}
	v := binary.BigEndian.Uint64([]byte(d.rest[:8]))
	d.rest = d.rest[8:]
	return v
}

func (d *stateDecoder) uvarint() uint64 {
	d.fill(binary.MaxVarintLen64)
	v, rest, ok := uvarint(d.rest)
	if !ok {
		d.fail()
		return 0
	}
	d.rest = rest
	return v
}

func (d *stateDecoder) varint() int64 { return unzigzag(d.uvarint()) }

// count reads how many things follow that take at least size bytes each.
func (d *stateDecoder) count(size int) int {
	n := d.uvarint()
	if n > uint64(d.left()/size) {
		d.fail()
		return 0
	}
	return int(n)
}

// string returns a copy, so that what is kept does not hold on to all of it.
func (d *stateDecoder) string() string {
	n := d.uvarint()
	if n > maxText || n > uint64(d.left()) {
		d.fail()
		return ""
	}
	var b strings.Builder
	b.Grow(int(n))
	for b.Len() < int(n) {
		d.fill(1)
		if d.rest == "" {
			d.fail()
			return ""
		}
		part := d.rest[:min(len(d.rest), int(n)-b.Len())]
		b.WriteString(part)
		d.rest = d.rest[len(part):]
	}
	return b.String()
}

func (d *stateDecoder) labels() labels.Labels {
	n := d.count(minLabel)
	d.builder.Reset()
	for range n {
		name, value := d.string(), d.string()
		d.builder.Add(name, value)
	}
	d.builder.Sort()
	return d.builder.Labels()
}

// list reads things that take at least size bytes each.
func list[T any](d *stateDecoder, size int, read func() T) []T {
	n := d.count(size)
	if n == 0 {
		return nil
	}
	all := make([]T, 0, min(n, maxTrust))
	for range n {
		all = append(all, read())
		if d.failed {
			return nil
		}
	}
	return all
}

func (d *stateDecoder) identity() (r config.Rule) {
	r.Kind = config.Recording
	if d.byte() != byte(config.Recording) {
		r.Kind = config.Alerting
	}
	if r.Name = d.string(); r.Name == "" {
		d.fail()
	}
	r.Labels = list(d, minLabel, func() config.Pair { return config.Pair{Name: d.string(), Value: d.string()} })
	r.Expr = hashedExpr(d.uint64())
	return r
}

// hashedExpr stands for an expression of which only the hash is known.
func hashedExpr(hash uint64) string {
	return string(binary.BigEndian.AppendUint64(nil, hash))
}

func (d *stateDecoder) rule() *RuleMemory {
	flags := d.byte()
	m := &RuleMemory{evaluated: flags&flagEvaluated != 0, restored: flags&flagRestored != 0}
	m.lastAt = Instant(d.varint())
	m.failingSince = Instant(d.varint())
	m.answeredAt = Instant(d.varint())
	m.interval = time.Duration(d.varint())
	labelled := d.uint64()
	m.History = History{d.string()}
	t := told{labelled: labelled}
	t.alerts = list(d, minAlert, d.alert)
	t.series = list(d, minSeries, d.series)
	t.gaps = list(d, minGap, d.gap)
	m.tell(t)
	return m
}

// series reads the labels of a series, of which there is at least one.
func (d *stateDecoder) series() labels.Labels {
	l := d.labels()
	if l.IsEmpty() {
		d.fail()
	}
	return l
}

func (d *stateDecoder) gap() span {
	s := span{Instant(d.varint()), Instant(d.varint()), time.Duration(d.varint())}
	if s.steps() <= 0 {
		d.fail()
	}
	return s
}

func (d *stateDecoder) alert() (a Instance) {
	state := d.byte()
	a.State, a.Restored = State(state>>1), state&1 != 0
	a.Result, a.Labels, a.Annotations = d.labels(), d.labels(), d.labels()
	a.ID = alertID(a.Labels)
	a.Value = math.Float64frombits(d.uint64())
	for _, t := range [...]*Instant{&a.ActiveAt, &a.StartsAt, &a.ResolvedAt, &a.KeepFiringSince, &a.LastSent} {
		*t = Instant(d.varint())
	}
	if a.State > Firing || a.State == Firing && a.StartsAt == 0 {
		d.fail()
	}
	return a
}
