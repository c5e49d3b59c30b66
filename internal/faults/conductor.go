package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"tocsin/internal/faults/plan"
	"tocsin/internal/faults/proxy"
	"tocsin/internal/faults/verdict"
)

// happened is a fault that has come to pass.
type happened struct {
	plan.Fault
	verdict.Window
}

// conductor lets the faults of a plan happen.
type conductor struct {
	stage  *stage
	keeper *keeper
	disk   *disk // nil if it cannot be full
	log    *slog.Logger

	mu   sync.Mutex // guards past
	past []happened
}

// conduct returns when all faults of p are over, which were to begin at start.
func (c *conductor) conduct(ctx context.Context, p plan.Plan, start time.Time) error {
	all, ctx := errgroup.WithContext(ctx)
	for _, t := range plan.Targets {
		all.Go(func() error {
			for _, f := range p.Of(t) {
				if !sleep(ctx, time.Until(start.Add(f.At))) {
					return ctx.Err()
				}
				if err := c.befall(ctx, f); err != nil {
					return fmt.Errorf("%s: %w", f.Name(), err)
				}
			}
			return nil
		})
	}
	return all.Wait()
}

// befall lets f happen and returns when it is over.
func (c *conductor) befall(ctx context.Context, f plan.Fault) error {
	if f.Target == plan.Disk && c.disk == nil {
		return nil
	}
	c.log.Debug("fault", "name", f.Name(), "length", f.Length, "amount", f.Amount)
	h := happened{Fault: f, Window: verdict.Window{From: time.Now()}}
	err := c.inflict(ctx, f)
	h.To = time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.past = append(c.past, h)
	return err
}

func (c *conductor) inflict(ctx context.Context, f plan.Fault) error {
	switch {
	case f.Target == plan.Process:
		return c.keeper.give(ctx, f.Kind, f.Length)
	case f.Target == plan.Rules:
		return c.reload(ctx)
	case f.Target == plan.Disk:
		return during(ctx, f.Length, c.disk.fill, c.disk.free)
	case f.Kind == plan.Late:
		return during(ctx, f.Length, c.delay(f.Amount), c.delay(0))
	}
	p := c.stage.proxies[f.Target]
	return during(ctx, f.Length,
		func() error { return p.Set(proxy.Mode{Kind: f.Kind, Amount: f.Amount}) },
		func() error { return p.Set(proxy.Mode{}) })
}

// during has something begin, last and end, whatever comes between.
func during(ctx context.Context, d time.Duration, begin, end func() error) error {
	if err := begin(); err != nil {
		return errors.Join(err, end())
	}
	if !sleep(ctx, d) {
		return errors.Join(ctx.Err(), end())
	}
	return end()
}

func (c *conductor) delay(lag time.Duration) func() error {
	return func() error {
		c.stage.source.Delay(lag)
		return nil
	}
}

// reload edits the rules for every second reload.
func (c *conductor) reload(ctx context.Context) error {
	n := 1
	for _, h := range c.happened() {
		if h.Kind == plan.Reload {
			n++
		}
	}
	if n%2 == 0 {
		if err := c.keeper.command.writeRules(c.stage, n/2); err != nil {
			return err
		}
	}
	return c.keeper.give(ctx, plan.Reload, 0)
}

// happened returns the faults that are over.
func (c *conductor) happened() []happened {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]happened(nil), c.past...)
}
