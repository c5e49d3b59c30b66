package rules

import (
	"context"
	"errors"
	"sync"
	"time"

	"tocsin/config"
)

// swap is a change of groups, decided and built but not carried out.
type swap struct {
	slots   []slot     // in the order of the new configuration
	removed []*running // without successor
	change  Change
}

// slot is the place of one group: kept as it is, or next in place of prev.
type slot struct {
	kept *running
	next *Group
	prev *running // nil for a group that is new
}

// prepare decides what becomes of every group and builds the new ones.
func (m *Manager) prepare(p Plan) (*swap, error) {
	old := make(map[config.Key]*running, len(m.running))
	for _, r := range m.running {
		old[r.cfg.Key] = r
	}
	sw := &swap{slots: make([]slot, len(p.Groups))}
	var errs []error
	for i := range p.Groups {
		cfg := &p.Groups[i]
		prev := old[cfg.Key]
		delete(old, cfg.Key)
		if prev != nil && !p.Rebuild && prev.cfg.Equal(cfg) {
			sw.slots[i].kept = prev
			sw.change.Kept++
			continue
		}
		// The group gets a copy, so that it does not hold on to all the others.
		next, err := NewGroup(new(*cfg), p.Deps)
		if err != nil && !p.Lenient {
			errs = append(errs, err)
		}
		sw.slots[i] = slot{next: next, prev: prev}
	}
	sw.adoptMoved(m.running, old)
	for _, s := range sw.slots {
		switch {
		case s.kept == nil && s.prev == nil:
			sw.change.Added++
		case s.kept == nil:
			sw.change.Changed++
		}
	}
	sw.change.Removed = len(sw.removed)
	return sw, errors.Join(errs...)
}

// adoptMoved gives new groups the one group of the same name that is gone from
// another file, if there is just one of each. The others are removed.
func (sw *swap) adoptMoved(running []*running, gone map[config.Key]*running) {
	wanted := make(map[string][]int)
	for i, s := range sw.slots {
		if s.kept == nil && s.prev == nil {
			wanted[s.next.cfg.Key.Name] = append(wanted[s.next.cfg.Key.Name], i)
		}
	}
	left := make(map[string]int)
	for key := range gone {
		left[key.Name]++
	}
	for _, r := range running {
		key := r.cfg.Key
		if gone[key] != r {
			continue
		}
		if heirs := wanted[key.Name]; len(heirs) == 1 && left[key.Name] == 1 {
			sw.slots[heirs[0]].prev = r
			continue
		}
		sw.removed = append(sw.removed, r)
	}
}

// carryOut stops what is to be replaced or removed and starts what is new. Each
// group is handed over on its own, so that a slow one holds up no other.
func (sw *swap) carryOut(ctx context.Context) []*running {
	out := make([]*running, len(sw.slots))
	var wg sync.WaitGroup
	for i, s := range sw.slots {
		switch {
		case s.kept != nil:
			out[i] = s.kept
		case s.prev == nil:
			out[i] = start(ctx, s.next, Memory{})
		default:
			s.prev.stop()
			wg.Go(func() {
				m := s.prev.retire()
				_, gone := m.adoptedBy(ruleIDs(s.next.cfg.Rules))
				s.prev.farewell(ctx, gone)
				out[i] = start(ctx, s.next, m)
			})
		}
	}
	for _, r := range sw.removed {
		r.stop()
		wg.Go(func() { r.farewell(ctx, r.retire().rules) })
	}
	wg.Wait()
	return out
}

// farewell tells the world that rules of the group are gone: their alerts are
// resolved and their series end.
func (g *Group) farewell(ctx context.Context, gone map[RuleID]ruleMemory) {
	if len(gone) == 0 {
		return
	}
	now := InstantOf(time.Now())
	var all output
	for i, id := range ruleIDs(g.cfg.Rules) {
		m, ok := gone[id]
		if !ok || m.lastAt == 0 {
			continue
		}
		out := g.rules[i].farewell(m, now)
		all.series = append(all.series, out.series...)
		all.alerts = append(all.alerts, out.alerts...)
	}
	l := loop{Group: g}
	if err := l.handOver(ctx, all); err != nil {
		g.log.Warn("end of removed rules was not told", "error", err)
	}
}
