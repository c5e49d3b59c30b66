package rules

import "time"

// Memory is what a group remembers between evaluations. It holds values only, and
// what is never changed: nothing in it refers to a Group, so handing it over ties
// nobody to anybody. The zero value is the memory of a group that never ran.
type Memory struct {
	rules []*RuleMemory // by position in the group; nil if none has been evaluated
	last  Instant       // the slot of the last round; unset before the first
	began Instant       // when that round began
	stats GroupStats

	interval time.Duration // between slots up to the last
}

// GroupStats counts what a group's rounds came to. Counters never decrease
// while the process runs, whatever is reloaded.
type GroupStats struct {
	Rounds, Missed, Resets uint64
	Filled, Unfilled       uint64 // missing evaluations that were made up for, or given up
	Gaps                   []Gap  // the last ones, the oldest first

	durations [durationWindow]time.Duration // of the last rounds, as a ring
	total     time.Duration
}

// durationWindow is how many rounds the quantiles of their duration cover.
const durationWindow = 32

func (s *GroupStats) observe(d time.Duration) {
	s.durations[s.Rounds%durationWindow] = d
	s.Rounds++
	s.total += d
}
