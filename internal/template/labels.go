package template

import (
	"slices"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/rules"
)

// labelMap returns the labels as text/template sees them. A name maps to what
// Get returns for it.
func labelMap(l *rules.TemplateLabels) map[string]string {
	m := l.Map()
	for _, name := range l.Added {
		if m[name] == "" {
			if v := l.Get(name); v != "" {
				m[name] = v
			}
		}
	}
	return m
}

// labelNames returns the names of the alert's labels, sorted. The result is
// valid until the next call.
func (m *machine) labelNames() []string {
	l := &m.data.Labels
	names := m.names[:0]
	l.Result.Range(func(x labels.Label) { names = append(names, x.Name) })
	own := len(names)
	for _, name := range l.Added {
		if !slices.Contains(names[:own], name) && l.Alert.Get(name) != "" {
			names = append(names, name)
		}
	}
	if !slices.IsSorted(names) {
		slices.Sort(names)
	}
	m.names = slices.Compact(names)
	return m.names
}

// appendLabels appends the labels as package fmt prints a map.
func (m *machine) appendLabels(dst []byte) []byte {
	dst = append(dst, "map["...)
	for i, name := range m.labelNames() {
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = append(dst, name...)
		dst = append(dst, ':')
		dst = append(dst, m.data.Labels.Get(name)...)
	}
	clear(m.names)
	return append(dst, ']')
}
