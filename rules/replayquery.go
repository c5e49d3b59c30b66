package rules

import (
	"context"
	"errors"
	"time"
)

// pastAnswers answers the queries of templates for times past. The first one of
// an expression is asked for all times that are left of the window, so that a
// window takes a query for each expression rather than one for each time.
type pastAnswers struct {
	ranges  RangeQuerier
	instant Querier // of what cannot be asked for ranges
	timeout time.Duration

	times  Times            // of the window
	films  map[string]*film // by expression
	points int              // in films
	failed error            // of a query that may be answered when it is asked again
}

// film is the results of an expression from some time of a window on.
type film struct {
	tracks   []Track
	cursors  []int
	rejected bool // as a range query
}

func newPastAnswers(r RangeQuerier, q Querier, timeout time.Duration) *pastAnswers {
	return &pastAnswers{ranges: r, instant: q, timeout: timeout}
}

// until begins a window.
func (p *pastAnswers) until(times Times) {
	p.forget()
	p.times = times
}

// forget drops all answers.
func (p *pastAnswers) forget() { p.films, p.points, p.failed = nil, 0, nil }

// query answers q for its time, which is in the window and not before that of the
// query before.
func (p *pastAnswers) query(ctx context.Context, q Query) (Result, error) {
	limited, cancel := ctx, context.CancelFunc(func() {})
	if p.timeout > 0 {
		limited, cancel = context.WithTimeout(ctx, p.timeout)
	}
	defer cancel()
	res, err := p.ask(limited, q)
	if err != nil && !errors.Is(err, ErrRejected) {
		p.failed = err
	}
	return res, err
}

func (p *pastAnswers) ask(ctx context.Context, q Query) (Result, error) {
	f := p.films[q.Expr]
	if f == nil {
		var err error
		if f, err = p.film(ctx, q); err != nil {
			return Result{}, err
		}
	}
	if f.rejected {
		return p.instant.Query(ctx, q)
	}
	return resultAt(f.tracks, f.cursors, InstantOf(q.Time)), nil
}

// film asks for the results of q's expression from the time of q on.
func (p *pastAnswers) film(ctx context.Context, q Query) (*film, error) {
	left := p.times.after(InstantOf(q.Time) - 1)
	tracks, err := p.ranges.QueryRange(ctx, RangeQuery{
		Query: q, From: left.First(), To: left.Last(), Step: left.span.interval,
	})
	f := &film{tracks: tracks, cursors: make([]int, len(tracks)), rejected: errors.Is(err, ErrRejected)}
	if err != nil && !f.rejected {
		return nil, err
	}
	n := pointsOf(tracks)
	if p.films == nil || p.points+n > maxPoints {
		p.films, p.points = make(map[string]*film), 0
	}
	p.films[q.Expr] = f
	p.points += n
	return f, nil
}
