package replay

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"tocsin/rules"
)

// replay replays the group, with as many strands at once as its concurrency allows
// rules. Each begins when those that it reads have ended.
func (p *part) replay(ctx context.Context, r *run) error {
	left := 0
	for _, s := range p.strands {
		for _, t := range s.tasks {
			left += t.rule.Left().Len()
		}
	}
	if left == 0 {
		return nil
	}
	r.o.Progress.Begin(p.group.Key.Name, left)
	defer r.o.Progress.End()
	ended := make([]chan struct{}, len(p.strands))
	for i := range ended {
		ended[i] = make(chan struct{})
	}
	all, ctx := errgroup.WithContext(ctx)
	all.SetLimit(max(p.group.Concurrency, 1))
	for i := range p.strands {
		all.Go(func() error {
			for _, j := range p.strands[i].after {
				select {
				case <-ended[j]:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			if err := r.follow(ctx, &p.strands[i]); err != nil {
				return fmt.Errorf("group %q: %w", p.group.Key.Name, err)
			}
			r.stats.rules.Add(int64(len(p.strands[i].tasks)))
			close(ended[i])
			return nil
		})
	}
	return all.Wait()
}

// follow replays the rules of s for all times that are left.
func (r *run) follow(ctx context.Context, s *strand) error {
	if s.inStep {
		return r.inStep(ctx, s.tasks)
	}
	t := s.tasks[0]
	if t.rule.Left().Len() == 0 {
		return nil
	}
	if err := r.awaitReads(ctx, t); err != nil {
		return err
	}
	return r.ahead(ctx, t)
}

// inStep replays tasks for one time after the other.
func (r *run) inStep(ctx context.Context, tasks []*task) error {
	for left := timesOf(tasks); left > 0; left-- {
		for _, t := range tasks {
			times := t.rule.Left()
			if times.Len() != int(left) {
				continue // it was ahead of the others when the replay was interrupted
			}
			if err := r.awaitReads(ctx, t); err != nil {
				return err
			}
			next, _ := times.Cut(1)
			if err := r.use(ctx, t, r.fetch(ctx, t, next)); err != nil {
				return err
			}
		}
	}
	return nil
}

// timesOf returns for how many times some of tasks are left, as a factor.
func timesOf(tasks []*task) time.Duration {
	n := 0
	for _, t := range tasks {
		n = max(n, t.rule.Left().Len())
	}
	return time.Duration(n)
}

// use evaluates t with an answer of the datasource, for the times that were asked
// for.
func (r *run) use(ctx context.Context, t *task, a answer) error {
	name := t.rule.Rule().Name
	switch {
	case a.err == nil:
	case r.mayBeSkipped(ctx, t, &a):
		r.o.Log.Error("query fails, its evaluations are skipped", "rule", name,
			"from", a.times.First(), "to", a.times.Last(), "error", a.err)
		t.rule.Skip(a.times)
		r.stats.skipped.Add(int64(a.times.Len()))
		r.o.Progress.Add(a.times.Len())
		return nil
	default:
		return fmt.Errorf("rule %q: query for %s to %s: %w", name, clock(a.times.First()), clock(a.times.Last()), a.err)
	}
	r.stats.queries.Add(1)
	for attempt := 1; a.times.Len() > 0; attempt++ {
		taken, err := r.evaluate(ctx, t, &a)
		if err == nil {
			return nil
		}
		if taken.evaluations > 0 {
			attempt = 1
		}
		if taken.err != nil || ctx.Err() != nil || attempt >= r.o.Asking.Attempts {
			return fmt.Errorf("rule %q: %w", name, err)
		}
		if err := r.again(ctx, t, attempt, err); err != nil {
			return err
		}
	}
	return nil
}

// taken is what was made of an answer.
type taken struct {
	evaluations int
	err         error // of storage
}

// evaluate evaluates t with a, from which it takes the times it is done with.
func (r *run) evaluate(ctx context.Context, t *task, a *answer) (done taken, err error) {
	err = t.rule.Evaluate(ctx, a.times, a.tracks, r.o.Chunk, func(e rules.Replayed) error {
		if done.err = r.gate.append(ctx, t.number, e.Series); done.err != nil {
			return done.err
		}
		done.evaluations += e.Evaluations
		r.count(t, &e)
		return nil
	})
	_, a.times = a.times.Cut(done.evaluations)
	return done, err
}

func (r *run) count(t *task, e *rules.Replayed) {
	r.stats.evaluations.Add(int64(e.Evaluations))
	r.stats.fired.Add(int64(e.Fired))
	r.stats.samples.Add(int64(len(e.Series)))
	r.stats.failed.Add(int64(e.Failed))
	r.o.Progress.Add(e.Evaluations)
	if e.Err != nil && !t.failed {
		t.failed = true
		r.o.Log.Error("evaluations of a rule fail, as they would have then", "rule", t.rule.Rule().Name, "first", e.Err)
	}
}

// clock is how messages write a time.
func clock(t time.Time) string { return t.UTC().Format(time.RFC3339) }
