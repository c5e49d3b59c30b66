package rules

import (
	"math"
	"time"

	"tocsin/config"
)

// schedule decides when a group is due and for which time it is evaluated. It is
// pure: it reads no clock.
type schedule struct {
	interval time.Duration
	offset   config.Duration
	delay    time.Duration
	aligned  bool

	// spread and fraction place the first round of a group without offset:
	// fraction of spread after a multiple of spread since the Unix epoch.
	spread   time.Duration
	fraction float64
}

// newSchedule returns the schedule of g. maxStartDelay bounds the delay before
// its first round; 0 is no delay.
func newSchedule(g *config.Group, maxStartDelay time.Duration) schedule {
	return schedule{
		interval: g.Interval,
		offset:   g.EvalOffset,
		delay:    g.EvalDelay.Duration,
		aligned:  g.EvalAlignment,
		spread:   min(g.Interval, maxStartDelay),
		fraction: float64(g.ID()) / (1 << 64),
	}
}

// first returns the moment of the first round, which is not before now. It
// depends on the group and on now only, so replicas and restarts agree.
func (s *schedule) first(now Instant) Instant {
	step, phase := s.spread, time.Duration(float64(s.spread)*s.fraction)
	if s.offset.Set {
		step, phase = s.interval, s.offset.Duration%s.interval
	}
	if step <= 0 {
		return now
	}
	return firstOnGrid(now, step, phase)
}

// firstOnGrid returns the first moment not before now that lies phase after a
// multiple of step since the Unix epoch.
func firstOnGrid(now Instant, step, phase time.Duration) Instant {
	into := (time.Duration(now) - phase) % step
	if into < 0 {
		into += step
	}
	if into == 0 {
		return now
	}
	return now.Add(step - into)
}

// next returns the slot to be evaluated after the one at prev: the latest that
// has begun by now, or the coming one if none has. missed is how many slots
// between the two are lost. A clock that was set back starts over from now.
func (s *schedule) next(prev, now Instant) (at Instant, missed int) {
	if s.offset.Set {
		// A new offset or interval leaves prev off the grid.
		prev = firstOnGrid(prev.Add(1-s.interval), s.interval, s.offset.Duration%s.interval)
	}
	if now < prev {
		behind := prev.Sub(now)
		steps := math.Ceil(float64(behind) / float64(s.interval))
		return prev.Add(-time.Duration(steps-1) * s.interval), 0
	}
	steps := now.Sub(prev) / s.interval
	if steps == 0 {
		return prev.Add(s.interval), 0
	}
	return prev.Add(steps * s.interval), int(steps - 1)
}

// queryTime returns the time for which the slot at is evaluated. It is cut to
// whole seconds where the interval has no fraction of one.
func (s *schedule) queryTime(at Instant) time.Time {
	t := at.Time()
	if s.offset.Set {
		return t
	}
	t = t.Add(-s.delay)
	if s.aligned {
		// Relative to the zero time, as vmalert does: the same moments for
		// intervals that divide a day.
		return t.Truncate(s.interval)
	}
	if s.interval%time.Second == 0 {
		return t.Truncate(time.Second)
	}
	return t
}
