package web

import (
	"time"

	"tocsin/config"
	"tocsin/rules"
)

// groupClock is when a group is evaluated, and how that goes.
type groupClock struct {
	Interval     string
	Last, Next   when
	Begun        bool // there was a round
	Due, Late    bool // the next round should have begun; should have long ago
	Took         string
	Share        string // of the interval, that the last round took
	Slow         bool   // the last round took nearly as long as there is
	Missed       uint64 // rounds, since it was loaded
	Made, GaveUp uint64 // missing evaluations that were made up for, or given up
	Gaps         []gapRow
}

// gapRow is a time without evaluations.
type gapRow struct {
	From, To     when
	Made, GaveUp int
}

// slowShare is which part of its interval a round may take before it is called
// slow: what is left must do for the bad days of the datasource.
const slowShare = 0.8

func (q pageRequest) groupClock(s *rules.Snapshot) groupClock {
	c := groupClock{
		Interval: short(s.Group.Interval), Last: q.when(s.LastEvaluation), Begun: s.LastEvaluation != 0,
		Missed: s.Stats.Missed, Made: s.Stats.Filled, GaveUp: s.Stats.Unfilled,
	}
	for i := len(s.Stats.Gaps) - 1; i >= 0; i-- {
		g := &s.Stats.Gaps[i]
		c.Gaps = append(c.Gaps, gapRow{q.when(g.From), q.when(g.To), g.Filled, g.Unfilled})
	}
	if !c.Begun {
		return c
	}
	next := s.LastEvaluation.Add(s.Group.Interval)
	c.Next = q.when(next)
	behind := q.now.Sub(next.Time())
	c.Due, c.Late = behind >= 0, behind > s.Group.Interval
	took := roundDuration(s)
	share := float64(took) / float64(s.Group.Interval)
	c.Took, c.Share = short(took), percent(share)
	c.Slow = share >= slowShare
	return c
}

// percent writes a part of a whole, as precisely as matters.
func percent(share float64) string {
	if share < 0.01 {
		return "under 1%"
	}
	return itoa(int(share*100+0.5)) + "%"
}

// outlook is what becomes of an alert if its rule goes on to see what it saw
// last. The zero value is nothing.
type outlook struct {
	What string // fires, ends
	At   when
	Now  bool // that is due: with the next evaluation
}

func (q pageRequest) outlook(r *config.Rule, a *rules.Instance) outlook {
	switch {
	case a.State == rules.Pending:
		return q.expects("fires", a.ActiveAt.Add(r.For))
	case a.State == rules.Firing && a.Stabilizing():
		return q.expects("ends", a.KeepFiringSince.Add(r.KeepFiringFor))
	}
	return outlook{}
}

func (q pageRequest) expects(what string, t rules.Instant) outlook {
	return outlook{What: what, At: q.when(t), Now: !t.Time().After(q.now)}
}

// optional writes a duration of which zero is none.
func optional(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return short(d)
}
