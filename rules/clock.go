package rules

import "time"

// clock reads the wall clock and notices when it was set.
type clock struct {
	start time.Time // of the monotonic clock
	wall  Instant   // at the last reading
	mono  time.Duration
}

func newClock() clock {
	now := time.Now()
	return clock{start: now, wall: InstantOf(now)}
}

// read returns the time, and how far the wall clock has moved on its own since
// the last reading: forward if positive, as after a suspended machine resumes.
func (c *clock) read() (now Instant, jump time.Duration) {
	t := time.Now()
	return c.advance(InstantOf(t), t.Sub(c.start))
}

// advance is read with the readings of both clocks.
func (c *clock) advance(wall Instant, mono time.Duration) (now Instant, jump time.Duration) {
	jump = wall.Sub(c.wall) - (mono - c.mono)
	c.wall, c.mono = wall, mono
	return wall, jump
}
