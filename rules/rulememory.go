package rules

import (
	"time"

	"github.com/prometheus/prometheus/model/labels"
)

// RuleMemory is what one rule remembers. A group that runs changes none that it
// has: snapshots, and the rules that go on from there, share it.
type RuleMemory struct {
	History History // of the last evaluations; empty before the first
	Errors  uint32  // evaluations that failed, ever

	evaluated bool // at least once
	restored  bool // what storage knew of the alerts was looked up, or need not be
	reported  bool // this process has logged that the rule fails

	told *told // nil if there is nothing in it

	failingSince Instant // the first of the evaluations that failed in a row; unset if the last went well
	lastAt       Instant // the time of the last good evaluation
	// answeredAt is the time of the last evaluation whose query was answered, good or
	// not, and interval that between evaluations then.
	answeredAt Instant
	interval   time.Duration
}

// told is what others have heard of a rule and it has to go on from. It is not
// changed either. Most rules have none most of the time.
type told struct {
	alerts   []Instance
	labelled uint64 // the configuration that gave alerts their labels; 0 if it is not known

	series []labels.Labels // written by the last good evaluation of a recording rule
	gaps   []span          // evaluations of it to be made up for later, in order
}

// Alerts returns the alerts of the rule in the order in which they became active;
// resolved ones that are still being told to Alertmanager are among them, as Inactive.
func (m *RuleMemory) Alerts() []Instance { return m.heard().alerts }

// heard returns what others have heard of the rule, or nothing.
func (m *RuleMemory) heard() *told {
	if m.told == nil {
		return &nothingTold
	}
	return m.told
}

var nothingTold told

// alerted replaces the alerts, which have the labels that a configuration gave them.
func (m *RuleMemory) alerted(alerts []Instance, labelled uint64) {
	t := *m.heard()
	t.alerts, t.labelled = alerts, labelled
	m.tell(t)
}

// recorded replaces what was written and what is to be made up for.
func (m *RuleMemory) recorded(series []labels.Labels, gaps []span) {
	t := *m.heard()
	t.series, t.gaps = series, gaps
	m.tell(t)
}

func (m *RuleMemory) tell(t told) {
	if len(t.alerts) == 0 {
		t.labelled = 0
	}
	m.told = nil
	if len(t.alerts)+len(t.series)+len(t.gaps) > 0 {
		m.told = &t
	}
}

// WithAlerts returns m with these alerts.
func (m RuleMemory) WithAlerts(alerts ...Instance) RuleMemory {
	m.alerted(alerts, 0)
	return m
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
	alerts := m.Alerts()
	for i := range alerts {
		if alerts[i].State == s {
			n++
		}
	}
	return n
}

// State returns the gravest state of the alerts.
func (m *RuleMemory) State() State {
	gravest := Inactive
	alerts := m.Alerts()
	for i := range alerts {
		gravest = max(gravest, alerts[i].State)
	}
	return gravest
}
