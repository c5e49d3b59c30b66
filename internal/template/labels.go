package template

import (
	"slices"

	"github.com/prometheus/prometheus/model/labels"
)

// labelNames returns the names of the alert's labels, sorted. The result is
// valid until the next call.
func (m *machine) labelNames() []string {
	names := m.names[:0]
	m.data.Labels.Range(func(x labels.Label) { names = append(names, x.Name) })
	if !slices.IsSorted(names) {
		slices.Sort(names)
	}
	m.names = names
	return names
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
