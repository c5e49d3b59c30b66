package rules

import (
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

// Instance is one alert of an alerting rule: one label set with its life so far.
// It is a plain value, so it can be remembered, handed over and shown alike.
type Instance struct {
	State    State
	Restored bool          // ActiveAt was read back from storage
	Result   labels.Labels // of the query's result, metric name included
	Labels   labels.Labels // the identity: what storage and Alertmanager see
	// Annotations are expanded; a text that failed is its error.
	Annotations labels.Labels
	Value       float64
	ID          uint64 // as vmalert numbers alerts

	ActiveAt        Instant // became pending, or fired without for
	StartsAt        Instant // began to fire; unset while pending
	ResolvedAt      Instant // unset unless Inactive
	KeepFiringSince Instant // unset unless only keep_firing_for holds it
	LastSent        Instant // last handed to the notifier; unset if never
}

// Stabilizing reports whether only keep_firing_for holds the alert.
func (a *Instance) Stabilizing() bool { return a.KeepFiringSince != 0 }

// Snapshot is a group as its last evaluation left it. It is built once, never
// changed and shared freely: readers must not write to anything they reach
// through it.
type Snapshot struct {
	Group          *config.Group
	ID             uint64  // as vmalert numbers groups
	Serial         uint64  // no other snapshot of the process has it; 0 before it is shown
	LastEvaluation Instant // when the last round began; unset before the first
	Rules          []RuleSnapshot
	Stats          GroupStats
}

// RuleSnapshot is one rule of a Snapshot.
type RuleSnapshot struct {
	*RuleIdentity
	*RuleMemory
}

// RuleIdentity is what of a rule stays as long as its group runs.
type RuleIdentity struct {
	Rule   *config.Rule
	ID     uint64        // as vmalert numbers rules
	Labels []config.Pair // external, group and own labels merged, sorted by name
}

// Query returns the query by which rule r of the group is evaluated at a moment.
func (s *Snapshot) Query(r *config.Rule, at Instant) Query {
	return newQuery(s.Group, r, at.Time())
}

func newQuery(g *config.Group, r *config.Rule, at time.Time) Query {
	return Query{
		Type: g.Type, Expr: r.Expr, Time: at, Interval: g.Interval,
		Params: g.Params, Headers: g.Headers, Tenant: g.Tenant, Debug: r.Debug,
	}
}
