package alertmanager

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Use makes endpoints the targets of the Set, in this order.
//
// One that was there and is the same goes on untouched. One at the address of
// another, of which only settings differ, goes on with its mailbox, so that nothing
// is lost. The others that were there are drained until ctx ends. What they are
// left with goes to those that come, since they may be the same Alertmanager at a
// new address; with no target left it waits for one; else it is given up and
// counted, for the targets that stay have had it too.
//
// An endpoint that is given twice is one target. Unusable URLs are left out, and
// the error joins what is wrong with each, known by its number from 1, since it may
// hold secrets. After Close the error is ErrClosed, and nothing happens.
func (s *Set) Use(ctx context.Context, endpoints []Endpoint) error {
	s.turn.Lock()
	defer s.turn.Unlock()
	if s.isClosed() {
		return ErrClosed
	}
	wanted, repeated, err := readEndpoints(endpoints)
	s.reportRepeated(repeated)
	c := s.match(wanted)
	s.exchange(&c)
	if s.started {
		for _, t := range slices.Concat(c.succeeding, c.added) {
			t.start()
		}
		s.logChange(&c)
	}
	s.drain(ctx, &c)
	return err
}

func (s *Set) isClosed() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.closed
}

// reportRepeated logs which addresses are given more than once, when that is news.
func (s *Set) reportRepeated(addrs []string) {
	now := make(map[string]bool, len(addrs))
	for _, addr := range addrs {
		if !now[addr] && !s.repeated[addr] && !s.options.SuppressDuplicates {
			s.options.Log.Warn("alertmanager is given more than once", "addr", addr)
		}
		now[addr] = true
	}
	s.repeated = now
}

// change is how the targets of a Set become others.
type change struct {
	next       []*Target // all, in order
	succeeding []*Target // of next: in the place of another
	added      []*Target // of next: new
	gone       []*Target
	inherited  bool // what gone are left with is for others to deliver
	freed      int  // how many alerts had waited for a target
}

// match finds who goes on. Targets that are succeeded stand still when it returns.
func (s *Set) match(wanted []endpoint) change {
	prev := s.list()
	c := change{next: make([]*Target, len(wanted)), gone: slices.Clone(prev)}
	take := func(fits func(*Target) bool) *Target {
		i := slices.IndexFunc(c.gone, fits)
		if i < 0 {
			return nil
		}
		t := c.gone[i]
		c.gone = slices.Delete(c.gone, i, i+1)
		return t
	}
	predecessors := make([]*Target, len(wanted))
	for i, e := range wanted {
		predecessors[i] = take(func(t *Target) bool { return t.endpoint.url == e.url })
	}
	for i, e := range wanted {
		if predecessors[i] == nil {
			predecessors[i] = take(func(t *Target) bool { return t.endpoint.public == e.public })
		}
	}
	nameAll(wanted, predecessors)
	for i, e := range wanted {
		switch p := predecessors[i]; {
		case p != nil && p.endpoint == e:
			c.next[i] = p
		case p != nil:
			c.next[i] = newTarget(&s.options, e)
			c.next[i].takeOver(p)
			c.succeeding = append(c.succeeding, c.next[i])
		default:
			c.next[i] = newTarget(&s.options, e)
			c.added = append(c.added, c.next[i])
		}
	}
	return c
}

// nameAll gives every endpoint a name of its own, which differ in a number where
// addresses differ only in what is hidden. Those that go on keep theirs.
func nameAll(wanted []endpoint, predecessors []*Target) {
	taken := map[string]bool{}
	for i, p := range predecessors {
		if p != nil {
			wanted[i].addr = p.endpoint.addr
			taken[p.endpoint.addr] = true
		}
	}
	for i, p := range predecessors {
		if p != nil {
			continue
		}
		e := &wanted[i]
		e.addr = e.public
		for n := 2; taken[e.addr]; n++ {
			e.addr = fmt.Sprintf("%s#%d", e.public, n)
		}
		taken[e.addr] = true
	}
}

// exchange puts the change in force, in one piece for those who notify, and hands
// over what is left.
func (s *Set) exchange(c *change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	heirs := make([]*mailbox, 0, len(c.added))
	for _, t := range c.added {
		heirs = append(heirs, t.mail)
	}
	if len(c.next) == 0 {
		heirs = append(heirs, s.waiting)
	}
	for _, t := range c.gone {
		t.mail.copyTo(heirs, now)
	}
	c.inherited = len(heirs) > 0
	if len(c.next) > 0 {
		c.freed = s.waiting.len()
		s.waiting.moveTo(heirs, now)
		s.starved.Store(false)
	}
	s.targets = c.next
}

func (s *Set) logChange(c *change) {
	for _, t := range c.added {
		s.options.Log.Info("alertmanager is told of alerts from now on", "addr", t.endpoint.addr)
	}
	if c.freed > 0 {
		s.options.Log.Info("alerts that waited for an alertmanager are told", "alerts", c.freed)
	}
	for _, t := range c.gone {
		s.options.Log.Info("alertmanager is not told of alerts any more", "addr", t.endpoint.addr)
	}
}

// drain closes the targets that are gone, and counts what nobody will deliver.
func (s *Set) drain(ctx context.Context, c *change) {
	for i, left := range closeAll(ctx, c.gone) {
		if left == 0 || c.inherited {
			continue
		}
		s.counts.removed.Add(left)
		s.options.Log.Warn("alerts for an alertmanager that is gone are given up",
			"addr", c.gone[i].endpoint.addr, "alerts", left)
	}
}
