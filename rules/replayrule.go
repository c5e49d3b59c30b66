package rules

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/config"
)

// Replay is a rule that is evaluated for times past, by the code and with the
// memory of one that runs. Nobody is told of its alerts. Its methods are for one
// goroutine at a time, but for State and Left.
type Replay struct {
	// Fixed by Group.Replay.
	group  *Group
	index  int
	answer *pastAnswers

	fresh bool // nothing that was computed before may be kept

	mu     sync.Mutex // guards the fields below
	left   Times      // that are yet to be evaluated
	memory RuleMemory
}

// Replay returns the i-th rule of the group, to be evaluated for times. What its
// labels ask of the datasource is asked of r. The group is not to run then.
func (g *Group) Replay(i int, times Times, r RangeQuerier) *Replay {
	if rule, ok := g.rules[i].(*recordingRule); ok {
		rule.known = make(map[labels.Labels]labels.Labels)
	}
	return &Replay{
		group: g, index: i, left: times, fresh: true,
		answer: newPastAnswers(r, g.deps.Querier, g.deps.Options.QueryTimeout),
	}
}

// Rule returns the rule as configured.
func (r *Replay) Rule() *config.Rule { return &r.group.cfg.Rules[r.index] }

// Left returns the times for which the rule has yet to be evaluated.
func (r *Replay) Left() Times {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.left
}

// Query returns the query for the results of the rule at times. A single time is
// asked for with the one before it: to VictoriaMetrics a range of one time is an
// instant, for which it looks back less far.
func (r *Replay) Query(times Times) RangeQuery {
	q := RangeQuery{
		Query: newQuery(r.group.cfg, r.Rule(), times.Last()),
		From:  times.First(), To: times.Last(), Step: times.span.interval,
	}
	if times.Len() == 1 {
		q.From = q.From.Add(-q.Step)
	}
	return q
}

// Replayed is what evaluations for times past came to.
type Replayed struct {
	Series      []Series // in order of time
	Evaluations int
	Fired       int // alerts that began to fire
	// Failed counts evaluations with an error that a running group would have had
	// as well, as when there are more results than its limit; Err is the first one.
	Failed int
	Err    error
}

func (e *Replayed) add(out *output, err error) {
	e.Series = append(e.Series, out.series...)
	e.Evaluations++
	e.Fired += out.fired
	if err != nil {
		e.Failed++
		if e.Err == nil {
			e.Err = err
		}
	}
}

// Evaluate evaluates the rule for times, which are the next of those left, with
// the results that tracks are. take is given what comes of it, as soon as that is
// at least as many samples as chunk; what it takes is remembered. An error is that
// of take, of ctx, or of a query for a label that may be answered when it is asked
// again. After an error, Left tells where to go on.
func (r *Replay) Evaluate(ctx context.Context, times Times, tracks []Track, chunk int, take func(Replayed) error) error {
	r.answer.until(times)
	defer r.forget()
	cursors := make([]int, len(tracks))
	m := r.memory
	var done Replayed
	var samples []Sample
	for t := times.span.from; t <= times.span.to; t = t.Add(times.span.interval) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		samples = appendSamplesAt(samples[:0], tracks, cursors, t)
		next, out, err := r.at(ctx, t, m, Result{Samples: samples, SeriesFetched: -1})
		if failed := r.answer.failed; failed != nil {
			r.fresh = true
			return fmt.Errorf("query of a label: %w", failed)
		}
		m = next
		done.add(&out, err)
		if len(done.Series) < chunk && t < times.span.to {
			continue
		}
		if err := take(done); err != nil {
			r.fresh = true
			return err
		}
		r.commit(t, m)
		done = Replayed{Series: make([]Series, 0, len(done.Series))}
	}
	return nil
}

// forget drops what was kept for the evaluations of a window.
func (r *Replay) forget() {
	r.answer.forget()
	if rule, ok := r.group.rules[r.index].(*recordingRule); ok {
		clear(rule.known)
	}
}

// at evaluates the rule for the time t.
func (r *Replay) at(ctx context.Context, t Instant, m RuleMemory, res Result) (RuleMemory, output, error) {
	ev := evaluation{first: r.fresh, write: true, query: r.answer.query}
	m, out, err := r.group.replayAt(ctx, r.index, ev, m, res, t)
	r.fresh = r.fresh && !out.good
	return m, out, err
}

// Skip leaves the rule without an evaluation for times, which are the next of
// those left: as in a group that runs and gets no answer, alerts stay as they are.
func (r *Replay) Skip(times Times) { r.commit(times.span.to, r.memory) }

func (r *Replay) commit(through Instant, m RuleMemory) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.left, r.memory = r.left.after(through), m
	if r.left.Len() == 0 {
		r.memory = RuleMemory{} // there is nothing to go on with
	}
}

// The stored form of a replayed rule: version, the first time left, its memory.
const replayVersion = 1

// State returns how far the rule has come and what it remembers, for Resume.
func (r *Replay) State() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := []byte{replayVersion, plainState}
	b = binary.AppendVarint(b, int64(r.left.span.from))
	return r.memory.append(b, func(b []byte) []byte { return b })
}

// Resume has the rule go on from a state that it returned in a former process,
// for the same times. With an error nothing has changed.
func (r *Replay) Resume(state []byte) error {
	if len(state) < 2 || state[0] != replayVersion || state[1] != plainState {
		return fmt.Errorf("%w: another version, or none", errBadState)
	}
	d := stateDecoder{rest: string(state[2:])}
	next := Instant(d.varint())
	m := d.rule()
	if !d.ended() {
		return errBadState
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.left
	r.memory, r.left = *m, all.after(next-1)
	if r.left.Len() == 0 || r.left.span.from != next {
		r.memory, r.left = RuleMemory{}, all
		return fmt.Errorf("%w: it is of other times", errBadState)
	}
	return nil
}
