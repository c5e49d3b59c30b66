package relabel

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"
)

// source is the labels a rule reads, joined.
type source struct {
	names     []string
	separator string
}

func (s *source) of(w *work) string { return w.join(s.names, s.separator) }

// replace writes a text made of its source, if that matches, to a label.
type replace struct {
	source source
	regex  pattern
	target string
	with   replacement
}

func (a *replace) apply(w *work) bool {
	text := a.source.of(w)
	if a.regex.all() && !hasGroup(a.target) {
		switch {
		case a.with.isSource():
			w.setJoined(a.target, text)
			return true
		case !hasGroup(a.with.template):
			w.set(a.target, a.with.fill(w))
			return true
		}
	}
	if !hasGroup(a.with.template) && !hasGroup(a.target) {
		if a.regex.matches(text) {
			w.set(a.target, a.with.fill(w))
		}
		return true
	}
	if found, ok := a.regex.find(text); ok {
		value := a.with.fill(w)
		if hasGroup(a.with.template) {
			value = found.expand(value)
		}
		w.set(found.expand(a.target), value)
	}
	return true
}

// replacement is a text in which {{label}} stands for the value of a label and $1
// for a group.
type replacement struct {
	template string
	pieces   []piece // of template; nil if it refers to no label
}

// piece is literal text and then the value of a label, if it names one.
type piece struct {
	text, label string
	named       bool
}

func newReplacement(template string) replacement {
	r := replacement{template: template}
	if !strings.Contains(template, "{{") {
		return r
	}
	for text := template; text != ""; {
		before, after, opened := strings.Cut(text, "{{")
		label, rest, closed := strings.Cut(after, "}}")
		if !opened || !closed {
			r.pieces = append(r.pieces, piece{text: text})
			break
		}
		r.pieces = append(r.pieces, piece{text: before, label: label, named: true})
		text = rest
	}
	return r
}

// isSource reports whether the text is all of what a rule without a regex reads.
func (r *replacement) isSource() bool { return r.template == "$1" }

// fill returns the template with labels put in, for expansion of its groups if it
// has any. A dollar in the value of a label is no group.
func (r *replacement) fill(w *work) string {
	if r.pieces == nil {
		return r.template
	}
	var b strings.Builder
	for _, p := range r.pieces {
		b.WriteString(p.text)
		if !p.named {
			continue
		}
		value := w.get(p.label)
		if hasGroup(r.template) {
			value = strings.ReplaceAll(value, "$", "$$")
		}
		b.WriteString(value)
	}
	return b.String()
}

// replaceAll writes its source to a label with every match replaced, if there is
// one.
type replaceAll struct {
	source source
	regex  *regexp.Regexp // matches anywhere
	target string
	with   string
}

func (a *replaceAll) apply(w *work) bool {
	text := a.source.of(w)
	if !a.regex.MatchString(text) {
		return true
	}
	if value := a.regex.ReplaceAllString(text, a.with); value != text {
		w.set(a.target, value)
	}
	return true
}

// hashMod writes the remainder of its source's hash to a label.
type hashMod struct {
	source  source
	modulus uint64
	target  string
}

func (a *hashMod) apply(w *work) bool {
	w.set(a.target, strconv.FormatUint(xxhash.Sum64String(a.source.of(w))%a.modulus, 10))
	return true
}

// changeCase writes its source to a label with the letters of change.
type changeCase struct {
	source source
	target string
	change func(string) string
}

func (a *changeCase) apply(w *work) bool {
	w.setJoined(a.target, a.change(a.source.of(w)))
	return true
}
