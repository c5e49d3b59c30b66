package rules

import (
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/config"
)

// Memory is what a group remembers between evaluations. It holds values only:
// nothing in it refers to a Group, so handing it over ties nobody to anybody.
// The zero value is the memory of a group that never ran.
type Memory struct {
	rules map[RuleID]ruleMemory
	last  Instant // the slot of the last round; unset before the first
	began Instant // when that round began
	stats GroupStats

	interval time.Duration // between slots up to the last
}

// RuleID is the identity of a rule at hand-over: what it is called and how it is
// labelled. Expression, for and annotations are not part of it, so editing them
// keeps the state.
type RuleID struct {
	Kind   config.Kind
	Name   string
	Labels string // the rule's own, canonical
	Nth    int    // among rules that are otherwise equal, in file order
}

// ruleMemory is what one rule remembers.
type ruleMemory struct {
	alerts    []Instance      // of an alerting rule, in the order in which they became active
	series    []labels.Labels // of a recording rule: written by its last good evaluation
	history   History         // of the last evaluations
	errors    uint64          // evaluations that failed, ever
	evaluated bool            // at least once
	restored  bool            // what storage knew of the alerts was looked up, or need not be

	failingSince Instant // the first of the evaluations that failed in a row; unset if the last went well
	lastAt       Instant // the time of the last good evaluation
	labelled     uint64  // the configuration that gave alerts their labels; 0 if there are none
}

// GroupStats counts what a group's rounds came to. Counters never decrease
// while the process runs, whatever is reloaded.
type GroupStats struct {
	Rounds, Missed, Resets uint64

	durations [durationWindow]time.Duration // of the last rounds, as a ring
	total     time.Duration
}

// durationWindow is how many rounds the quantiles of their duration cover.
const durationWindow = 32

func (s *GroupStats) observe(d time.Duration) {
	s.durations[s.Rounds%durationWindow] = d
	s.Rounds++
	s.total += d
}

// ruleIDs returns the identities of rules, in their order.
func ruleIDs(rules []config.Rule) []RuleID {
	ids := make([]RuleID, len(rules))
	count := make(map[RuleID]int, len(rules))
	for i := range rules {
		id := RuleID{Kind: rules[i].Kind, Name: rules[i].Name, Labels: canonical(rules[i].Labels)}
		nth := count[id]
		count[id]++
		id.Nth = nth
		ids[i] = id
	}
	return ids
}

// canonical returns pairs, which are sorted, as one string that no other pairs have.
func canonical(pairs []config.Pair) string {
	if len(pairs) == 0 {
		return ""
	}
	var b strings.Builder
	for _, p := range pairs {
		b.WriteString(p.Name)
		b.WriteByte(0xff)
		b.WriteString(p.Value)
		b.WriteByte(0xff)
	}
	return b.String()
}

// adoptedBy splits the memory between the rules that go on under ids and those
// that are gone. A rule whose labels were edited is found by kind and name, in
// order among those left over.
func (m Memory) adoptedBy(ids []RuleID) (kept Memory, gone map[RuleID]ruleMemory) {
	kept = Memory{rules: make(map[RuleID]ruleMemory, len(ids)), last: m.last, began: m.began, stats: m.stats, interval: m.interval}
	gone = make(map[RuleID]ruleMemory)
	for id, rm := range m.rules {
		gone[id] = rm
	}
	var orphans []RuleID
	for _, id := range ids {
		rm, ok := gone[id]
		if !ok {
			orphans = append(orphans, id)
			continue
		}
		kept.rules[id] = rm
		delete(gone, id)
	}
	for _, id := range orphans {
		if from, ok := sameName(gone, id); ok {
			kept.rules[id] = gone[from]
			delete(gone, from)
		}
	}
	return kept, gone
}

// sameName returns the first identity of among, in a fixed order, with the kind
// and name of id.
func sameName(among map[RuleID]ruleMemory, id RuleID) (best RuleID, ok bool) {
	for c := range among {
		if c.Kind != id.Kind || c.Name != id.Name {
			continue
		}
		if !ok || c.Nth < best.Nth || (c.Nth == best.Nth && c.Labels < best.Labels) {
			best, ok = c, true
		}
	}
	return best, ok
}
