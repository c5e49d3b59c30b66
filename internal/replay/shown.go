package replay

import (
	"context"
	"fmt"
	"time"

	"tocsin/rules"
)

const (
	// showsWithin is how long storage may take until queries find what it accepted.
	showsWithin = 30 * time.Second
	// looksEvery is how often that is tried meanwhile.
	looksEvery = 250 * time.Millisecond
)

// awaitReads returns when queries find what t reads and the replay has written:
// storage has accepted it, the datasource has some of it, and the delay has passed
// in which the rest appears. Without a delay nobody waits for that.
func (r *run) awaitReads(ctx context.Context, t *task) error {
	samples, through, hidden := r.gate.hidden(t.reads)
	if !hidden {
		return nil
	}
	known := r.progress()
	if err := r.o.Sink.Flush(ctx); err != nil {
		return fmt.Errorf("remote write of what rule %q reads: %w", t.rule.Rule().Name, err)
	}
	_ = r.record(known) // it is logged, and the replay can do without
	if r.o.Delay > 0 {
		for i := range samples {
			if err := r.awaitSample(ctx, t, &samples[i]); err != nil {
				return err
			}
		}
		if err := pause(ctx, r.o.Delay); err != nil {
			return err
		}
	}
	r.gate.show(through)
	return nil
}

// awaitSample returns when a query as t makes finds s. If that takes too long, it
// says so once and never waits again: the datasource may not be the storage.
func (r *run) awaitSample(ctx context.Context, t *task, s *rules.Series) error {
	for began := time.Now(); !r.blind.Load(); {
		if r.finds(ctx, t, s) {
			return nil
		}
		if time.Since(began) >= showsWithin {
			if !r.blind.Swap(true) {
				r.o.Log.Warn("the datasource does not have what was written, so rules that read results of others do not find them",
					"rule", t.rule.Rule().Name, "series", s.Full().String(), "waited", showsWithin)
			}
			break
		}
		if err := pause(ctx, looksEvery); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (r *run) finds(ctx context.Context, t *task, s *rules.Series) bool {
	tracks, err := r.query(ctx, t.rule.Probe(s))
	if err != nil {
		return false // the query of the rule will tell
	}
	for _, track := range tracks {
		for _, p := range track.Points {
			if int64(p.V*1000+0.5) >= s.T {
				return true
			}
		}
	}
	return false
}
