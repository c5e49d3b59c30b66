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
	// notifiers is the notifier file; nil without one.
	notifiers *notifierFile
	base      *rules.Deps // without templates
	lenient   bool
	strict    bool          // all or nothing
	every     time.Duration // of -configCheckInterval; 0 is never

	requests chan request
	plans    chan planRequest
	ended    chan struct{}    // closed when run has ended
	engine   *template.Engine // in force; owned by whoever runs apply
	renewed  bool             // something was put in force since all files were good; owned likewise

	status *reloadStatus
}

// request is somebody's wish for a reload; the result goes to done, which has
// room for it.
type request struct{ done chan error }

func newReloader(a *App, deps *rules.Deps, l *loader) *reloader {
	return &reloader{
		log: a.log, loader: l, manager: a.manager, notifiers: a.notifierFile, base: deps,
		lenient:  !a.opts.Rules.ValidateTemplates,
		strict:   a.opts.Rules.AllOrNothing,
		every:    a.opts.Rules.ConfigCheckInterval,
		requests: make(chan request), plans: make(chan planRequest), ended: make(chan struct{}),
		status: newReloadStatus(a.metrics),
	}
}

// end refuses the requests that come from now on.
func (r *reloader) end() { close(r.ended) }

// first loads the configuration that the daemon starts with. Files with problems
// are left out, unless nothing is left then.
func (r *reloader) first(ctx context.Context) error {
	o, err := r.apply(ctx, "start")
	if err != nil {
		return err
	}
	if len(o.problems) > 0 && (o.change.Refused || !o.changes()) {
		return o.err()
	}
	r.status.loaded.Store(true)
	r.note(o)
	o.log(r.log)
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
		case q := <-r.plans:
			q.done <- r.preview(ctx)
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
	r.status.total.Inc()
	o, err := r.attempt(ctx, trigger)
	if err == nil {
		r.finish(o)
		err = o.err()
	}
	for _, q := range requests {
		q.done <- err
	}
}

// check is a reload of which nobody hears as long as nothing changes.
func (r *reloader) check(ctx context.Context) {
	o, err := r.attempt(ctx, "check")
	if err != nil {
		return // errStopping
	}
	was, is := text(r.status.lastError()), text(o.err())
	switch {
	case o.changes() || is != was && is != "":
		r.status.total.Inc()
		r.finish(o)
	case is != was:
		// The files are again what runs already.
		r.note(o)
		r.log.Info("rule files are good again")
	}
}

// attempt is apply for a daemon that runs: what keeps everything from being put in
// force is a problem like others. The only error is errStopping.
func (r *reloader) attempt(ctx context.Context, trigger string) (*outcome, error) {
	began := time.Now()
	o, err := r.apply(ctx, trigger)
	switch {
	case ctx.Err() != nil:
		return nil, errStopping
	case err != nil:
		return &outcome{
			trigger: trigger, began: began, took: time.Since(began),
			change: rules.Change{Refused: true}, problems: flatten(located(err)),
		}, nil
	}
	return o, nil
}

// finish counts, notes and logs what came of a reload.
func (r *reloader) finish(o *outcome) {
	if len(o.problems) > 0 {
		r.status.errors.Inc()
	}
	r.note(o)
	o.log(r.log)
}

// note keeps what came of a load, for metrics and pages.
func (r *reloader) note(o *outcome) {
	r.renewed = r.renewed || o.changes() || o.trigger == "start"
	r.status.note(o, r.renewed)
	if len(o.problems) == 0 {
		r.renewed = false
	}
}

// text returns err as text; "" if there is none.
func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// apply loads everything anew and puts in force what is good. With an error nothing
// has changed; it is ctx's, rules.ErrClosed, or says what no file can mend, such as
// options that are wrong.
func (r *reloader) apply(ctx context.Context, trigger string) (*outcome, error) {
	o := &outcome{trigger: trigger, began: time.Now()}
	p, err := r.plan(ctx)
	if err != nil {
		return nil, err
	}
	if o.change, err = r.manager.Apply(p.rules); err != nil {
		p.notifiers.discard()
		return nil, err
	}
	o.problems = sorted(p.problems, o.change.Problems)
	if o.change.Refused {
		p.notifiers.discard()
		o.took = time.Since(o.began)
		return o, nil
	}
	// After the rules, so that what is removed says goodbye to those who knew it.
	o.notifiers = p.notifiers != nil
	r.notifiers.commit(ctx, p.notifiers)
	o.took = time.Since(o.began)
	r.engine = p.rules.Deps.Templates.(*template.Engine)
	if o.changes() {
		// Reading rules takes many times the memory that they need afterwards.
		debug.FreeOSMemory()
	}
	return o, nil
}

// planned is what is to be put in force, and what is wrong with the files that are
// not.
type planned struct {
	rules     rules.Plan
	notifiers *notifierPlan // to be committed or discarded
	problems  []error
}

// plan loads everything anew. Its errors are those of apply, but for ErrClosed.
func (r *reloader) plan(ctx context.Context) (*planned, error) {
	c, err := r.loader.load(ctx)
	if err != nil {
		return nil, err
	}
	if r.engine == nil && len(c.homeless) > 0 {
		// Nothing runs yet: the command line is to blame, not a file.
		return nil, located(append(c.nowhere(), c.problems...)...)
	}
	notifiers, problems := r.notifiers.prepare(ctx)
	c.problems = append(c.problems, problems...)
	for _, p := range c.homeless {
		c.problems = append(c.problems, p)
	}
	engine := c.engine
	if r.engine != nil && (c.broken || r.engine.Digest() == engine.Digest()) {
		// Broken templates must not spoil the alerts that use them, and groups that
		// stay hold on to the engine they were built with.
		engine = r.engine
	}
	deps := *r.base
	deps.Templates = engine
	return &planned{notifiers: notifiers, problems: c.problems, rules: rules.Plan{
		Files: c.files, Incomplete: c.incomplete, Deps: &deps, Lenient: r.lenient,
		AllOrNothing: r.strict, Flawed: len(c.problems) > 0,
	}}, nil
}

// sorted returns all problems, those of rule files by file and line.
func sorted(loading []error, building []*rules.RuleError) []error {
	all := loading
	for _, e := range building {
		all = append(all, e)
	}
	return flatten(located(all...))
}
