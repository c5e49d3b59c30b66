package replay

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/prometheus/model/value"

	"tocsin/rules"
)

// gate hands samples to storage, and knows which of them queries find there.
type gate struct {
	sink rules.Appender

	mu      sync.Mutex // guards the fields below
	batches uint64
	last    map[int]handed // by rule
	shown   uint64         // the batches up to this one can be found
}

// handed is the last of what a rule has handed over.
type handed struct {
	batch  uint64
	sample rules.Series // that does not end its series; the zero value if there is none
}

func newGate(sink rules.Appender) *gate {
	return &gate{sink: sink, last: make(map[int]handed)}
}

// append hands over samples of a rule.
func (g *gate) append(ctx context.Context, rule int, batch []rules.Series) error {
	if len(batch) == 0 {
		return nil
	}
	if err := g.sink.Append(ctx, batch); err != nil {
		return fmt.Errorf("remote write of %d samples: %w", len(batch), err)
	}
	g.handed(rule, batch)
	return nil
}

// handed notes that a rule has handed over a batch.
func (g *gate) handed(rule int, batch []rules.Series) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.batches++
	h := handed{batch: g.batches, sample: g.last[rule].sample}
	for i := range batch {
		if !value.IsStaleNaN(batch[i].V) {
			h.sample = batch[i]
		}
	}
	g.last[rule] = h
}

// latest returns the last sample of a rule that does not end its series; the zero
// value if there is none.
func (g *gate) latest(rule int) rules.Series {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.last[rule].sample
}

// hidden returns a sample, if there is one, of each rule that has written something
// which queries may not find yet, and the number of the batches so far.
func (g *gate) hidden(numbers []int) (samples []rules.Series, through uint64, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, i := range numbers {
		h := g.last[i]
		if h.batch <= g.shown {
			continue
		}
		ok = true
		if h.sample.T != 0 {
			samples = append(samples, h.sample)
		}
	}
	return samples, g.batches, ok
}

// show notes that queries find the batches up to through.
func (g *gate) show(through uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shown = max(g.shown, through)
}

// pause waits for d, or returns the error of ctx.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
