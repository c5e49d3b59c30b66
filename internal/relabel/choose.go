package relabel

import "strings"

// choose keeps the labels as a whole or drops them.
type choose struct {
	test interface{ holds(w *work) bool }
	drop bool // what the test holds for; else what it does not hold for
}

func (a *choose) apply(w *work) bool { return a.test.holds(w) != a.drop }

// sourceMatches holds when the source matches.
type sourceMatches struct {
	source source
	regex  pattern
}

func (t *sourceMatches) holds(w *work) bool {
	return t.regex.all() || t.regex.matches(t.source.of(w))
}

// sourceIsTarget holds when the source is the value of a label.
type sourceIsTarget struct {
	source source
	target string
}

func (t *sourceIsTarget) holds(w *work) bool { return t.source.of(w) == w.get(t.target) }

// allEqual holds when the labels all have the same value.
type allEqual struct{ names []string }

func (t *allEqual) holds(w *work) bool {
	first := w.get(t.names[0])
	for _, name := range t.names[1:] {
		if w.get(name) != first {
			return false
		}
	}
	return true
}

// containsAll holds when the value of a label contains those of all others.
type containsAll struct {
	target string
	names  []string
}

func (t *containsAll) holds(w *work) bool {
	text := w.get(t.target)
	for _, name := range t.names {
		if !strings.Contains(text, w.get(name)) {
			return false
		}
	}
	return true
}
