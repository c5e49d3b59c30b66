package datasource

import (
	"fmt"
	"time"

	"tocsin/rules"
)

// grid is the times of a range query, in milliseconds since the epoch: from, and
// every step after it up to to.
type grid struct{ from, to, step int64 }

// newGrid returns the times that q asks for. Those are whole milliseconds, as in
// answers, so the step has to be one; From and To are rounded.
func newGrid(q *rules.RangeQuery) (grid, error) {
	g := grid{
		from: q.From.Round(time.Millisecond).UnixMilli(),
		to:   q.To.Round(time.Millisecond).UnixMilli(),
		step: q.Step.Milliseconds(),
	}
	if q.Step <= 0 || q.Step%time.Millisecond != 0 {
		return grid{}, fmt.Errorf("range query with a step of %s: want whole milliseconds", q.Step)
	}
	if g.to < g.from {
		return grid{}, fmt.Errorf("range query from %s to %s: the end is before the start", timeString(q.From), timeString(q.To))
	}
	return g, nil
}

// given reports whether g has any time; the zero value has none.
func (g grid) given() bool { return g.step > 0 }

func (g grid) has(t int64) bool {
	return t >= g.from && t <= g.to && (t-g.from)%g.step == 0
}

// steps returns how many times g has.
func (g grid) steps() int64 { return (g.to-g.from)/g.step + 1 }

func (g grid) first() time.Time { return time.UnixMilli(g.from) }

func (g grid) last() time.Time { return time.UnixMilli(g.from + (g.steps()-1)*g.step) }

// distance returns the time between two of g.
func (g grid) distance() time.Duration { return time.Duration(g.step) * time.Millisecond }

// every returns every n-th time of g, beginning with the one at skip.
func (g grid) every(n, skip int64) grid {
	return grid{from: g.from + skip*g.step, to: g.to, step: n * g.step}
}
