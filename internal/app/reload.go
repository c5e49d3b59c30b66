package app

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"

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
	failing  bool             // the last load failed; owned likewise

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

// first loads the configuration that the daemon starts with.
func (r *reloader) first(ctx context.Context) error {
	change, err := r.apply(ctx)
	if err != nil {
		return err
	}
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
	defer close(r.ended)
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
		case <-sd.watchdog():
			sd.alive()
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
	case err != nil && r.failing:
		r.status.errors.Inc()
	case err != nil:
		r.status.total.Inc()
		r.fail(err, "check")
	case change.Added+change.Changed+change.Removed > 0:
		r.status.total.Inc()
		r.succeed(change, "check", time.Since(start))
	case r.failing:
		// The files are again what runs already.
		r.failing = false
		r.status.successful.Store(true)
		r.log.Info("rule files are good again")
	}
}

func (r *reloader) fail(err error, trigger string) {
	r.failing = true
	r.status.errors.Inc()
	r.status.successful.Store(false)
	r.log.Error("reload failed, the rules in force go on", "trigger", trigger, "error", err)
}

func (r *reloader) succeed(c rules.Change, trigger string, took time.Duration) {
	unchanged := r.failing && c.Added+c.Changed+c.Removed == 0
	r.failing = false
	if unchanged {
		r.status.successful.Store(true)
	} else {
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

// reloadStatus is what the metrics tell of reloads.
type reloadStatus struct {
	total, errors *metrics.Counter
	loaded        atomic.Bool
	successful    atomic.Bool
	at            atomic.Int64 // of the last success, in seconds since the Unix epoch
}

func newReloadStatus(s *metrics.Set) *reloadStatus {
	st := &reloadStatus{
		total:  s.NewCounter("vmalert_config_last_reload_total"),
		errors: s.NewCounter("vmalert_config_last_reload_errors_total"),
	}
	s.NewGauge("vmalert_config_last_reload_successful", func() float64 {
		if st.successful.Load() {
			return 1
		}
		return 0
	})
	s.NewGauge("vmalert_config_last_reload_success_timestamp_seconds", func() float64 {
		return float64(st.at.Load())
	})
	return st
}

func (st *reloadStatus) succeeded() {
	st.loaded.Store(true)
	st.successful.Store(true)
	st.at.Store(time.Now().Unix())
}
