package app

import (
	"context"

	"tocsin/internal/web"
)

// planRequest is somebody's wish to know what a reload would do; the answer goes
// to done, which has room for it.
type planRequest struct{ done chan planAnswer }

type planAnswer struct {
	plan web.Plan
	err  error
}

// Plan loads the configuration and returns what a reload would do now.
func (r *reloader) Plan(ctx context.Context) (web.Plan, error) {
	q := planRequest{done: make(chan planAnswer, 1)}
	select {
	case r.plans <- q:
		a := <-q.done
		return a.plan, a.err
	case <-r.ended:
		return web.Plan{}, errStopping
	case <-ctx.Done():
		return web.Plan{}, ctx.Err()
	}
}

// preview answers a planRequest.
func (r *reloader) preview(ctx context.Context) planAnswer {
	p, err := r.plan(ctx)
	if err != nil {
		return planAnswer{err: err}
	}
	defer p.notifiers.discard()
	change, err := r.manager.Preview(p.rules)
	if err != nil {
		return planAnswer{err: err}
	}
	o := outcome{problems: sorted(p.problems, change.Problems)}
	return planAnswer{plan: web.Plan{Change: change, Problems: o.lines()}}
}
