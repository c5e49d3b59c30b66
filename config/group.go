// Package config finds, reads, decodes and validates rule files.
//
// What it returns is plain data: a Group is never modified after Load, so it
// may be shared between goroutines without a lock. The package evaluates
// nothing and knows nothing of what runs.
package config

import (
	"reflect"
	"time"
)

// Type names the query language of a group's expressions and, with it, the
// endpoint of the datasource that evaluates them.
type Type string

// The types a group may have.
const (
	Prometheus Type = "prometheus"
	Graphite   Type = "graphite"
	VLogs      Type = "vlogs"
)

// Key is the identity of a group: the file it is written in (as the API shows
// it) and its name, which is unique within that file.
type Key struct{ File, Name string }

func (k Key) String() string { return k.File + ";" + k.Name }

// Pair is one name with its value: a label, an annotation or a header.
type Pair struct{ Name, Value string }

// Duration is a duration of a rule file that also knows whether the file gave
// it. Duration holds the value in force either way.
type Duration struct {
	Duration time.Duration
	Set      bool
}

// Group is one rule group as written, with defaults applied.
type Group struct {
	Key  Key
	Line int // of the group in its file, from 1; not part of its value
	Type Type

	Interval      time.Duration // between evaluations; > 0
	EvalOffset    Duration      // Set: evaluate exactly at this offset of each interval; within [0, Interval]
	EvalDelay     Duration      // shifts the query time back; Set only when the file gives it
	EvalAlignment bool          // truncate the query time to Interval
	Limit         int           // most results or active alerts of one rule; 0 is no limit
	Concurrency   int           // rules evaluated at once; >= 1

	Params          map[string][]string // extra query arguments
	Headers         []Pair              // extra headers of queries, in file order
	NotifierHeaders []Pair              // extra headers of notifications, in file order
	Labels          []Pair              // added to every rule, sorted by name
	Debug           bool
	Tenant          Tenant // whose data it is about; none unless tenants are enabled

	Rules []Rule // in file order
}

// Kind tells a recording rule from an alerting one.
type Kind uint8

// The kinds of rule.
const (
	Recording Kind = iota
	Alerting
)

func (k Kind) String() string {
	if k == Alerting {
		return "alerting"
	}
	return "recording"
}

// Rule is one rule of a group as written, with defaults applied.
type Rule struct {
	Line  int // of the rule in its file, from 1; not part of its value
	Kind  Kind
	Debug bool   // the rule's own, else the group's
	Name  string // the recorded metric, or the alert
	Expr  string

	For           time.Duration // >= 0
	KeepFiringFor time.Duration // >= 0
	Labels        []Pair        // the rule's own, sorted by name
	Annotations   []Pair        // sorted by name
	UpdateEntries int           // evaluations remembered for the API; >= 1
}

// Equal reports whether both groups are the same configuration. It compares
// whole values; only the lines at which they are written do not count.
func (g *Group) Equal(o *Group) bool {
	a, b := *g, *o
	a.Line, b.Line = 0, 0
	if sharesRules(g, o) {
		a.Rules, b.Rules = nil, nil
	} else {
		a.Rules, b.Rules = unplaced(g.Rules), unplaced(o.Rules)
	}
	return reflect.DeepEqual(&a, &b)
}

// sharesRules reports whether both groups have the rules of the same read.
func sharesRules(g, o *Group) bool {
	return len(g.Rules) > 0 && len(g.Rules) == len(o.Rules) && &g.Rules[0] == &o.Rules[0]
}

// unplaced returns rules that do not tell where in their file they stand.
func unplaced(rules []Rule) []Rule {
	c := make([]Rule, len(rules))
	for i, r := range rules {
		r.Line = 0
		c[i] = r
	}
	return c
}
