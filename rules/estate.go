package rules

import (
	"context"
	"slices"
	"sync"

	"tocsin/config"
)

// estate is groups that are given up, with those that go on from them, where
// memory goes from one name to another. What it comes to is one record: a crash
// between several would find rules in no group, or in two.
type estate struct {
	leavers []*leaver
	heirs   []*slot
	inForce map[config.Key]bool // the groups of the new configuration

	recorded sync.Once
}

// divide finds the estates: groups belong together that share an heir, and heirs
// that share a group.
func (sw *swap) divide() {
	inForce := sw.keys()
	of := make(map[*leaver]*estate)
	moved := make(map[*estate]bool)
	for i := range sw.slots {
		s := &sw.slots[i]
		if s.kept != nil {
			continue
		}
		e := &estate{heirs: []*slot{s}, inForce: inForce}
		for _, l := range s.sources {
			moved[e] = moved[e] || l.cfg.Key != s.next.cfg.Key
			switch other := of[l]; other {
			case nil:
				e.leavers = append(e.leavers, l)
			case e:
			default:
				e.leavers = slices.Concat(other.leavers, e.leavers)
				e.heirs = slices.Concat(other.heirs, e.heirs)
				moved[e] = moved[e] || moved[other]
			}
			for _, l := range e.leavers {
				of[l] = e
			}
		}
	}
	for i := range sw.slots {
		s := &sw.slots[i]
		if s.kept != nil || s.heir.place < 0 {
			continue
		}
		if e := of[sw.leavers[s.heir.place]]; moved[e] {
			s.estate = e
		}
	}
}

// settle returns when what the heirs remember, and the end of the groups that are
// not in force any more, is on record. Nil is settled.
func (e *estate) settle(ctx context.Context, sw *swap) {
	if e == nil {
		return
	}
	e.recorded.Do(func() {
		for _, l := range e.leavers {
			<-l.gone
		}
		var states []GroupState
		for _, s := range e.heirs {
			states = append(states, s.next.state(sw.inherited(s)))
		}
		for _, l := range e.leavers {
			if !e.inForce[l.cfg.Key] {
				states = append(states, GroupState{Group: l.cfg.Key})
			}
		}
		// If it is not taken, what was on record stays there.
		e.heirs[0].next.keepStates(ctx, states...)
	})
}

// keys returns the identities of the groups of the new configuration.
func (sw *swap) keys() map[config.Key]bool {
	all := make(map[config.Key]bool, len(sw.slots))
	for i := range sw.slots {
		all[sw.slots[i].group().cfg.Key] = true
	}
	return all
}
