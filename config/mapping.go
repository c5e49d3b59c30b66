package config

import (
	"cmp"
	"slices"

	"gopkg.in/yaml.v3"
)

// Mapping is one mapping of a Document. Every key it can have must be asked for,
// whether it is there or not, before Done.
type Mapping struct {
	d     *decoder
	what  string // how problems call it
	line  int
	set   *fieldSet
	known []string // the keys that were asked for
}

// mapping returns nil when n is no mapping, which is a problem unless there is
// nothing at all.
func (d *decoder) mapping(n *yaml.Node, what string) *Mapping {
	n = d.resolve(n)
	if isNull(n) {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		// What is written instead may be the secret itself.
		d.problem(n.Line, "", "%s: expected a mapping of keys to values", what)
		return nil
	}
	return &Mapping{d: d, what: what, line: n.Line, set: d.fields(n, what)}
}

// Line returns where the mapping begins, from 1.
func (m *Mapping) Line() int { return m.line }

// LineOf returns where a key is written, that of the mapping if it is not.
func (m *Mapping) LineOf(key string) int {
	if f, ok := m.set.find(key); ok {
		return f.line
	}
	return m.line
}

// Has reports whether a key is written and has a value.
func (m *Mapping) Has(key string) bool {
	f, ok := m.set.find(key)
	return ok && !isNull(m.d.resolve(f.value))
}

// Found returns how many problems the whole file has so far.
func (m *Mapping) Found() int { return len(m.d.problems) }

// Problem notes that something is wrong at a line.
func (m *Mapping) Problem(line int, message string) {
	m.d.problem(line, "", "%s: %s", m.what, message)
}

// value returns what is written for a key, nothing if it is not there.
func (m *Mapping) value(key string) *yaml.Node {
	m.known = append(m.known, key)
	if f, ok := m.set.find(key); ok {
		return f.value
	}
	return nothing
}

// Text returns a text, "" without one.
func (m *Mapping) Text(key string) string { return m.d.text(m.value(key), key) }

// OptionalText returns nil without a text.
func (m *Mapping) OptionalText(key string) *string {
	text := m.Text(key)
	if !m.Has(key) {
		return nil
	}
	return &text
}

// Bool returns a truth value, was without one.
func (m *Mapping) Bool(key string, was bool) bool { return m.d.boolean(m.value(key), key, was) }

// Int returns a whole number, 0 without one.
func (m *Mapping) Int(key string) int { return m.d.integer(m.value(key), key, 0) }

// Duration returns a duration, Set if there is one.
func (m *Mapping) Duration(key string) Duration { return m.d.duration(m.value(key), key) }

// Texts returns the texts of a list, in order.
func (m *Mapping) Texts(key string) []string {
	var texts []string
	for _, item := range m.d.items(m.value(key), key, "a list of texts") {
		texts = append(texts, m.d.text(item, key))
	}
	return texts
}

// TextOrTexts returns one text, or those of a list, and of the lists within it.
func (m *Mapping) TextOrTexts(key string) []string {
	var texts []string
	var add func(n *yaml.Node, depth int)
	add = func(n *yaml.Node, depth int) {
		n = m.d.resolve(n)
		if n.Kind != yaml.SequenceNode || depth == 0 {
			texts = append(texts, m.d.text(n, key))
			return
		}
		for _, item := range n.Content {
			add(item, depth-1)
		}
	}
	if n := m.d.resolve(m.value(key)); !isNull(n) {
		add(n, maxMerges)
	}
	return texts
}

// Pairs returns the names and texts of a mapping, sorted by name.
func (m *Mapping) Pairs(key string) []Pair {
	inner := m.Mapping(key)
	if inner == nil {
		return nil
	}
	pairs := make([]Pair, 0, len(inner.set.list))
	for _, f := range inner.set.list {
		pairs = append(pairs, Pair{Name: f.name, Value: m.d.text(f.value, key)})
	}
	slices.SortFunc(pairs, func(a, b Pair) int { return cmp.Compare(a.Name, b.Name) })
	return pairs
}

// Mapping returns the mapping of a key, nil without one.
func (m *Mapping) Mapping(key string) *Mapping { return m.d.mapping(m.value(key), key) }

// Mappings returns the mappings of a list, in order.
func (m *Mapping) Mappings(key string) []*Mapping {
	var list []*Mapping
	for _, item := range m.d.items(m.value(key), key, "a list of mappings") {
		if isNull(m.d.resolve(item)) {
			item = &yaml.Node{Kind: yaml.MappingNode, Line: item.Line}
		}
		if inner := m.d.mapping(item, key); inner != nil {
			list = append(list, inner)
		}
	}
	return list
}

// Done makes a problem of every key that was not asked for. Hints say of some what
// to do about it.
func (m *Mapping) Done(hints map[string]string) {
	for _, f := range m.set.list {
		if !slices.Contains(m.known, f.name) {
			m.d.unknownKey(f, m.known, hints)
		}
	}
}
