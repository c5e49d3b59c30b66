package rules

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"tocsin/config"
)

// Group is one rule group, ready to run. It is fixed for life: a changed
// configuration is another Group.
type Group struct {
	// Fixed by NewGroup.
	cfg     *config.Group
	id      uint64 // as vmalert numbers it
	deps    *Deps
	log     *slog.Logger
	rules   []rule
	chain   [][]int // see chain
	sched   schedule
	timeout time.Duration // of one query

	view atomic.Pointer[Snapshot]
}

// RuleError is what is wrong with one rule of a group.
type RuleError struct {
	Group *config.Group
	Index int // of the rule
	Err   error
}

func (e *RuleError) Error() string {
	return fmt.Sprintf("group %q: rule %q: %v", e.Group.Key.Name, e.Group.Rules[e.Index].Name, e.Err)
}

func (e *RuleError) Unwrap() error { return e.Err }

// ruleErrors returns the parts of an error of NewGroup.
func ruleErrors(err error) []*RuleError {
	var all []*RuleError
	for _, e := range err.(interface{ Unwrap() []error }).Unwrap() {
		all = append(all, e.(*RuleError))
	}
	return all
}

// NewGroup builds the group that cfg describes. It starts nothing and registers
// nothing, so a Group that is never run leaves no trace. Templates that do not
// parse are reported joined, each as a *RuleError; the Group returned with
// such an error runs, and those labels and annotations show the error.
func NewGroup(cfg *config.Group, d *Deps) (*Group, error) {
	g := &Group{
		cfg: cfg, id: cfg.ID(), deps: d,
		log:     d.Log.With("group", cfg.Key.Name, "file", cfg.Key.File),
		chain:   chain(cfg),
		sched:   newSchedule(cfg, d.Options.MaxStartDelay),
		timeout: d.Options.queryTimeout(cfg.Interval),
		rules:   make([]rule, len(cfg.Rules)),
	}
	env := &groupEnv{group: cfg, groupID: g.id, deps: d, tenant: newTenant(cfg.Tenant), link: d.Link.Of(cfg)}
	common := newCommonLabels(d.Options.ExternalLabels, cfg.Labels, env.tenant.pairs)
	identities := make([]RuleIdentity, len(cfg.Rules))
	shown := make([]RuleSnapshot, len(cfg.Rules))
	var errs []error
	for i := range cfg.Rules {
		r := &cfg.Rules[i]
		identities[i] = RuleIdentity{Rule: r, ID: r.ID(), Labels: common.with(r.Labels)}
		built, err := newRule(env, &identities[i])
		if err != nil {
			errs = append(errs, &RuleError{Group: cfg, Index: i, Err: err})
		}
		g.rules[i] = built
		shown[i] = RuleSnapshot{&identities[i], &noMemory}
	}
	g.view.Store(&Snapshot{Group: cfg, ID: g.id, Rules: shown})
	return g, errors.Join(errs...)
}

// Snapshot returns the group as its last round left it.
func (g *Group) Snapshot() *Snapshot { return g.view.Load() }

// show publishes the group as it is before its first round.
func (g *Group) show(m Memory) {
	g.view.Store(g.newSnapshot(m.rules, m.began, &m.stats))
}

// newSnapshot returns the group with what its rules remember.
func (g *Group) newSnapshot(memories []*RuleMemory, began Instant, stats *GroupStats) *Snapshot {
	s := &Snapshot{
		Group: g.cfg, ID: g.id, Serial: g.deps.Counters.snapshots.Add(1), LastEvaluation: began,
		Rules: slices.Clone(g.view.Load().Rules), Stats: *stats,
	}
	for i, m := range memories {
		s.Rules[i].RuleMemory = m
	}
	return s
}
