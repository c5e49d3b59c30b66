package rules

import (
	"context"
	"maps"
	"slices"
	"time"

	"tocsin/config"
)

// swap is a change of groups, decided and built but not carried out.
type swap struct {
	slots   []slot      // in the order of the new configuration
	leavers []*leaver   // the groups that do not stay as they are
	dormant []recovered // that wait for their file to be mended
	deps    *Deps
	change  Change

	farewells *farewells // set once it is known who leaves
}

// slot is the place of one group: kept as it is, or next with what it goes on
// from among the leavers.
type slot struct {
	kept *running
	next *Group
	heir heir
	// sources are the leavers that next goes on from, each once.
	sources []*leaver
	// estate is what the group is part of if memory changes its name; else nil.
	estate *estate
}

// leaver is a running group that is given up.
type leaver struct {
	*running
	succeeded bool  // another group takes its place
	left      []int // rules that nobody goes on from

	inherited bool          // somebody goes on from it
	gone      chan struct{} // closed when it has ended and said what there was to say
}

// prepare decides what becomes of every group and builds the new ones.
func (m *Manager) prepare(p Plan) *swap {
	if p.Incomplete {
		p.Files = m.withOthers(p.Files)
	}
	b := builder{plan: &p, running: make(map[config.Key]*running, len(m.running)), bad: map[string]bool{}}
	for _, r := range m.running {
		b.running[r.cfg.Key] = r
	}
	built := b.build()
	sw := &swap{deps: p.Deps, change: Change{Problems: b.problems}}
	if p.AllOrNothing && (p.Flawed || len(b.problems) > 0) {
		sw.change.Refused = true
		return sw
	}
	sw.place(&p, maps.Clone(b.bad), built, m.running)
	sw.relate(m.running, sw.awake(m.dormant, b.bad))
	sw.spareOthers()
	sw.describe(InstantOf(time.Now()))
	return sw
}

// relate finds out which groups leave and what goes on from them.
func (sw *swap) relate(running, dormant []*running) {
	stays := make(map[*Group]bool, len(running))
	var fresh []*config.Group
	for _, s := range sw.slots {
		if s.kept != nil {
			stays[s.kept.Group] = true
		} else {
			fresh = append(fresh, s.next.cfg)
		}
	}
	var old []*config.Group
	for _, r := range slices.Concat(running, dormant) {
		if !stays[r.Group] {
			cfg := r.cfg
			if len(dormant) > 0 && !r.dormant {
				cfg = identity(cfg)
			}
			old = append(old, cfg)
			sw.leavers = append(sw.leavers, &leaver{running: r, gone: make(chan struct{})})
		}
	}
	sw.change.Kept = len(stays)
	if len(dormant) > 0 {
		for i, cfg := range fresh {
			fresh[i] = identity(cfg)
		}
	}
	d := trace(old, fresh)
	n := 0
	for i := range sw.slots {
		if s := &sw.slots[i]; s.kept == nil {
			sw.bequeath(s, d.heirs[n])
			n++
		}
	}
	for i, l := range sw.leavers {
		l.left = d.left[i]
	}
}

// bequeath has the group of s go on from where h says.
func (sw *swap) bequeath(s *slot, h heir) {
	s.heir = h
	if h.place < 0 {
		return
	}
	place := sw.leavers[h.place]
	place.succeeded = place.succeeded || h.succeeds
	s.sources = []*leaver{place}
	last := h.place
	for _, o := range h.rules {
		if o.none() || o.group == last {
			continue
		}
		last = o.group
		if l := sw.leavers[o.group]; !slices.Contains(s.sources, l) {
			s.sources = append(s.sources, l)
		}
	}
	for _, l := range s.sources {
		l.inherited = true
	}
}

// group returns the group that runs in the place of s in the end.
func (s *slot) group() *Group {
	if s.kept != nil {
		return s.kept.Group
	}
	return s.next
}

// carryOut stops what is to be replaced or removed and starts what is new. Each
// group waits only for those that it goes on from, and with a journal for those of
// its estate, so that a slow one holds up no other.
func (sw *swap) carryOut(ctx context.Context) []*running {
	if sw.deps.Journal != nil {
		sw.divide()
	}
	for _, l := range sw.leavers {
		l.stop()
	}
	for _, l := range sw.leavers {
		go l.leave(ctx, sw.farewells)
	}
	out := make([]*running, len(sw.slots))
	started := make(chan struct{}, len(sw.slots))
	waiting := 0
	for i := range sw.slots {
		s := &sw.slots[i]
		switch {
		case s.kept != nil:
			out[i] = s.kept
		case s.heir.place < 0:
			out[i] = start(ctx, s.next, Memory{})
		default:
			waiting++
			go func() {
				out[i] = sw.succeed(ctx, s)
				started <- struct{}{}
			}()
		}
	}
	for range waiting {
		<-started
	}
	for _, l := range sw.leavers {
		<-l.gone
	}
	return out
}

// leave ends the group, and what of it is gone says goodbye.
func (l *leaver) leave(ctx context.Context, f *farewells) {
	defer close(l.gone)
	l.farewell(ctx, l.retire(), l.left, f)
	if !l.inherited {
		l.keepStates(ctx, GroupState{Group: l.cfg.Key})
	}
}

// succeed starts the group of s with what those that it goes on from remember.
func (sw *swap) succeed(ctx context.Context, s *slot) *running {
	for _, l := range s.sources {
		<-l.gone
	}
	s.estate.settle(ctx, sw)
	m := sw.inherited(s)
	if slices.ContainsFunc(s.sources, func(l *leaver) bool { return l.dormant }) {
		s.next.remind(m)
	}
	return start(ctx, s.next, m)
}

// inherited returns what the group of s is to remember; those that it goes on
// from are gone.
func (sw *swap) inherited(s *slot) Memory {
	m := sw.leavers[s.heir.place].memory
	if !s.heir.succeeds {
		m.stats = GroupStats{}
	}
	m.rules = newMemories(len(s.heir.rules))
	for i, from := range s.heir.rules {
		if !from.none() {
			m.rules[i] = sw.leavers[from.group].memory.rules[from.rule]
		}
	}
	return m
}
