package relabel

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/common/model"
)

// graphite makes labels of the parts of a metric name with dots.
type graphite struct {
	match  []string // literals and stars, in order
	labels []graphiteLabel
}

// graphiteLabel is a label with the parts of its value.
type graphiteLabel struct {
	name  string
	parts []graphitePart
}

// graphitePart stands for what a star matched; for text where there is no such
// star.
type graphitePart struct {
	star int // from 1; 0 is the whole name, -1 none
	text string
}

func newGraphite(match string, values map[string]string) *graphite {
	g := &graphite{match: splitStars(match)}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		g.labels = append(g.labels, graphiteLabel{name, graphiteParts(values[name])})
	}
	return g
}

func splitStars(match string) []string {
	var parts []string
	for {
		literal, rest, found := strings.Cut(match, "*")
		if literal != "" {
			parts = append(parts, literal)
		}
		if !found {
			return parts
		}
		parts = append(parts, "*")
		match = rest
	}
}

// graphiteParts reads a text with references such as $1 and ${1}.
func graphiteParts(text string) []graphitePart {
	var parts []graphitePart
	literal := func(s string) {
		if s != "" {
			parts = append(parts, graphitePart{star: -1, text: s})
		}
	}
	for {
		before, rest, found := strings.Cut(text, "$")
		literal(before)
		if !found {
			return parts
		}
		number, after := cutReference(rest)
		if after == rest {
			literal("$")
		} else if star, err := strconv.Atoi(number); err == nil && star >= 0 {
			parts = append(parts, graphitePart{star: star, text: "$" + rest[:len(rest)-len(after)]})
		} else {
			literal("$" + rest[:len(rest)-len(after)])
		}
		text = after
	}
}

// cutReference returns the number behind a dollar, and what follows it: all of text
// if there is none.
func cutReference(text string) (number, after string) {
	if inner, ok := strings.CutPrefix(text, "{"); ok {
		if number, after, ok = strings.Cut(inner, "}"); ok {
			return number, after
		}
		return "", text
	}
	after = strings.TrimLeft(text, "0123456789")
	return text[:len(text)-len(after)], after
}

func (g *graphite) apply(w *work) bool {
	name := w.get(model.MetricNameLabel)
	var room [16]string
	stars, ok := g.stars(room[:0], name)
	if !ok {
		return true
	}
	for i := range g.labels {
		l := &g.labels[i]
		var b strings.Builder
		for _, p := range l.parts {
			if p.star >= 0 && p.star < len(stars) {
				b.WriteString(stars[p.star])
			} else {
				b.WriteString(p.text)
			}
		}
		w.set(l.name, b.String())
	}
	return true
}

// stars appends name and what each star of the pattern stands for, which has no
// dots and is as short as the literal that follows allows.
func (g *graphite) stars(found []string, name string) ([]string, bool) {
	found = append(found, name)
	for i := 0; i < len(g.match); i++ {
		if g.match[i] != "*" {
			if !strings.HasPrefix(name, g.match[i]) {
				return nil, false
			}
			name = name[len(g.match[i]):]
			continue
		}
		end := len(name)
		if i+1 < len(g.match) {
			end = strings.Index(name, g.match[i+1])
		}
		if end < 0 || strings.Contains(name[:end], ".") {
			return nil, false
		}
		found = append(found, name[:end])
		name = name[end:]
	}
	return found, name == ""
}
