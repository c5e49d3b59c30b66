package rules

import "time"

// Gap is a time without evaluations of a rule, or of several: from the first
// missing one to the last.
type Gap struct {
	From, To Instant
	Filled   int // evaluations made up for
	Unfilled int // evaluations given up
}

// maxGaps is how many gaps of a group are remembered, to be shown.
const maxGaps = 10

// noteGap adds a gap to those of the group.
func (s *GroupStats) noteGap(g Gap) {
	s.Filled += uint64(g.Filled)
	s.Unfilled += uint64(g.Unfilled)
	// The slice is shared with snapshots, so it is never written to.
	gaps := append([]Gap(nil), s.Gaps...)
	for i := range gaps {
		if gaps[i].From == g.From && gaps[i].To == g.To {
			gaps[i].Filled += g.Filled
			gaps[i].Unfilled += g.Unfilled
			s.Gaps = gaps
			return
		}
	}
	gaps = append(gaps, g)
	s.Gaps = gaps[max(0, len(gaps)-maxGaps):]
}

// span is missing evaluations: times of the grid of interval, first and last
// included. The zero value is none.
type span struct {
	from, to Instant
	interval time.Duration
}

// steps returns how many they are: 0 for none, and for what is longer than a
// time.Duration can be.
func (s span) steps() int {
	if s.interval <= 0 || s.to < s.from || s.to.Sub(s.from) < 0 {
		return 0
	}
	return int(s.to.Sub(s.from)/s.interval) + 1
}

// since returns how many steps of s are not older than oldest.
func (s span) since(oldest Instant) int {
	if s.steps() == 0 || s.to < oldest {
		return 0
	}
	return min(s.steps(), int(s.to.Sub(oldest)/s.interval)+1)
}

// cut returns the last n steps of s, and what is before them.
func (s span) cut(n int) (older, newer span) {
	switch {
	case n <= 0:
		return s, span{}
	case n >= s.steps():
		return span{}, s
	}
	older, newer = s, s
	newer.from = s.to.Add(-time.Duration(n-1) * s.interval)
	older.to = newer.from.Add(-s.interval)
	return older, newer
}

// widened returns s with the step before and the one after it.
func (s span) widened() span {
	return span{s.from.Add(-s.interval), s.to.Add(s.interval), s.interval}
}

// overlaps reports whether s and o have a time in common.
func (s span) overlaps(o span) bool { return s.from <= o.to && o.from <= s.to }

// expire returns the gaps of all that are not older than oldest as a whole, and
// the others, which are given up.
func expire(all []span, oldest Instant) (left []span, lost []Gap) {
	for _, s := range all {
		if s.since(oldest) > 0 {
			left = append(left, s)
		} else {
			lost = append(lost, Gap{From: s.from, To: s.to, Unfilled: s.steps()})
		}
	}
	if lost == nil {
		return all, nil
	}
	return left, lost
}
