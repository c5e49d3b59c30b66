package alertmanager

import (
	"slices"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
)

// labelNames finds names for labels that every Alertmanager takes.
type labelNames struct {
	made []string // for the current labels
}

// each calls f with the labels that have a value. Where two names become one, the
// label that needed no change wins, and else the first in order.
func (n *labelNames) each(ls labels.Labels, f func(name, value string)) {
	n.made = n.made[:0]
	ls.Range(func(l labels.Label) {
		if l.Name == "" || l.Value == "" {
			return
		}
		name := l.Name
		if !validName(name) {
			name = sanitizedName(name)
			if ls.Get(name) != "" || slices.Contains(n.made, name) {
				return
			}
			n.made = append(n.made, name)
		}
		f(name, l.Value)
	})
}

// plain returns ls as a peer sees them when nothing is relabeled.
func plain(ls labels.Labels) labels.Labels {
	clean := true
	ls.Range(func(l labels.Label) { clean = clean && l.Name != "" && l.Value != "" && validName(l.Name) })
	if clean {
		return ls
	}
	b := labels.NewScratchBuilder(ls.Len())
	new(labelNames).each(ls, func(name, value string) { b.Add(name, value) })
	b.Sort()
	return b.Labels()
}

func validName(name string) bool {
	for i := range len(name) {
		if !plainNameByte(name[i]) {
			return false
		}
	}
	return true
}

func plainNameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_'
}

// sanitizedName returns name with an underscore for each character that is not
// allowed in the label names of older Alertmanagers.
func sanitizedName(name string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x80 && plainNameByte(byte(r)) {
			return r
		}
		return '_'
	}, name)
}
