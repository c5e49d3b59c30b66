package rules

import (
	"time"

	"github.com/prometheus/prometheus/model/labels"
)

// RuleMemory is what one rule remembers. A group that runs changes none that it
// has: snapshots, and the rules that go on from there, share it.
type RuleMemory struct {
	// Alerts are in the order in which they became active; resolved ones that are
	// still being told to Alertmanager are among them, as Inactive.
	Alerts  []Instance
	History History // of the last evaluations; empty before the first
	Errors  uint32  // evaluations that failed, ever

	evaluated bool // at least once
	restored  bool // what storage knew of the alerts was looked up, or need not be
	reported  bool // this process has logged that the rule fails

	recorded *recorded // of a recording rule; nil if there is nothing in it

	failingSince Instant // the first of the evaluations that failed in a row; unset if the last went well
	lastAt       Instant // the time of the last good evaluation
	// answeredAt is the time of the last evaluation whose query was answered, good or
	// not, and interval that between evaluations then.
	answeredAt Instant
	interval   time.Duration
	labelled   uint64 // the configuration that gave alerts their labels; 0 if there are none
}

// recorded is what a recording rule remembers of what it has written. It is not
// changed either.
type recorded struct {
	series []labels.Labels // written by the last good evaluation
	gaps   []span          // evaluations to be made up for later, in order
}

func (m *RuleMemory) series() []labels.Labels {
	if m.recorded == nil {
		return nil
	}
	return m.recorded.series
}

func (m *RuleMemory) gaps() []span {
	if m.recorded == nil {
		return nil
	}
	return m.recorded.gaps
}

// newRecorded returns what was written and what is to be made up for; nil if there
// is neither.
func newRecorded(series []labels.Labels, gaps []span) *recorded {
	if len(series)+len(gaps) == 0 {
		return nil
	}
	return &recorded{series, gaps}
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
