package rules

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/config"
)

// resetsAfter runs a group of an interval of 10 seconds whose last evaluation was
// ago ago, while its wall clock shows a time that is ahead of the truth, and
// returns what it counted after half a minute and the time of the first query.
func resetsAfter(t *testing.T, ago, ahead time.Duration) (stats GroupStats, first time.Duration) {
	t.Helper()
	var asked []time.Time
	one := NewOneRule(t, config.Group{
		Key: config.Key{File: "f", Name: "g"}, Type: config.Prometheus, Interval: 10 * time.Second, EvalAlignment: true, Concurrency: 1,
		Rules: []config.Rule{{Kind: config.Alerting, Name: "A", Expr: "a", UpdateEntries: 1}},
	}, Options{QueryTimeout: time.Minute}, nil, nil, nil)
	one.group.deps.Querier = querying(func(q Query) { asked = append(asked, q.Time) })
	start := time.Now()
	prev := InstantOf(start.Add(-ago))
	l := newLoop(one.group, Memory{last: prev})
	l.clock.wall = l.clock.wall.Add(ahead)
	ctx, end := context.WithTimeout(t.Context(), 35*time.Second)
	defer end()
	l.run(ctx, nil, prev)
	if len(asked) == 0 {
		t.Fatal("nothing was evaluated")
	}
	return l.stats, asked[0].Sub(start)
}

// querying answers nothing, and tells of what it is asked.
type querying func(Query)

func (f querying) Query(_ context.Context, q Query) (Result, error) {
	f(q)
	return Result{}, nil
}

func (f querying) Request(q Query) string { return q.Expr }

// A clock that is set is no reason to evaluate for times to come, nor are the
// moments that it jumps over missed.
func TestClockThatIsSetCountsAsReset(t *testing.T) {
	for _, c := range []struct {
		name       string
		ago, ahead time.Duration
	}{
		{"back by an hour", -time.Hour, time.Hour},
		{"forward by an hour", time.Hour, -time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stats, first := resetsAfter(t, c.ago, c.ahead)
				if stats.Resets != 1 || stats.Missed != 0 {
					t.Errorf("counted %d resets and %d missed rounds, want one reset", stats.Resets, stats.Missed)
				}
				if first < 0 || first > 10*time.Second {
					t.Errorf("first evaluated for %s from the start, want the next slot", first)
				}
			})
		})
	}
}
