package rules

import (
	"encoding/binary"
	"math"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/config"
)

// The stored form of a group's memory, in the varints of encoding/binary and
// strings preceded by their length: first the version, and then, packed unless the
// version is plainState,
//
//	when the last round began, interval, number of rules, and for each rule
//	  what it is told by: kind, name, labels, hash of the expression
//	  flags, time of the last good evaluation, of the first failing one in a row, of
//	  the last one with an answer, interval then, the configuration of labels, history
//	  number of alerts, and for each its fields
//	  number of series, and for each its labels
//	  number of gaps, and for each its first and last time and interval
//
// Labels are their number, and then names and values.
const (
	plainState  = 2
	packedState = 3
)

// Flags of a rule.
const (
	flagEvaluated = 1 << iota
	flagRestored
)

// encodeState returns what the rules of cfg remember.
func encodeState(cfg *config.Group, memories []*RuleMemory, began Instant) []byte {
	return packState(packedState, func(b []byte, spill func([]byte) []byte) []byte {
		b = binary.AppendVarint(b, int64(began))
		b = binary.AppendVarint(b, int64(cfg.Interval))
		b = binary.AppendUvarint(b, uint64(len(memories)))
		for i, m := range memories {
			b = appendIdentity(b, &cfg.Rules[i])
			b = m.append(b, spill)
		}
		return b
	})
}

func appendIdentity(b []byte, r *config.Rule) []byte {
	b = append(b, byte(r.Kind))
	b = appendString(b, r.Name)
	b = binary.AppendUvarint(b, uint64(len(r.Labels)))
	for _, p := range r.Labels {
		b = appendString(appendString(b, p.Name), p.Value)
	}
	return binary.BigEndian.AppendUint64(b, exprHash(r.Expr))
}

func exprHash(expr string) uint64 { return uint64(newFNV().add(expr)) }

// append appends m to b and spills it where it has become long.
func (m *RuleMemory) append(b []byte, spill func([]byte) []byte) []byte {
	var flags byte
	if m.evaluated {
		flags |= flagEvaluated
	}
	if m.restored {
		flags |= flagRestored
	}
	b = append(b, flags)
	b = binary.AppendVarint(b, int64(m.lastAt))
	b = binary.AppendVarint(b, int64(m.failingSince))
	b = binary.AppendVarint(b, int64(m.answeredAt))
	b = binary.AppendVarint(b, int64(m.interval))
	heard := m.heard()
	b = binary.BigEndian.AppendUint64(b, heard.labelled)
	b = appendString(b, m.History.packed)
	b = binary.AppendUvarint(b, uint64(len(heard.alerts)))
	for i := range heard.alerts {
		b = spill(heard.alerts[i].append(b))
	}
	b = binary.AppendUvarint(b, uint64(len(heard.series)))
	for _, l := range heard.series {
		b = spill(appendLabels(b, l))
	}
	b = binary.AppendUvarint(b, uint64(len(heard.gaps)))
	for _, g := range heard.gaps {
		b = binary.AppendVarint(b, int64(g.from))
		b = binary.AppendVarint(b, int64(g.to))
		b = binary.AppendVarint(b, int64(g.interval))
	}
	return spill(b)
}

func (a *Instance) append(b []byte) []byte {
	state := byte(a.State) << 1
	if a.Restored {
		state |= 1
	}
	b = append(b, state)
	b = appendLabels(b, a.Result)
	b = appendLabels(b, a.Labels)
	b = appendLabels(b, a.Annotations)
	b = binary.BigEndian.AppendUint64(b, math.Float64bits(a.Value))
	for _, t := range [...]Instant{a.ActiveAt, a.StartsAt, a.ResolvedAt, a.KeepFiringSince, a.LastSent} {
		b = binary.AppendVarint(b, int64(t))
	}
	return b
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendLabels(b []byte, ls labels.Labels) []byte {
	b = binary.AppendUvarint(b, uint64(ls.Len()))
	ls.Range(func(l labels.Label) {
		b = appendString(appendString(b, l.Name), l.Value)
	})
	return b
}
