package rules

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tocsin/config"
)

// recovered is a group that ran in a former process.
type recovered struct {
	cfg    *config.Group // what groups and rules are told by, and nothing else
	memory Memory
}

// Recover takes what a former process remembered, for the groups of the first
// Apply to go on from; of files that are bad then, it waits until they are not.
// The error joins one for each state that cannot be read; its group remembers nothing.
// Recover is called before Apply.
func (m *Manager) Recover(states []GroupState) error {
	m.applying.Lock()
	defer m.applying.Unlock()
	var errs []error
	for _, s := range states {
		cfg, memory, err := decodeState(s.Group, s.Data)
		if err != nil {
			errs = append(errs, fmt.Errorf("group %q of %s: %w", s.Group.Name, s.Group.File, err))
			cfg = &config.Group{Key: s.Group} // so that its state goes when the group does
		}
		m.dormant = append(m.dormant, recovered{cfg, memory})
	}
	return errors.Join(errs...)
}

// awake returns the recovered groups as groups that have ended, but for those of
// bad files, which stay dormant.
func (sw *swap) awake(dormant []recovered, bad map[string]bool) []*running {
	if len(dormant) == 0 {
		return nil
	}
	deps := *sw.deps
	deps.Link = nil // nobody knows the expressions any more
	var all []*running
	for _, d := range dormant {
		if _, isBad := bad[d.cfg.Key.File]; isBad {
			sw.dormant = append(sw.dormant, d)
			continue
		}
		// What is wrong with texts does not matter to a group that only says goodbye.
		g, _ := NewGroup(d.cfg, &deps)
		g.timeout = deps.Options.queryTimeout(d.memory.interval)
		g.show(d.memory)
		r := &running{Group: g, stop: func() {}, done: make(chan struct{}), memory: d.memory, dormant: true}
		close(r.done)
		all = append(all, r)
	}
	return all
}

// identity returns a copy of g that has only what groups and rules are told by,
// with hashes instead of expressions, as decodeState does.
func identity(g *config.Group) *config.Group {
	c := &config.Group{Key: g.Key, Rules: make([]config.Rule, len(g.Rules))}
	for i := range g.Rules {
		r := &g.Rules[i]
		c.Rules[i] = config.Rule{Kind: r.Kind, Name: r.Name, Labels: r.Labels, Expr: hashedExpr(exprHash(r.Expr))}
	}
	return c
}

// state returns m in the form in which it is stored for the group.
func (g *Group) state(m Memory) GroupState {
	return GroupState{Group: g.cfg.Key, Data: encodeState(g.cfg, m.rules, m.began)}
}

// keepStates hands states to the journal.
func (g *Group) keepStates(ctx context.Context, states ...GroupState) {
	if g.deps.Journal == nil {
		return
	}
	limited, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	if err := g.deps.Journal.Keep(limited, Record{States: states}); err != nil {
		g.deps.Counters.handOverErrors.Inc()
		g.log.Error("memory was not taken by the journal", "error", err)
	}
}

// remind tells again what a former process told last of the alerts that fire, as
// it may have ended before it was delivered. Nothing is told that is not known:
// who has heard it already learns nothing new.
func (g *Group) remind(m Memory) {
	now := time.Now()
	var all []Alert
	for i := range m.rules {
		r, ok := g.rules[i].(*alertingRule)
		if !ok {
			continue
		}
		alerts := m.rules[i].Alerts()
		for j := range alerts {
			a := &alerts[j]
			if a.State != Firing || a.LastSent == 0 {
				continue
			}
			if again := r.alert(a, m.rules[i].History.began(a.LastSent)); again.EndsAt.After(now) {
				again.Again = true
				all = append(all, again)
			}
		}
	}
	if len(all) == 0 {
		return
	}
	if err := g.deps.Notifier.Notify(g.notification(all)); err != nil {
		g.deps.Counters.handOverErrors.Inc()
		g.log.Warn("alerts that fire were not told again", "error", err)
	}
}
