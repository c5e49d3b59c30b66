package rules

import (
	"time"

	"github.com/prometheus/prometheus/model/labels"
)

// Memory is what a group remembers between evaluations. It holds values only, and
// what is never changed: nothing in it refers to a Group, so handing it over ties
// nobody to anybody.
// The zero value is the memory of a group that never ran.
type Memory struct {
	rules []*RuleMemory // by position in the group; nil if none has been evaluated
	last  Instant      // the slot of the last round; unset before the first
	began Instant      // when that round began
	stats GroupStats

	interval time.Duration // between slots up to the last
}

// RuleMemory is what one rule remembers. A group that runs changes none that it
// has: snapshots, and the rules that go on from there, share it.
type RuleMemory struct {
	// Alerts are in the order in which they became active; resolved ones that are
	// still being told to Alertmanager are among them, as Inactive.
	Alerts  []Instance
	History History // of the last evaluations; empty before the first
	Errors  uint64  // evaluations that failed, ever

	series    []labels.Labels // of a recording rule: written by its last good evaluation
	evaluated bool            // at least once
	restored  bool            // what storage knew of the alerts was looked up, or need not be
	reported  bool            // this process has logged that the rule fails

	failingSince Instant // the first of the evaluations that failed in a row; unset if the last went well
	lastAt       Instant // the time of the last good evaluation
	// answeredAt is the time of the last evaluation whose query was answered, good or
	// not, and interval that between evaluations then.
	answeredAt Instant
	interval   time.Duration
	gaps       []span // of a recording rule: evaluations to be made up for later, in order
	labelled   uint64 // the configuration that gave alerts their labels; 0 if there are none
}

// noMemory is the memory of a rule that was never evaluated.
var noMemory RuleMemory

// newMemories returns the memories of n rules that were never evaluated.
func newMemories(n int) []*RuleMemory {
	all := make([]*RuleMemory, n)
	for i := range all {
		all[i] = &noMemory
	}
	return all
}

// Pending returns how many alerts are pending.
func (m *RuleMemory) Pending() int { return m.count(Pending) }

// Firing returns how many alerts fire.
func (m *RuleMemory) Firing() int { return m.count(Firing) }

func (m *RuleMemory) count(s State) int {
	n := 0
	for i := range m.Alerts {
		if m.Alerts[i].State == s {
			n++
		}
	}
	return n
}

// State returns the gravest state of the alerts.
func (m *RuleMemory) State() State {
	gravest := Inactive
	for i := range m.Alerts {
		gravest = max(gravest, m.Alerts[i].State)
	}
	return gravest
}

// GroupStats counts what a group's rounds came to. Counters never decrease
// while the process runs, whatever is reloaded.
type GroupStats struct {
	Rounds, Missed, Resets uint64
	Filled, Unfilled       uint64 // missing evaluations that were made up for, or given up
	Gaps                   []Gap  // the last ones, the oldest first

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
