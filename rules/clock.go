package rules

import "time"

// clock reads the wall clock and notices when it was set.
type clock struct{ last time.Time }

func newClock() clock { return clock{last: time.Now()} }

// read returns the time, and how far the wall clock has moved on its own since
// the last reading: forward if positive, as after a suspended machine resumes.
func (c *clock) read() (now Instant, jump time.Duration) {
	t := time.Now()
	jump = t.Round(0).Sub(c.last.Round(0)) - t.Sub(c.last)
	c.last = t
	return InstantOf(t), jump
}
