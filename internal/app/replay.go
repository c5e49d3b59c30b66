package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"tocsin/internal/replay"
	"tocsin/rules"
)

// ReplayOptions says which part of the past is evaluated, instead of the present,
// and how.
type ReplayOptions struct {
	Wanted   bool
	From, To time.Time // both included
	Open     bool      // To is the present
	Written  string    // From and To as the command line has them, which tell a replay from others

	MaxPoints   int           // evaluations by one query
	Concurrency int           // queries in flight for one rule
	Attempts    int           // at one query
	RulesDelay  time.Duration // from a write to when queries find it
	SkipFailing bool          // go on after a query that fails
	Lines       bool          // tell progress by lines of the log, also on a terminal
	Resume      bool          // go on with an interrupted replay
}

// runReplay evaluates the rules for times past and ends. It tells nobody of alerts
// and serves nothing.
func runReplay(ctx context.Context, o *Options, s Signals) error {
	a := &App{opts: forReplay(o), signals: s, log: s.Log, metrics: metrics.NewSet(), started: time.Now()}
	err := a.replay(ctx)
	unwritten := a.closers.close()
	if dropped := a.metrics.GetOrCreateCounter("vmalert_remotewrite_dropped_rows_total").Get(); dropped > 0 && unwritten == nil {
		unwritten = fmt.Errorf("replay %w: storage refused %d samples", ErrLeftUndone, dropped)
	}
	return errors.Join(err, unwritten)
}

// forReplay returns o as if there were somebody to tell of alerts, and with range
// queries of the interval's step rather than that of instant queries.
func forReplay(o *Options) *Options {
	c := *o
	c.Notifier.Blackhole = true
	c.Datasource.QueryStep, c.Datasource.DisableStepParam = 0, false
	return &c
}

func (a *App) replay(ctx context.Context) error {
	from, err := newRuleSources(&a.opts.Rules, a.metrics)
	if err != nil {
		return err
	}
	a.closers.add("rule file connections", 0, closing(from))
	files, engine, err := newLoader(a.opts, from, a.log).loadAll(ctx)
	if err != nil {
		return err
	}
	set, err := a.writers()
	if err != nil {
		return err
	}
	if a.datasource, err = a.querier(); err != nil {
		return err
	}
	groups, err := a.replayedGroups(files, engine)
	if err != nil {
		return err
	}
	options := a.replayOptions(groups)
	if options.Record, err = a.replayRecord(files, engine, set); err != nil {
		return err
	}
	a.closers.add("record of the replay", 0, func(context.Context) error { return options.Record.Close() })
	if period, interrupted := options.Record.Period(); interrupted {
		options.Period = period
	}
	set.Start()
	a.closers.add("remote write", a.opts.RemoteWrite.DrainTimeout, set.Close)
	options.Sink = newReplaySink(set.Clients(), a.opts.RemoteWrite.RetryMaxTime)
	summary, err := replay.Run(ctx, options)
	return a.concludeReplay(&summary, err)
}

// concludeReplay logs what came of the replay and returns its error.
func (a *App) concludeReplay(s *replay.Summary, err error) error {
	message := "replay is complete"
	if err != nil {
		message = "replay has ended"
	}
	a.log.Info(message, "rules", s.Rules, "queries", s.Queries, "evaluations", s.Evaluations,
		"samples", s.Samples, "alerts_fired", s.Fired, "retries", s.Retries,
		"failed", s.Failed, "skipped", s.Skipped, "took", time.Since(a.started))
	if err == nil {
		return nil
	}
	if errors.Is(err, rules.ErrRejected) {
		err = fmt.Errorf("%w (-replay.continueWithExecutionErr skips what the datasource refuses)", err)
	}
	return fmt.Errorf("replay %w: %w", ErrLeftUndone, err)
}

func (a *App) replayOptions(groups []*rules.Group) replay.Options {
	o := &a.opts.Replay
	progress := replay.NewLines(a.log)
	if a.signals.Terminal != nil && !o.Lines {
		progress = replay.NewBars(a.signals.Terminal)
	}
	return replay.Options{
		Groups: groups,
		Period: replay.Period{From: o.From, To: o.To, Open: o.Open},
		Asking: replay.Asking{
			MaxPoints: o.MaxPoints, Concurrency: o.Concurrency, Attempts: o.Attempts, Pause: time.Second,
			Timeout: a.opts.Datasource.QueryTimeout, SkipFailing: o.SkipFailing,
		},
		Ranges: a.datasource, Chunk: a.opts.RemoteWrite.MaxBatchSize, Delay: o.RulesDelay,
		Drain:    a.opts.RemoteWrite.DrainTimeout,
		Progress: progress, Log: a.log,
	}
}
