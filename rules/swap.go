package rules

import (
	"context"
	"time"

	"tocsin/config"
)

// swap is a change of groups, decided and built but not carried out.
type swap struct {
	slots   []slot    // in the order of the new configuration
	leavers []*leaver // the groups that do not stay as they are
	change  Change
}

// slot is the place of one group: kept as it is, or next with what it goes on
// from among the leavers.
type slot struct {
	kept *running
	next *Group
	heir heir
}

// leaver is a running group that is given up.
type leaver struct {
	*running
	succeeded bool  // another group takes its place
	left      []int // rules that nobody goes on from

	memory Memory        // set before gone is closed
	gone   chan struct{} // closed when it has ended and said what there was to say
}

// prepare decides what becomes of every group and builds the new ones.
func (m *Manager) prepare(p Plan) *swap {
	b := builder{plan: &p, running: make(map[config.Key]*running, len(m.running)), bad: map[string]bool{}}
	for _, r := range m.running {
		b.running[r.cfg.Key] = r
	}
	built := b.build()
	sw := &swap{change: Change{Problems: b.problems}}
	if p.AllOrNothing && len(b.problems) > 0 {
		sw.change.Refused = true
		return sw
	}
	sw.place(&p, b.bad, built, m.running)
	sw.relate(m.running)
	sw.describe(InstantOf(time.Now()))
	return sw
}

// builder builds the groups of a plan.
type builder struct {
	plan     *Plan
	running  map[config.Key]*running
	bad      map[string]bool // files, by name, that keep the groups they have
	problems []*RuleError
}

// build returns a slot for each group of the plan, file by file.
func (b *builder) build() [][]slot {
	built := make([][]slot, len(b.plan.Files))
	for i := range b.plan.Files {
		f := &b.plan.Files[i]
		if f.Bad {
			b.bad[f.Name] = true
			continue
		}
		built[i] = make([]slot, len(f.Groups))
		for j := range f.Groups {
			built[i][j] = b.group(&f.Groups[j])
		}
	}
	return built
}

// group returns the running group that is as cfg says, or else builds it.
func (b *builder) group(cfg *config.Group) slot {
	prev := b.running[cfg.Key]
	if prev != nil && prev.deps.Templates.Digest() == b.plan.Deps.Templates.Digest() && prev.cfg.Equal(cfg) {
		return slot{kept: prev}
	}
	// The group gets a copy, so that it does not hold on to all the others.
	next, err := NewGroup(new(*cfg), b.plan.Deps)
	if err != nil && !b.plan.Lenient {
		b.bad[cfg.Key.File] = true
		b.problems = append(b.problems, ruleErrors(err)...)
	}
	return slot{next: next}
}

// place puts the groups in order. A bad file keeps those it has.
func (sw *swap) place(p *Plan, bad map[string]bool, built [][]slot, running []*running) {
	for i := range p.Files {
		name := p.Files[i].Name
		keeps, isBad := bad[name]
		if !isBad {
			sw.slots = append(sw.slots, built[i]...)
			continue
		}
		if !keeps {
			continue // another file of that name was here before
		}
		bad[name] = false
		for _, r := range running {
			if r.cfg.Key.File == name {
				sw.slots = append(sw.slots, slot{kept: r})
			}
		}
	}
}

// relate finds out which groups leave and what goes on from them.
func (sw *swap) relate(running []*running) {
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
	for _, r := range running {
		if !stays[r.Group] {
			old = append(old, r.cfg)
			sw.leavers = append(sw.leavers, &leaver{running: r, gone: make(chan struct{})})
		}
	}
	sw.change.Kept = len(stays)
	d := trace(old, fresh)
	n := 0
	for i := range sw.slots {
		s := &sw.slots[i]
		if s.kept != nil {
			continue
		}
		s.heir = d.heirs[n]
		n++
		if s.heir.succeeds {
			sw.leavers[s.heir.place].succeeded = true
		}
	}
	for i, l := range sw.leavers {
		l.left = d.left[i]
	}
}

// carryOut stops what is to be replaced or removed and starts what is new. Each
// group waits only for those that it goes on from, so that a slow one holds up
// no other.
func (sw *swap) carryOut(ctx context.Context) []*running {
	for _, l := range sw.leavers {
		l.stop()
	}
	for _, l := range sw.leavers {
		go l.leave(ctx)
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
				out[i] = start(ctx, s.next, sw.inherited(s))
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
func (l *leaver) leave(ctx context.Context) {
	defer close(l.gone)
	l.memory = l.retire()
	l.farewell(ctx, l.memory, l.left)
}

// inherited waits for those that the group of s goes on from and returns what it
// is to remember.
func (sw *swap) inherited(s *slot) Memory {
	place := sw.leavers[s.heir.place]
	<-place.gone
	m := place.memory
	if !s.heir.succeeds {
		m.stats = GroupStats{}
	}
	m.rules = make([]ruleMemory, len(s.heir.rules))
	for i, from := range s.heir.rules {
		if !from.none() {
			source := sw.leavers[from.group]
			<-source.gone
			m.rules[i] = source.memory.rules[from.rule]
		}
	}
	return m
}
