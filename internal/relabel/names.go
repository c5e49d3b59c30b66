package relabel

import (
	"regexp"
	"slices"

	"github.com/prometheus/prometheus/model/labels"
)

// mapNames copies labels whose names match to names made of theirs.
type mapNames struct {
	regex pattern
	with  string
}

func (a *mapNames) apply(w *work) bool {
	if !slices.ContainsFunc(w.list, func(l labels.Label) bool { return a.regex.matches(l.Name) }) {
		return true
	}
	// The values before any is copied: the result must not depend on the order of
	// the names.
	w.before = append(w.before[:0], w.list...)
	for _, l := range w.before {
		found, ok := a.regex.find(l.Name)
		if !ok {
			continue
		}
		if name := found.expand(a.with); name != l.Name {
			w.set(name, l.Value)
		}
	}
	clear(w.before)
	return true
}

// renameAll replaces every match within the names of labels.
type renameAll struct {
	regex *regexp.Regexp // matches anywhere
	with  string
}

func (a *renameAll) apply(w *work) bool {
	for i := range w.list {
		l := &w.list[i]
		if !a.regex.MatchString(l.Name) {
			continue
		}
		if name := a.regex.ReplaceAllString(l.Name, a.with); name != l.Name {
			l.Name = name
			w.touched = true
		}
	}
	return true
}

// filterNames removes the labels whose names match, or do not.
type filterNames struct {
	regex pattern
	keep  bool // those that match
}

func (a *filterNames) apply(w *work) bool {
	w.drop(func(l labels.Label) bool { return a.regex.matches(l.Name) != a.keep })
	return true
}
