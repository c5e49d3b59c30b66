package rules

import "time"

// Times are evaluation times of a group, one interval after the other. The zero
// value is none.
type Times struct{ span span }

// Times returns the times from one moment to another, both included, for which
// the group would be evaluated if it ran then: at its eval_offset, or else at
// multiples of its interval. Those of a group that is not aligned depend on when it
// is started, which is taken to be the first moment.
func (g *Group) Times(from, to time.Time) Times {
	s := span{from: g.sched.firstTime(from), interval: g.sched.interval}
	if steps := InstantOf(to).Sub(s.from) / s.interval; InstantOf(to) >= s.from {
		s.to = s.from.Add(steps * s.interval)
		return Times{s}
	}
	return Times{}
}

// Lag returns how far the times for which the group is evaluated lie behind the
// clock, so that their data is there.
func (g *Group) Lag() time.Duration {
	if g.sched.offset.Set {
		return 0
	}
	return g.sched.delay
}

// firstTime returns the first time not before from for which the group may be
// evaluated.
func (s *schedule) firstTime(from time.Time) Instant {
	if s.offset.Set {
		return firstOnGrid(InstantOf(from), s.interval, s.offset.Duration%s.interval)
	}
	grid := time.Nanosecond
	switch {
	case s.aligned:
		grid = s.interval
	case s.interval%time.Second == 0:
		grid = time.Second
	}
	t := from.Truncate(grid)
	if t.Before(from) {
		t = t.Add(grid)
	}
	return InstantOf(t)
}

// Len returns how many times there are.
func (t Times) Len() int { return t.span.steps() }

// First and Last return the ends of t, which must not be empty.
func (t Times) First() time.Time { return t.span.from.Time() }

// Last returns the last of t.
func (t Times) Last() time.Time { return t.span.to.Time() }

// Cut returns the first n of t, and the others.
func (t Times) Cut(n int) (first, rest Times) {
	older, newer := t.span.cut(t.Len() - n)
	return Times{older}, Times{newer}
}

// after returns those of t that are later than at.
func (t Times) after(at Instant) Times {
	if t.Len() == 0 || at < t.span.from {
		return t
	}
	_, rest := t.Cut(int(at.Sub(t.span.from)/t.span.interval) + 1)
	return rest
}
