package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// One reload of every refusedEvery is of a broken file, the first of them as
// number refusedFirst. The last one never is.
const (
	refusedEvery = 10
	refusedFirst = 5
)

// reloadTimeout is far longer than any reload takes.
const reloadTimeout = 5 * time.Minute

// reloadUntil reloads until so many reloads have been made in all.
func (t *trial) reloadUntil(ctx context.Context, total int) error {
	before, err := t.process.CPU()
	if err != nil {
		return err
	}
	began := time.Now()
	for t.made < total {
		t.made++
		if err := t.reloadOnce(ctx, t.made); err != nil {
			return fmt.Errorf("reload %d: %w", t.made, err)
		}
	}
	evaluating := time.Duration(t.rounds * float64(time.Since(began)))
	after, err := t.process.CPU()
	t.spent += after - before - evaluating
	return err
}

// reloadOnce writes new rule files and has them loaded, as reload number n.
func (t *trial) reloadOnce(ctx context.Context, n int) error {
	broken := n%refusedEvery == refusedFirst && n < t.reloads
	write := t.files.next
	if broken {
		write = t.files.nextBroken
	}
	if err := write(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, reloadTimeout)
	defer cancel()
	began := time.Now()
	err := t.reload(ctx, t.process, t.log)
	took := time.Since(began)
	switch {
	case broken && errors.Is(err, errRefused):
		return nil
	case broken && err == nil:
		return errors.New("a broken file was not refused")
	case err == nil:
		t.took = append(t.took, took)
	}
	return err
}

// quantile returns the smallest of the durations that at least the part q of
// them does not exceed, 0 if there are none.
func quantile(all []time.Duration, q float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	rank := int(math.Ceil(q * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}
