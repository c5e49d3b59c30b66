package replay

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"tocsin/rules"
)

// answer is what the datasource said about a rule at times.
type answer struct {
	times  rules.Times
	tracks []rules.Track
	err    error
}

// ahead replays t for all times that are left, window by window. Queries are asked
// before their turn, but their answers are used in order: the state of alerts goes
// from one window to the next.
func (r *run) ahead(ctx context.Context, t *task) error {
	var asking sync.WaitGroup
	defer asking.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var queue []chan answer // the earliest first
	left := t.rule.Left()
	ask := func() {
		for left.Len() > 0 && len(queue) < r.o.Asking.Concurrency {
			window, rest := left.Cut(r.o.Asking.MaxPoints)
			left = rest
			answered := make(chan answer, 1)
			queue = append(queue, answered)
			asking.Go(func() { answered <- r.fetch(ctx, t, window) })
		}
	}
	for ask(); len(queue) > 0; {
		a := <-queue[0]
		queue = queue[1:]
		ask() // the next while this one is evaluated
		if err := r.use(ctx, t, a); err != nil {
			return err
		}
	}
	return nil
}

// errUnanswered is wrapped by the error of a query that was asked as often as
// allowed.
var errUnanswered = errors.New("no answer")

// fetch asks for the results of t at times, as often as allowed.
func (r *run) fetch(ctx context.Context, t *task, times rules.Times) answer {
	for attempt := 1; ; attempt++ {
		tracks, err := r.query(ctx, t.rule.Query(times))
		switch {
		case err == nil, errors.Is(err, rules.ErrRejected):
			return answer{times, tracks, err}
		case ctx.Err() != nil:
			return answer{times: times, err: ctx.Err()}
		case attempt >= r.o.Asking.Attempts:
			return answer{times: times, err: fmt.Errorf("%w at %d attempts: %w", errUnanswered, attempt, err)}
		}
		if err := r.again(ctx, t, attempt, err); err != nil {
			return answer{times: times, err: err}
		}
	}
}

// mayBeSkipped reports whether the answer is an error of its query alone: the
// datasource refuses it, or answers others.
func (r *run) mayBeSkipped(ctx context.Context, t *task, a *answer) bool {
	switch {
	case !r.o.Asking.SkipFailing:
		return false
	case errors.Is(a.err, rules.ErrRejected):
		return true
	case !errors.Is(a.err, errUnanswered):
		return false
	}
	first, _ := a.times.Cut(1)
	probe := t.rule.Query(first)
	probe.Expr = "1"
	_, err := r.query(ctx, probe)
	return err == nil
}

func (r *run) query(ctx context.Context, q rules.RangeQuery) ([]rules.Track, error) {
	if d := r.o.Asking.Timeout; d > 0 {
		limited, cancel := context.WithTimeout(ctx, d)
		defer cancel()
		ctx = limited
	}
	return r.o.Ranges.QueryRange(ctx, q)
}

// again waits before the attempt after one that has failed.
func (r *run) again(ctx context.Context, t *task, attempt int, err error) error {
	r.stats.retries.Add(1)
	r.o.Log.Warn("query was not answered and is asked again", "rule", t.rule.Rule().Name,
		"attempt", attempt, "attempts", r.o.Asking.Attempts, "error", err)
	return pause(ctx, r.o.Asking.Pause)
}
