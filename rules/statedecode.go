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
	plain := data[1:]
	switch data[0] {
	case plainState:
	case packedState:
		var ok bool
		if plain, ok = unpackState(plain); !ok {
			return nil, Memory{}, errBadState
		}
	default:
		return nil, Memory{}, fmt.Errorf("group state of version %d; this program knows versions %d and %d", data[0], plainState, packedState)
	}
	return decodePlain(key, plain)
}

func decodePlain(key config.Key, data []byte) (*config.Group, Memory, error) {
	d := stateDecoder{rest: string(data)}
	m := Memory{began: Instant(d.varint()), interval: time.Duration(d.varint())}
	n := d.count(minRule)
	cfg := &config.Group{Key: key, Rules: make([]config.Rule, n)}
	m.rules = make([]*RuleMemory, n)
	for i := range n {
		d.identity(&cfg.Rules[i])
		m.rules[i] = new(RuleMemory)
		d.rule(m.rules[i])
	}
	if d.failed || d.rest != "" {
		return nil, Memory{}, errBadState
	}
	return cfg, m, nil
}

// The fewest bytes that a stored rule, gap, alert, label set and label take.
const (
	minRule   = 28
	minGap    = 3
	minAlert  = 17
	minLabels = 1
	minLabel  = 2
)

// stateDecoder reads a stored memory. After something malformed it has failed and
// reads zeros.
type stateDecoder struct {
	rest    string
	failed  bool
	builder labels.ScratchBuilder
}

func (d *stateDecoder) fail() {
	d.failed, d.rest = true, ""
}

func (d *stateDecoder) byte() byte {
	if d.rest == "" {
		d.fail()
		return 0
	}
	b := d.rest[0]
	d.rest = d.rest[1:]
	return b
}

func (d *stateDecoder) uint64() uint64 {
	if len(d.rest) < 8 {
		d.fail()
		return 0
	}
	v := binary.BigEndian.Uint64([]byte(d.rest[:8]))
	d.rest = d.rest[8:]
	return v
}

func (d *stateDecoder) uvarint() uint64 {
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
	if n > uint64(len(d.rest)/size) {
		d.fail()
		return 0
	}
	return int(n)
}

// string returns a copy, so that what is kept does not hold on to all of it.
func (d *stateDecoder) string() string {
	n := d.uvarint()
	if n > uint64(len(d.rest)) {
		d.fail()
		return ""
	}
	s := d.rest[:n]
	d.rest = d.rest[n:]
	return strings.Clone(s)
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

func (d *stateDecoder) identity(r *config.Rule) {
	r.Kind = config.Recording
	if d.byte() != byte(config.Recording) {
		r.Kind = config.Alerting
	}
	r.Name = d.string()
	if n := d.count(minLabel); n > 0 {
		r.Labels = make([]config.Pair, n)
		for i := range r.Labels {
			r.Labels[i] = config.Pair{Name: d.string(), Value: d.string()}
		}
	}
	r.Expr = hashedExpr(d.uint64())
}

// hashedExpr stands for an expression of which only the hash is known.
func hashedExpr(hash uint64) string {
	return string(binary.BigEndian.AppendUint64(nil, hash))
}

func (d *stateDecoder) rule(m *RuleMemory) {
	flags := d.byte()
	m.evaluated, m.restored = flags&flagEvaluated != 0, flags&flagRestored != 0
	m.lastAt = Instant(d.varint())
	m.failingSince = Instant(d.varint())
	m.answeredAt = Instant(d.varint())
	m.interval = time.Duration(d.varint())
	m.labelled = d.uint64()
	m.History = History{d.string()}
	if n := d.count(minAlert); n > 0 {
		m.Alerts = make([]Instance, n)
		for i := range m.Alerts {
			d.alert(&m.Alerts[i])
		}
	}
	series := make([]labels.Labels, d.count(minLabels))
	for i := range series {
		series[i] = d.labels()
	}
	m.record(series, d.gaps())
}

func (d *stateDecoder) gaps() []span {
	gaps := make([]span, d.count(minGap))
	for i := range gaps {
		gaps[i] = span{Instant(d.varint()), Instant(d.varint()), time.Duration(d.varint())}
		if gaps[i].steps() <= 0 {
			d.fail()
		}
	}
	return gaps
}

func (d *stateDecoder) alert(a *Instance) {
	state := d.byte()
	a.State, a.Restored = State(state>>1), state&1 != 0
	if a.State > Firing {
		d.fail()
	}
	a.Result, a.Labels, a.Annotations = d.labels(), d.labels(), d.labels()
	a.ID = alertID(a.Labels)
	a.Value = math.Float64frombits(d.uint64())
	for _, t := range [...]*Instant{&a.ActiveAt, &a.StartsAt, &a.ResolvedAt, &a.KeepFiringSince, &a.LastSent} {
		*t = Instant(d.varint())
	}
}
