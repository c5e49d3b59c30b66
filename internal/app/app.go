package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"tocsin/internal/datasource"
	"tocsin/internal/journal"
	"tocsin/internal/journal/store"
	"tocsin/internal/web"
	"tocsin/rules"
)

// Signals is how the outside of the process reaches the daemon.
type Signals struct {
	Reload <-chan struct{} // a reload is wanted
	Log    *slog.Logger
	Stdout io.Writer // for the verdict of a dry run
	// Terminal is where progress of a replay can be drawn; nil if that is nowhere.
	Terminal io.Writer
	// WriteLogMetrics writes the metrics of the logger; nil if it has none.
	WriteLogMetrics func(io.Writer)
	// Ready is called once rules run and requests are served; nil if nobody asks.
	Ready func()
}

// Run runs the daemon until ctx is done, and then stops it: what was accepted for
// delivery is delivered, as far as the time allowed for it goes. It returns an
// error if the daemon could not start or something was left undone at the end, and
// none if ctx ended while it started.
func Run(ctx context.Context, o Options, s Signals) error {
	o.External.URL = externalURL(&o)
	if o.DryRun {
		return dryRun(ctx, &o, s)
	}
	if o.Replay.Wanted {
		return runReplay(ctx, &o, s)
	}
	a, err := newApp(ctx, &o, s)
	if err == nil {
		err = a.run(ctx)
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		// Being told to stop while it starts is no failure, though it ends what is under way.
		s.Log.Info("tocsin is stopping before it is ready")
		err = nil
	}
	stopping := time.Now()
	err = errors.Join(err, a.closers.close())
	if err == nil {
		s.Log.Info("tocsin has stopped", "took", time.Since(stopping))
	}
	return err
}

// App is the daemon with its parts, from the first that is built to the last
// that is closed.
type App struct {
	opts    *Options
	signals Signals
	log     *slog.Logger
	metrics *metrics.Set
	started time.Time

	store      *store.Store     // nil if state lives in memory only
	journal    *journal.Journal // nil without a store
	datasource *datasource.Client
	notifiers  notifiers
	// notifierFile is what notifiers come from; nil if that is the command line.
	notifierFile *notifierFile
	manager      *rules.Manager
	reloader     *reloader
	web          *web.Server
	closers      closers

	serveErrors <-chan error // of a listener that broke
}

// newApp builds the parts. With an error, the App still has to be closed.
func newApp(ctx context.Context, o *Options, s Signals) (*App, error) {
	a := &App{
		opts: o, signals: s, log: s.Log, metrics: metrics.NewSet(), started: time.Now(),
		manager: rules.NewManager(),
	}
	if err := a.startPushing(); err != nil {
		return a, err
	}
	deps, err := a.deps(ctx)
	if err != nil {
		return a, err
	}
	a.closers.add("groups", shutdownRounds, a.manager.Close)
	from, err := newRuleSources(&o.Rules, a.metrics)
	if err != nil {
		return a, err
	}
	a.closers.add("rule file connections", 0, closing(from))
	a.reloader = newReloader(a, deps, newLoader(o, from, a.log))
	a.web = a.newWeb(deps.Link)
	return a, nil
}

// shutdownRounds is how long evaluations under way may take at shutdown.
const shutdownRounds = 5 * time.Second

// deps builds what groups need from the world, all but the templates. Clients
// are built in the order in which they are to be closed last.
func (a *App) deps(ctx context.Context) (*rules.Deps, error) {
	o := a.opts
	options, err := evaluation(o)
	if err != nil {
		return nil, err
	}
	counters := rules.NewCounters(a.metrics)
	writers, err := a.openStore()
	if err != nil {
		return nil, err
	}
	if a.notifiers, err = a.notifier(ctx); err != nil {
		return nil, err
	}
	a.startJournal(writers)
	if a.datasource, err = a.querier(); err != nil {
		return nil, err
	}
	restorer, err := a.restorer(counters)
	if err != nil {
		return nil, err
	}
	link, err := newLink(o)
	if err != nil {
		return nil, err
	}
	deps := &rules.Deps{
		Querier: a.datasource, Restorer: restorer, Notifier: a.notifiers,
		CatchUp: a.catchUp(), Link: link, Settled: newReleaser().settled, Counters: counters, Log: a.log,
		Options: options,
	}
	if writers != nil {
		deps.Appender = writers
	}
	if a.journal != nil {
		deps.Journal = a.journal
	}
	return deps, nil
}

// evaluation returns what o says about the evaluation of rules, live or replayed.
func evaluation(o *Options) (rules.Options, error) {
	conflict, err := rules.ParseConflict(o.Rules.ConflictingLabels)
	if err != nil {
		return rules.Options{}, fmt.Errorf("-rule.conflictingLabels: %w", err)
	}
	return rules.Options{
		ExternalLabels: o.External.Labels, Conflict: conflict,
		DisableAlertgroup: o.Rules.DisableAlertgroup,
		SilentRemoval:     o.Rules.SilentRemoval,
		ResendDelay:       o.Rules.ResendDelay, MaxResolveDuration: o.Rules.MaxResolveDuration,
		ErrorResend: o.Rules.ErrorResendDuration, QueryTimeout: o.Datasource.QueryTimeout,
		ChainWait: o.Rules.ChainWait, ChainDelay: o.Rules.ChainDelay, MaxStartDelay: o.Rules.MaxStartDelay,
	}, nil
}

// run serves until ctx is done.
func (a *App) run(ctx context.Context) error {
	defer a.reloader.end()
	if err := a.listen(); err != nil {
		return err
	}
	serving, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	// A reload may wait for a round; at the end that must not take for ever.
	context.AfterFunc(serving, func() { time.AfterFunc(shutdownRounds, a.manager.CutShort) })
	if err := a.reloader.first(serving); err != nil {
		return err
	}
	sd := newSystemd(a.log)
	defer sd.stopping()
	a.log.Info("tocsin is ready", "version", a.opts.Version, "took", time.Since(a.started))
	sd.ready()
	if a.signals.Ready != nil {
		a.signals.Ready()
	}
	go a.endWhenBroken(serving, stop)
	a.reloader.run(serving, a.signals.Reload, sd)
	a.log.Info("tocsin is stopping")
	if ctx.Err() == nil {
		return context.Cause(serving)
	}
	return nil
}

// endWhenBroken calls stop when a listener breaks. It returns when ctx ends.
func (a *App) endWhenBroken(ctx context.Context, stop context.CancelCauseFunc) {
	select {
	case err := <-a.serveErrors:
		stop(fmt.Errorf("serve: %w", err))
	case <-ctx.Done():
	}
}
