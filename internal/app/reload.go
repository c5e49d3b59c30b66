package app

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"time"

	"tocsin/internal/template"
	"tocsin/rules"
)

// errStopping is why a reload is refused at the end.
var errStopping = errors.New("tocsin is stopping")

// errNotLoaded is why the daemon is not ready before its first load.
var errNotLoaded = errors.New("rules are not loaded yet")

// reloader puts configurations in force, one at a time. Requests that come while
// one is being loaded are served together by the next.
type reloader struct {
	log     *slog.Logger
	loader  *loader
	manager *rules.Manager
	base    *rules.Deps // without templates
	lenient bool
	every   time.Duration // of -configCheckInterval; 0 is never

	requests chan request
	ended    chan struct{}    // closed when run has ended
	engine   *template.Engine // in force; owned by whoever runs apply
	failure  error            // of the last load; owned likewise

	status *reloadStatus
}

// request is somebody's wish for a reload; the result goes to done, which has
// room for it.
type request struct{ done chan error }

func newReloader(a *App, deps *rules.Deps, l *loader) *reloader {
	return &reloader{
		log: a.log, loader: l, manager: a.manager, base: deps,
		lenient: !a.opts.Rules.ValidateTemplates,
		every:   a.opts.Rules.ConfigCheckInterval, requests: make(chan request), ended: make(chan struct{}),
		status: newReloadStatus(a.metrics),
	}
}

// end refuses the requests that come from now on.
func (r *reloader) end() { close(r.ended) }

// first loads the configuration that the daemon starts with.
func (r *reloader) first(ctx context.Context) error {
	change, err := r.apply(ctx)
	if err != nil {
		return err
	}
	r.recover()
	r.status.succeeded()
	r.log.Info("rules loaded", "groups", change.Added)
	return nil
}

// Reload has the configuration loaded again and returns when that is done.
func (r *reloader) Reload(ctx context.Context) error {
	q := request{done: make(chan error, 1)}
	select {
	case r.requests <- q:
		return <-q.done
	case <-r.ended:
		return errStopping
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Ready returns why no rules run, or nil.
func (r *reloader) Ready() error {
	if !r.status.loaded.Load() {
		return errNotLoaded
	}
	return nil
}

// run serves wishes for a reload until ctx is done.
func (r *reloader) run(ctx context.Context, signals <-chan struct{}, sd *systemd) {
	var check <-chan time.Time
	if r.every > 0 {
		ticker := time.NewTicker(r.every)
		defer ticker.Stop()
		check = ticker.C
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-check:
			r.check(ctx)
		case <-signals:
			sd.reloading()
			r.reload(ctx, "signal", nil)
			sd.ready()
		case q := <-r.requests:
			sd.reloading()
			r.reload(ctx, "http", r.joined(q))
			sd.ready()
		}
	}
}

// joined returns q with the other requests that wait.
func (r *reloader) joined(q request) []request {
	all := []request{q}
	for {
		select {
		case q := <-r.requests:
			all = append(all, q)
		default:
			return all
		}
	}
}

// reload puts the configuration in force as it is now, and answers requests.
func (r *reloader) reload(ctx context.Context, trigger string, requests []request) {
	start := time.Now()
	r.status.total.Inc()
	change, err := r.apply(ctx)
	switch {
	case ctx.Err() != nil:
		err = errStopping
	case err != nil:
		r.fail(err, trigger)
	default:
		r.succeed(change, trigger, time.Since(start))
	}
	for _, q := range requests {
		q.done <- err
	}
}

// check is a reload of which nobody hears as long as nothing changes.
func (r *reloader) check(ctx context.Context) {
	start := time.Now()
	change, err := r.apply(ctx)
	switch {
	case ctx.Err() != nil:
	case err != nil && r.failure != nil && err.Error() == r.failure.Error():
		// Said and counted before.
	case err != nil:
		r.status.total.Inc()
		r.fail(err, "check")
	case change.Added+change.Changed+change.Removed > 0:
		r.status.total.Inc()
		r.succeed(change, "check", time.Since(start))
	case r.failure != nil:
		// The files are again what runs already.
		r.recover()
		r.log.Info("rule files are good again")
	}
}

func (r *reloader) fail(err error, trigger string) {
	r.failure = err
	r.status.errors.Inc()
	r.status.failed(err)
	for _, problem := range flatten(err) {
		r.log.Error("reload failed, the rules in force go on", "trigger", trigger, "error", problem)
	}
}

// recover notes that what runs is what the files say.
func (r *reloader) recover() {
	r.failure = nil
	r.status.failed(nil)
}

func (r *reloader) succeed(c rules.Change, trigger string, took time.Duration) {
	rolledBack := r.failure != nil && c.Added+c.Changed+c.Removed == 0
	r.recover()
	if !rolledBack {
		r.status.succeeded()
	}
	r.log.Info("rules reloaded", "trigger", trigger, "took", took,
		"added", c.Added, "changed", c.Changed, "kept", c.Kept, "removed", c.Removed)
}

// apply loads everything anew and puts it in force, or changes nothing.
func (r *reloader) apply(ctx context.Context) (rules.Change, error) {
	set, engine, err := r.loader.load(ctx)
	if err != nil {
		return rules.Change{}, err
	}
	changed := r.engine == nil || !r.engine.Equal(engine)
	if !changed {
		// Groups that stay hold on to the engine they were built with.
		engine = r.engine
	}
	deps := *r.base
	deps.Templates = engine
	change, err := r.manager.Apply(rules.Plan{
		Groups: set.Groups, Deps: &deps, Rebuild: changed, Lenient: r.lenient,
	})
	if err != nil {
		return change, located(err)
	}
	r.engine = engine
	if change.Added+change.Changed+change.Removed > 0 {
		// Reading rules takes many times the memory that they need afterwards.
		debug.FreeOSMemory()
	}
	return change, nil
}
