package config

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Problem is one thing wrong with one rule file. Its error reads
//
//	file:line: group "g": rule "r": what is wrong (hint)
//
// and leaves out what it does not know.
type Problem struct {
	File        string // as the API shows it; the pattern if no file is to blame
	Line        int    // from 1; 0 if it is about the whole file
	Group, Rule string
	Message     string // never contains values of headers or params, nor secrets of URLs
	Hint        string // what to do about it, if known
}

// ProblemIn returns a problem of rule number rule of g, at the rule's line, for
// checks that are made elsewhere.
func ProblemIn(g *Group, rule int, err error) Problem {
	r := &g.Rules[rule]
	return Problem{File: g.Key.File, Line: r.Line, Group: g.Key.Name, Rule: r.Name, Message: err.Error()}
}

func (p Problem) Error() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		b.WriteString(":" + strconv.Itoa(p.Line))
	}
	if p.Group != "" {
		b.WriteString(": group " + strconv.Quote(p.Group))
	}
	if p.Rule != "" {
		b.WriteString(": rule " + strconv.Quote(p.Rule))
	}
	b.WriteString(": " + p.Message)
	if p.Hint != "" {
		b.WriteString(" (" + p.Hint + ")")
	}
	return b.String()
}

// Problems is everything wrong with the rule files, as an error of one line per
// problem.
type Problems []Problem

func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the problems as errors of their own.
func (ps Problems) Unwrap() []error {
	errs := make([]error, len(ps))
	for i, p := range ps {
		errs[i] = p
	}
	return errs
}

// Sort orders problems by file, then by line; those of one line keep their order.
func (ps Problems) Sort() {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
}
