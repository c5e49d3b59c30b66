package rules

import (
	"fmt"
	"strings"
	"testing"

	"tocsin/config"
)

// groupsOf reads groups from a short notation, one group a word: file/name=rules.
// A rule is its name, in lower case if it is a recording rule, with a label and
// an expression unless they are like the name: "A", "A{x}", "A:expr", "A{x}:expr".
func groupsOf(text string) []*config.Group {
	var all []*config.Group
	for word := range strings.FieldsSeq(text) {
		id, list, _ := strings.Cut(word, "=")
		file, name, _ := strings.Cut(id, "/")
		g := &config.Group{Key: config.Key{File: file, Name: name}}
		for r := range strings.SplitSeq(list, ",") {
			if r != "" {
				g.Rules = append(g.Rules, ruleOf(r))
			}
		}
		all = append(all, g)
	}
	return all
}

func ruleOf(text string) config.Rule {
	text, expr, given := strings.Cut(text, ":")
	name, label, labelled := strings.Cut(strings.TrimSuffix(text, "}"), "{")
	r := config.Rule{Kind: config.Alerting, Name: name, Expr: name}
	if given {
		r.Expr = expr
	}
	if labelled {
		r.Labels = []config.Pair{{Name: "l", Value: label}}
	}
	if name == strings.ToLower(name) {
		r.Kind = config.Recording
	}
	return r
}

// notation writes a descent: for each group the place it takes, in brackets if
// only the schedule goes on, and where its rules come from; then what is left.
func (d descent) notation() string {
	var b strings.Builder
	for _, h := range d.heirs {
		switch {
		case h.place < 0:
			b.WriteString("-")
		case h.succeeds:
			fmt.Fprint(&b, h.place)
		default:
			fmt.Fprintf(&b, "(%d)", h.place)
		}
		b.WriteByte('=')
		for i, o := range h.rules {
			if i > 0 {
				b.WriteByte(',')
			}
			if o.none() {
				b.WriteByte('-')
			} else {
				fmt.Fprintf(&b, "%d.%d", o.group, o.rule)
			}
		}
		b.WriteByte(' ')
	}
	for i, left := range d.left {
		for _, j := range left {
			fmt.Fprintf(&b, "left:%d.%d ", i, j)
		}
	}
	return strings.TrimSpace(b.String())
}

func TestDescent(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"reordered", "f/g=A,B,C", "f/g=C,A,B", "0=0.2,0.0,0.1"},
		{"equal rules keep their order", "f/g=A,A,B", "f/g=B,A,A", "0=0.2,0.0,0.1"},
		{"equal rules are told by expression", "f/g=A:x,A:y", "f/g=A:y,A:x", "0=0.1,0.0"},
		{"one of two equal rules removed", "f/g=A,A", "f/g=A", "0=0.0 left:0.1"},
		{"one of two edited", "f/g=A:x,A:y", "f/g=A:y,A:z", "0=0.1,0.0"},
		{"added in front", "f/g=A", "f/g=X,A", "0=-,0.0"},
		{"expression edited", "f/g=A:x,B:y", "f/g=A:z,B:y", "0=0.0,0.1"},
		{"labels edited", "f/g=A{x}", "f/g=A{y}", "0=0.0"},
		{"labels of one of two edited", "f/g=A{x},A{y}", "f/g=A{z},A{y}", "0=0.0,0.1"},
		{"labels edited, told by expression", "f/g=A{x}:1,A{y}:2", "f/g=A{u}:2,A{v}:1", "0=0.1,0.0"},
		{"renamed", "f/g=A:x", "f/g=B:x", "0=0.0"},
		{"renamed and edited", "f/g=A:x", "f/g=B:y", "0=- left:0.0"},
		{"two names exchanged", "f/g=A:x,B:y", "f/g=B:x,A:y", "0=0.1,0.0"},
		{"kind changed", "f/g=a:x", "f/g=A:x", "0=- left:0.0"},

		{"moved to another file", "f/g=A", "h/g=A", "0=0.0"},
		{"moved and edited", "f/g=A", "h/g=A:x,B", "0=0.0,-"},
		{"file with several groups renamed", "f/g=A f/h=B", "k/g=A k/h=B", "0=0.0 1=1.0"},
		{"files with groups of one name renamed", "f/g=A h/g=B", "k/g=B l/g=A", "1=1.0 0=0.0"},
		{"as many edited ones of one name", "f/g=A:x h/g=B:x", "k/g=A:y l/g=B:y", "(0)=0.0 (1)=1.0"},
		{"group renamed", "f/g=A,B", "f/h=A,B", "0=0.0,0.1"},
		{"group renamed and edited", "f/g=A,B", "f/h=A,B,C", "(0)=0.0,0.1,-"},
		{"group renamed in another file", "f/g=A", "k/h=A", "(0)=0.0"},

		{"group split", "f/g=A,B,C", "f/g=A f/h=B,C", "0=0.0 (0)=0.1,0.2"},
		{"group split into new ones", "f/g=A,B,C", "f/x=A f/y=B,C", "(0)=0.0 (0)=0.1,0.2"},
		{"groups merged", "f/g=A f/h=B,C", "f/x=A,B,C", "(1)=0.0,1.0,1.1"},
		{"rule moved to a changed group", "f/g=A,B f/h=C", "f/g=A f/h=C,B", "0=0.0 1=1.0,0.1"},
		{"rule moved and edited", "f/g=A,B:x f/h=C", "f/g=A f/h=C,B:y", "0=0.0 1=1.0,0.1"},
		{"rules of one name exchanged by groups", "f/g=A{x}:x,B f/h=A{y}:y,C", "f/g=A{y}:y,B f/h=A{x}:x,C", "0=1.0,0.1 1=0.0,1.1"},
		{"rule moved and another renamed after it", "f/g=A{x}:x,B{y}:y f/h=C", "f/g=A{y}:y f/h=C,A{x}:x", "0=0.1 1=1.0,0.0"},
		{"rule edited and copied", "f/g=A:x f/h=C", "f/g=A:y f/h=C,A:x", "0=0.0 1=1.0,-"},
		{"which of two rules moved is unclear", "f/g=B:x,B:y,A f/h=C", "f/g=A f/h=C,B:z", "0=0.2 1=1.0,- left:0.0 left:0.1"},
		{"rule renamed by moving is another", "f/g=A,B:x f/h=C", "f/g=A f/h=C,D:x", "0=0.0 1=1.0,- left:0.1"},

		{"everything removed", "f/g=A h/g=B", "", "left:0.0 left:1.0"},
		{"everything new", "", "f/g=A,B", "-=-,-"},
		{"group without rules", "f/g=", "f/g=", "0="},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := trace(groupsOf(c.old), groupsOf(c.new)).notation(); got != c.want {
				t.Errorf("%s -> %s: got %s, want %s", c.old, c.new, got, c.want)
			}
		})
	}
}
