// Package replay evaluates rule groups for a period of the past and writes what
// that comes to, as groups that ran then would have.
//
// What an evaluation means is decided by package rules, as for groups that run.
// This package owns the order in which rules come, the queries ahead of their
// evaluations, the waits for storage, and the record by which an interrupted
// replay goes on. Run starts goroutines and has ended all of them when it returns.
package replay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"tocsin/rules"
)

// Options says what is replayed and how.
type Options struct {
	Groups []*rules.Group // in the order in which they are replayed
	Period Period
	Asking Asking

	Ranges rules.RangeQuerier
	// Sink keeps what it takes until storage has accepted or refused it. Its
	// Append and Flush wait while storage is busy; their errors end the replay.
	Sink  rules.Appender
	Chunk int           // samples handed to Sink at once, about
	Delay time.Duration // between queries finding a sample and finding all written with it
	Drain time.Duration // for what was handed to Sink when the replay is interrupted

	Record   *Record // nil keeps none
	Progress Progress
	Log      *slog.Logger
}

// Period is the time that is replayed, both ends included.
type Period struct {
	From, To time.Time
	// Open says that To is the present: groups end as far before it as they lag
	// behind the clock when they run.
	Open bool
}

// Asking is how the datasource is asked.
type Asking struct {
	MaxPoints   int           // times in one query
	Concurrency int           // queries in flight for one rule
	Attempts    int           // at one query
	Pause       time.Duration // between two attempts
	Timeout     time.Duration // of one attempt; 0 is none
	// SkipFailing has a rule go on after the times of a query which the datasource
	// refuses, or does not answer although it answers others; otherwise the replay
	// ends there.
	SkipFailing bool
}

// Errors of Run.
var (
	// ErrIncomplete is that of a replay which came to its end, but not without
	// evaluations that failed or were skipped.
	ErrIncomplete = errors.New("replay is incomplete")
	// ErrInterrupted is wrapped by that of a replay which ended early, because its
	// context did. What it did until then need not be done again.
	ErrInterrupted = errors.New("replay was interrupted")
)

// checkpointEvery is how often the record is brought up to date.
const checkpointEvery = 5 * time.Second

// Run replays the groups, one after the other. Of a replay that ends early the
// record is left, so that the next goes on from there. The summary is right in any
// case.
func Run(ctx context.Context, o Options) (Summary, error) {
	r := newRun(&o)
	if err := r.resume(); err != nil {
		return Summary{}, err
	}
	r.announce()
	stop := r.checkpoints()
	err := r.replay(ctx)
	stop()
	if err == nil {
		err = o.Sink.Flush(ctx)
	}
	if err != nil {
		return r.stats.summary(), r.breakOff(ctx, err)
	}
	err = o.Record.remove()
	s := r.stats.summary()
	if s.Failed+s.Skipped > 0 {
		err = errors.Join(fmt.Errorf("%w: %d evaluations failed, %d were skipped as their queries failed", ErrIncomplete, s.Failed, s.Skipped), err)
	}
	return s, err
}

// breakOff records how far the replay has come, if storage accepts all that was
// written in time, and returns the error of the replay, which cause has ended.
func (r *run) breakOff(ctx context.Context, cause error) error {
	if ctx.Err() != nil {
		cause = ErrInterrupted
	}
	hint := "run the same command again to go on from there"
	if r.o.Record == nil {
		hint = "nothing is recorded of it, so the next one starts over"
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.o.Drain)
	defer cancel()
	if err := r.checkpoint(drain); err != nil {
		return fmt.Errorf("%w; %s, a little earlier, since not all was written or recorded: %w", cause, hint, err)
	}
	return fmt.Errorf("%w; %s", cause, hint)
}

// run is a replay under way.
type run struct {
	o     *Options
	gate  *gate
	tasks []*task // of all groups, by number
	parts []part
	stats stats
	blind atomic.Bool // the datasource does not show what was written
	// unrecorded: the record could not be written the last time.
	unrecorded atomic.Bool
}

func newRun(o *Options) *run {
	r := &run{o: o, gate: newGate(o.Sink)}
	r.plan()
	return r
}

// announce says what is going to happen, and what rules do not find.
func (r *run) announce() {
	left := 0
	for _, t := range r.tasks {
		left += t.rule.Left().Len()
	}
	r.o.Log.Info("replay begins", "from", r.o.Period.From, "to", r.o.Period.To,
		"groups", len(r.parts), "rules", len(r.tasks), "evaluations", left)
	for _, p := range r.parts {
		p.warn(r)
	}
}

// replay replays what is left, group by group.
func (r *run) replay(ctx context.Context) error {
	for i := range r.parts {
		if err := r.parts[i].replay(ctx, r); err != nil {
			return err
		}
	}
	return nil
}
