package datasource

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
)

// metricReader reads label sets. Its memory holds one set at a time and is
// overwritten by the next; a label set it has returned is a copy of its own.
type metricReader struct {
	nameLabel string // takes the place of __name__ if not ""
	bare      bool   // values may be numbers, true, false or null

	arena   []byte
	spans   []labelSpan
	builder labels.ScratchBuilder
}

// labelSpan is where a label is in the arena: arena[from:mid] is the name,
// arena[mid:to] the value.
type labelSpan struct{ from, mid, to int }

// size returns how many bytes the reader holds on to.
func (m *metricReader) size() int { return cap(m.arena) }

// read consumes an object of labels, or null for none. Labels with an empty
// value are left out: they say the same as no label.
func (m *metricReader) read(l *lexer) labels.Labels {
	m.arena, m.spans = m.arena[:0], m.spans[:0]
	if l.null() || !l.take('{', "an object of labels") {
		return labels.EmptyLabels()
	}
	sorted := true
	for first := true; l.item(first, '}'); first = false {
		s := labelSpan{from: len(m.arena)}
		m.arena = l.appendString(m.arena)
		if m.nameLabel != "" && string(m.arena[s.from:]) == model.MetricNameLabel {
			m.arena = append(m.arena[:s.from], m.nameLabel...)
		}
		s.mid = len(m.arena)
		l.take(':', "a colon")
		if m.bare && l.peek() != '"' {
			m.arena = l.appendBare(m.arena)
		} else {
			m.arena = l.appendString(m.arena)
		}
		s.to = len(m.arena)
		if l.err != nil {
			break
		}
		if s.mid == s.from {
			l.fail(fmt.Errorf("label without a name before byte %d", l.offset()))
			break
		}
		if n := len(m.spans); n > 0 && bytes.Compare(m.name(m.spans[n-1]), m.name(s)) >= 0 {
			sorted = false
		}
		m.spans = append(m.spans, s)
	}
	if l.err != nil {
		return labels.EmptyLabels()
	}
	return m.labels(l, sorted)
}

func (m *metricReader) name(s labelSpan) []byte  { return m.arena[s.from:s.mid] }
func (m *metricReader) value(s labelSpan) []byte { return m.arena[s.mid:s.to] }

// labels copies the labels read out of the arena.
func (m *metricReader) labels(l *lexer, sorted bool) labels.Labels {
	if !sorted {
		slices.SortFunc(m.spans, func(a, b labelSpan) int { return bytes.Compare(m.name(a), m.name(b)) })
	}
	m.builder.Reset()
	for i, s := range m.spans {
		if !sorted && i > 0 && bytes.Equal(m.name(m.spans[i-1]), m.name(s)) {
			l.fail(fmt.Errorf("label %q appears twice in a series", clip(m.name(s))))
			return labels.EmptyLabels()
		}
		if s.mid == s.to {
			continue
		}
		// The builder copies both before the arena changes.
		m.builder.Add(unsafeString(m.name(s)), unsafeString(m.value(s)))
	}
	return m.builder.Labels()
}
