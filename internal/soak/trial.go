package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"tocsin/internal/bench/daemon"
)

// outcome is what became of one program.
type outcome struct {
	costs       costs
	early, late held // at the baseline and at the end, if it has one
	baseline    int
	reloads     int
}

// costs is what reloads cost.
type costs struct {
	p50, p99 time.Duration // of those that put new rules in force
	cpu      time.Duration // of one reload on average, without evaluations
	memory   float64       // resident bytes after the last
}

// trial is one program while it is soaked.
type trial struct {
	program
	interval time.Duration // of evaluations
	stub     *daemon.Stub
	process  *daemon.Process
	log      *logbook
	files    *ruleFiles

	rounds float64         // CPU time that evaluations take, per time
	made   int             // reloads
	took   []time.Duration // by those that put new rules in force
	spent  time.Duration   // CPU time by all, without evaluations
}

// trial soaks one program in a folder of its own below dir.
func (s *soak) trial(ctx context.Context, dir string, p program) (outcome, error) {
	dir, err := os.MkdirTemp(dir, p.name)
	if err != nil {
		return outcome{}, err
	}
	stub, err := daemon.NewStub(1)
	if err != nil {
		return outcome{}, err
	}
	defer stub.Close()
	t := &trial{program: p, interval: s.interval, stub: stub, log: new(logbook)}
	if t.files, err = newRuleFiles(dir, s.size, s.interval); err != nil {
		return outcome{}, err
	}
	t.process, err = daemon.Start(ctx, daemon.Command{
		Binary: p.binary, Dir: dir, Rules: t.files.pattern(), Args: p.args, Output: t.log,
	}, stub.URL)
	if err != nil {
		return outcome{}, err
	}
	defer t.process.Kill()
	out, err := t.run(ctx)
	if err != nil {
		err = fmt.Errorf("%w; the end of its log:\n%s", err, t.log.end())
	}
	return out, err
}

// run waits until the program works steadily, reloads it and takes the figures.
func (t *trial) run(ctx context.Context) (out outcome, err error) {
	if err := t.warmUp(ctx); err != nil {
		return out, err
	}
	if t.rounds, err = t.costOfRounds(ctx); err != nil {
		return out, err
	}
	out.baseline, out.reloads = t.baseline, t.reloads
	if t.baseline > 0 {
		if err := t.reloadUntil(ctx, t.baseline); err != nil {
			return out, err
		}
		if out.early, err = t.holds(ctx); err != nil {
			return out, err
		}
	}
	waitForProfile := startProfile(t.process, t.profile)
	if err := errors.Join(t.reloadUntil(ctx, t.reloads), waitForProfile()); err != nil {
		return out, err
	}
	if out.costs, err = t.costs(ctx); err != nil {
		return out, err
	}
	if t.baseline > 0 {
		if out.late, err = t.holds(ctx); err != nil {
			return out, err
		}
	}
	return out, t.newestInForce()
}

// costs returns what the reloads have cost.
func (t *trial) costs(ctx context.Context) (c costs, err error) {
	c.p50, c.p99 = quantile(t.took, 0.50), quantile(t.took, 0.99)
	c.cpu = t.spent / time.Duration(t.made)
	// What the last reload has left to be done is done soon.
	if err := sleep(ctx, min(t.interval, 2*time.Second)); err != nil {
		return c, err
	}
	c.memory, err = t.process.Memory()
	return c, err
}

// warmUp returns when every rule has been evaluated, and the results were sent: a
// reload of vmalert waits for groups whose first evaluation is still to come, and
// what is used for the first time takes memory that it keeps.
func (t *trial) warmUp(ctx context.Context) error {
	if err := t.process.AwaitRules(t.files.inForce() * t.files.rules); err != nil {
		return err
	}
	deadline := time.Now().Add(3*t.interval + time.Minute)
	for {
		left, err := t.notEvaluated()
		if err != nil {
			return err
		}
		writes, posts := t.stub.Writes.Load(), t.stub.Posts.Load()
		if left == 0 && writes > 0 && posts > 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d rules not evaluated, %d writes and %d posts of alerts after so long", left, writes, posts)
		}
		if err := sleep(ctx, min(t.interval/10, time.Second)); err != nil {
			return err
		}
	}
}

// notEvaluated returns how many rules wait for their first evaluation.
func (t *trial) notEvaluated() (n int, err error) {
	groups, err := t.process.Groups()
	for _, g := range groups {
		for _, r := range g.Rules {
			if r.LastEvaluation.Unix() <= 0 {
				n++
			}
		}
	}
	return n, err
}

// costOfRounds returns the CPU time that evaluations alone take, per time.
func (t *trial) costOfRounds(ctx context.Context) (float64, error) {
	before, err := t.process.CPU()
	if err != nil {
		return 0, err
	}
	if err := sleep(ctx, t.interval); err != nil {
		return 0, err
	}
	after, err := t.process.CPU()
	return float64(after-before) / float64(t.interval), err
}

// newestInForce checks that the reloads did what they were to do.
func (t *trial) newestInForce() error {
	groups, err := t.process.Groups()
	if err != nil {
		return err
	}
	if len(groups) != t.files.inForce() {
		return fmt.Errorf("%d groups in force, want %d", len(groups), t.files.inForce())
	}
	if !slices.ContainsFunc(groups, func(g daemon.Group) bool { return g.Name == t.files.extra() }) {
		return fmt.Errorf("group %s is not in force", t.files.extra())
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
