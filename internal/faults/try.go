package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"tocsin/internal/faults/plan"
)

// settleInterval is the time between two looks at whether all is well again.
const settleInterval = 2 * time.Second

// trial is one daemon on its way through a plan.
type trial struct {
	options   *options
	stage     *stage
	keeper    *keeper
	conductor *conductor
	stalls    stalls
	log       *slog.Logger

	faultsEnded time.Time
	untried     []string
}

// try puts the daemon at path through the plan, in a folder of its own.
func (o *options) try(ctx context.Context, name, path, dir string, log *slog.Logger) (_ *outcome, err error) {
	p, err := plan.New(o.plan)
	if err != nil {
		return nil, err
	}
	s, err := openStage(ctx, o.world, dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	command, err := newDaemonCommand(ctx, o, s, name, path)
	if err != nil {
		return nil, err
	}
	t := &trial{options: o, stage: s, log: log, keeper: newKeeper(command, s.client, log)}
	t.conductor = &conductor{stage: s, keeper: t.keeper, log: log}
	if err := t.prepareDisk(command, p); err != nil {
		return nil, err
	}
	return t.run(ctx, p)
}

// prepareDisk gives the journal a disk of its own if the plan has it full.
func (t *trial) prepareDisk(command *daemonCommand, p plan.Plan) error {
	t.untried = append(t.untried, "clock/jump: the machine's clock is not the harness's to set; see the tests of rules")
	if len(p.Of(plan.Disk)) == 0 {
		return nil
	}
	if command.journal == "" {
		t.untried = append(t.untried, "disk/full: "+command.Name+" has no -storage.path")
		return nil
	}
	d, err := mountDisk(command.journal)
	if err != nil {
		t.untried = append(t.untried, "disk/full: "+err.Error())
		return nil
	}
	t.conductor.disk = d
	t.stage.closers = append(t.stage.closers, d.unmount)
	return nil
}

// run returns what came of the plan.
func (t *trial) run(ctx context.Context, p plan.Plan) (*outcome, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	background, ctx := errgroup.WithContext(ctx)
	background.Go(func() error { return t.keeper.keep(ctx) })
	background.Go(func() error { t.stalls.watch(ctx); return nil })

	out, err := t.play(ctx, p)
	cancel()
	err = errors.Join(err, background.Wait())
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (t *trial) play(ctx context.Context, p plan.Plan) (*outcome, error) {
	t.log.Info("faults begin", "faults", len(p), "seed", t.options.plan.Seed, "duration", t.options.plan.Duration)
	if err := t.conductor.conduct(ctx, p, t.stage.world.Start); err != nil {
		return nil, err
	}
	if !sleep(ctx, time.Until(t.stage.world.Start.Add(t.options.plan.Duration))) {
		return nil, ctx.Err()
	}
	t.faultsEnded = time.Now()
	t.log.Info("faults are over, settling")
	if err := t.settle(ctx); err != nil {
		return nil, err
	}
	if err := t.keeper.give(ctx, plan.Term, -1); err != nil {
		return nil, err
	}
	out, err := t.judge(ctx, time.Now())
	return out, errors.Join(err, t.writeEvidence())
}

// settle waits until everything that the data demands is over and evaluated, and
// then until all is well or the time to settle is used up.
func (t *trial) settle(ctx context.Context) error {
	o := t.options
	last := t.stage.world.End().Add(evalDelay + 4*o.world.Interval)
	if !sleep(ctx, time.Until(last)) {
		return ctx.Err()
	}
	for {
		out, err := t.judge(ctx, time.Now())
		if err != nil {
			return err
		}
		t.log.Debug("settling", "lost", out.lost())
		if out.lost() == 0 || time.Since(t.faultsEnded) > o.settle {
			return nil
		}
		if !sleep(ctx, settleInterval) {
			return ctx.Err()
		}
	}
}
