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
	Rule   *config.Rule
	ID     uint64        // as vmalert numbers rules
	Labels []config.Pair // external, group and own labels merged, sorted by name

	// Alerts are in the order in which they became active; resolved ones that are
	// still being told to Alertmanager are among them, as Inactive.
	Alerts  []Instance
	History History // of the last evaluations; empty before the first

	Pending, Firing int    // of Alerts
	Errors          uint64 // evaluations that failed, ever

	series []labels.Labels // of a recording rule: written by its last good evaluation
}

// remember shows the rule as m has it.
func (r *RuleSnapshot) remember(m *ruleMemory) {
	r.Alerts, r.History, r.Errors = m.alerts, m.history, m.errors
	r.series = m.series
	r.Pending, r.Firing = 0, 0
	for i := range m.alerts {
		switch m.alerts[i].State {
		case Pending:
			r.Pending++
		case Firing:
			r.Firing++
		}
	}
}

// State returns the gravest state of the rule's alerts.
func (r *RuleSnapshot) State() State {
	switch {
	case r.Firing > 0:
		return Firing
	case r.Pending > 0:
		return Pending
	}
	return Inactive
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
