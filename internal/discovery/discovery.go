// Package discovery finds the Alertmanagers that the blocks of a notifier file
// describe: targets that are written down, or that files, servers, DNS or Consul
// list.
//
// A Finder follows one block in a goroutine of its own. What it found last stays
// until something else is found: a look-up that fails takes nothing away, while one
// that succeeds and finds nothing does. What is found are label sets; Targets makes
// addresses of them, by the relabeling rules of the block.
package discovery

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"sync"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/config/notifiers"
	"tocsin/internal/httpx"
)

// Options says how blocks are followed. Zero intervals stand for defaults; that of
// a block counts more.
type Options struct {
	ConsulInterval time.Duration // between look-ups; 0 is 30s
	ConsulWait     time.Duration // how long Consul may wait for a change before it answers; 0 is 5m
	DNSInterval    time.Duration // between look-ups; 0 is 30s
	Resolver       Resolver      // nil is the system's
	Lookup         httpx.Lookup  // of the servers that are asked
	Counts         *Counts
	Log            *slog.Logger
	// Changed is called when there is something new to be found by Found. It must
	// not wait. Nil calls nobody.
	Changed func()
}

// Found is what a Finder knows.
type Found struct {
	// Targets are those of the last good look-ups, in a fixed order. Each has
	// __address__ and labels that say where it was found.
	Targets []labels.Labels
	// Complete: everything has been looked up with success, at least once.
	Complete bool
	// Err is why look-ups fail now, and Since when the first of them did. It holds
	// no secrets.
	Err   error
	Since time.Time
}

// source looks for targets.
type source interface {
	// run reports what it knows, each time it has looked, until ctx ends or there is
	// nothing more to look for.
	run(ctx context.Context, report func(view))
}

// Finder follows one block.
type Finder struct {
	// Fixed by New.
	recipe  recipe
	source  source
	client  *httpx.Transport // nil without one
	changed func()
	log     *slog.Logger

	cancel context.CancelFunc
	ended  chan struct{} // closed when the goroutine has ended; nil before Start
	looked chan struct{} // closed when everything has been looked up once

	mu    sync.Mutex // guards the fields below
	found Found
	tried bool
}

// recipe is what of a block decides what is found.
type recipe struct {
	kind   notifiers.Kind
	static *notifiers.Static
	consul *notifiers.Consul
	dns    *notifiers.DNS
	file   *notifiers.File
	http   *notifiers.HTTP
}

func recipeOf(b *notifiers.Block) recipe {
	return recipe{kind: b.Kind, static: b.Static, consul: b.Consul, dns: b.DNS, file: b.File, http: b.HTTP}
}

// New returns a Finder for b that is not started. The error is that of client
// options which cannot be used.
func New(b *notifiers.Block, o Options) (*Finder, error) {
	f := &Finder{
		recipe: recipeOf(b), changed: o.Changed,
		looked: make(chan struct{}),
	}
	c := o.Counts.of(b.Kind)
	var err error
	switch b.Kind {
	case notifiers.StaticKind:
		f.source = newStatic(b.Static)
	case notifiers.ConsulKind:
		if f.client, err = transport(b.Consul.Client, &o); err == nil {
			f.source = newConsul(b.Consul, f.client, &o, c)
		}
	case notifiers.DNSKind:
		f.source = newDNS(b.DNS, &o, c)
	case notifiers.FileKind:
		f.source = newFiles(b.File, c)
	case notifiers.HTTPKind:
		if f.client, err = transport(b.HTTP.Client, &o); err == nil {
			f.source = newHTTP(b.HTTP, f.client, c)
		}
	default:
		panic(fmt.Sprintf("discovery: internal error: kind %q", b.Kind))
	}
	f.log = o.Log.With("kind", string(b.Kind), "line", b.Line)
	return f, err
}

// transport returns the transport of a server that is asked for targets.
func transport(c httpx.ClientOptions, o *Options) (*httpx.Transport, error) {
	c.MaxIdleConnections, c.IdleConnTimeout, c.Lookup = 2, 50*time.Second, o.Lookup
	return c.RoundTripper(nil)
}

// Finds reports whether f finds what a new Finder for b would find.
func (f *Finder) Finds(b *notifiers.Block) bool { return reflect.DeepEqual(f.recipe, recipeOf(b)) }

// Start begins to look. Stop ends what it starts.
func (f *Finder) Start() {
	ctx, cancel := context.WithCancel(context.Background())
	f.cancel, f.ended = cancel, make(chan struct{})
	go func() {
		defer close(f.ended)
		f.source.run(ctx, f.report)
	}()
}

// Stop ends the Finder, started or not, and returns when nothing of it runs any
// more. What it found stays.
func (f *Finder) Stop() {
	if f.ended != nil {
		f.cancel()
		<-f.ended
	}
	if f.client != nil {
		_ = f.client.Close() // never fails
	}
}

// Looked is closed once everything has been looked up, whether with success or not.
func (f *Finder) Looked() <-chan struct{} { return f.looked }

// Found returns what f knows now. The caller must not change it.
func (f *Finder) Found() Found {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.found
}

// report takes what the source knows.
func (f *Finder) report(v view) {
	f.mu.Lock()
	was := f.found
	is := Found{Targets: v.targets, Complete: was.Complete || v.known, Err: v.err, Since: was.Since}
	switch {
	case is.Err == nil:
		is.Since = time.Time{}
	case was.Err == nil:
		is.Since = time.Now()
	}
	f.found = is
	if v.tried && !f.tried {
		f.tried = true
		close(f.looked)
	}
	f.mu.Unlock()
	f.note(&was, &is)
	if f.changed != nil && !same(&was, &is) {
		f.changed()
	}
}

// note logs when look-ups begin or cease to fail.
func (f *Finder) note(was, is *Found) {
	switch {
	case was.Err == nil && is.Err != nil:
		f.log.Warn("discovery of alertmanagers fails, those found before stay", "targets", len(is.Targets), "error", is.Err)
	case was.Err != nil && is.Err == nil:
		f.log.Info("discovery of alertmanagers works again", "targets", len(is.Targets), "failed_for", time.Since(was.Since))
	}
}

// same reports whether nothing has changed for those who look.
func same(a, b *Found) bool {
	return a.Complete == b.Complete && text(a.Err) == text(b.Err) && equal(a.Targets, b.Targets)
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// defaulted returns the first that is set: what the block says, what the options
// say, what is usual.
func defaulted(block, options, usual time.Duration) time.Duration {
	switch {
	case block > 0:
		return block
	case options > 0:
		return options
	}
	return usual
}
