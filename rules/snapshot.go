package rules

import (
	"iter"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/config"
)

// State is the state of an alert. The zero value is inactive.
type State uint8

// The states of an alert, in order of gravity.
const (
	Inactive State = iota
	Pending
	Firing
)

func (s State) String() string {
	switch s {
	case Firing:
		return "firing"
	case Pending:
		return "pending"
	}
	return "inactive"
}

// ActiveAlert is one alert of a rule at its last evaluation.
type ActiveAlert struct {
	State       State
	Labels      labels.Labels
	Annotations labels.Labels
	Value       float64
	ID          uint64 // as vmalert numbers it: FNV-64a over the labels

	ActiveAt        time.Time // became pending, or firing without for
	StartsAt        time.Time // began to fire; zero while pending
	ResolvedAt      time.Time // zero unless Inactive
	KeepFiringSince time.Time // zero unless only keep_firing_for holds it
	LastSent        time.Time // was last handed to the notifier; zero if never
	Restored        bool      // ActiveAt was read back from storage
}

// Stabilizing reports whether only keep_firing_for holds the alert.
func (a *ActiveAlert) Stabilizing() bool { return !a.KeepFiringSince.IsZero() }

// Update is one past evaluation of a rule.
type Update struct {
	Time          time.Time     // the wall clock when it began
	At            time.Time     // the time it was evaluated for
	Duration      time.Duration // of query and processing
	Error         string        // "" when it went well
	Samples       int
	SeriesFetched int // -1 when unknown
}

// Snapshot is a group as its last evaluation left it. It is built once, never
// changed and shared freely.
type Snapshot struct {
	Group          *config.Group
	ID             uint64    // as vmalert numbers the group
	LastEvaluation time.Time // the wall clock when it began; zero before the first
	Rules          []RuleSnapshot
}

// RuleSnapshot is one rule of a Snapshot.
type RuleSnapshot struct {
	Rule   *config.Rule
	ID     uint64        // as vmalert numbers the rule
	Labels []config.Pair // external, group and own labels merged, sorted by name

	Last Update // the last evaluation; zero before the first

	memory *ruleMemory // shared with the evaluation that made it; read only
}

// Evaluated reports whether the rule was evaluated at least once.
func (r *RuleSnapshot) Evaluated() bool { return !r.Last.Time.IsZero() }

// Alerts yields the pending and firing alerts, in the order in which they
// became active. An alert is valid only until the next is yielded.
func (r *RuleSnapshot) Alerts() iter.Seq[*ActiveAlert] {
	return func(yield func(*ActiveAlert) bool) {}
}

// Updates yields the remembered evaluations, newest first.
func (r *RuleSnapshot) Updates() iter.Seq[Update] {
	return func(yield func(Update) bool) {}
}

// State returns the gravest state of the rule's alerts.
func (r *RuleSnapshot) State() State { return Inactive }

// Counts returns how many alerts of the rule are pending and firing.
func (r *RuleSnapshot) Counts() (pending, firing int) { return 0, 0 }
