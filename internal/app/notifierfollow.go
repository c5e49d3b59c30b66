package app

import (
	"context"
	"errors"
	"slices"
	"sync"

	notifierconfig "tocsin/config/notifiers"
	"tocsin/internal/alertmanager"
)

// follower keeps the targets of a Set those that the blocks in force find.
type follower struct {
	changed chan struct{} // has a token when something new was found
	cancel  context.CancelFunc
	ctx     context.Context // ends when nobody follows any more
	ended   chan struct{}   // closed when the goroutine has ended; nil before start

	turn     sync.Mutex // held by whoever changes the targets; guards the fields below
	set      *alertmanager.Set
	unusable string // what is wrong with targets that are left out, as logged last

	mu     sync.Mutex             // guards the fields below
	config *notifierconfig.Config // in force; nil before the first
	blocks []*block               // of config
	// before is the targets of the file that was in force before, until everything
	// has been looked up by which this one finds its own.
	before []alertmanager.Endpoint
}

func newFollower() follower {
	ctx, cancel := context.WithCancel(context.Background())
	return follower{changed: make(chan struct{}, 1), ctx: ctx, cancel: cancel}
}

// rouse has the targets looked at again.
func (f *follower) rouse() {
	select {
	case f.changed <- struct{}{}:
	default:
	}
}

// inForce returns what the file in force has led to; nil before the first.
func (f *follower) inForce() ([]*block, *notifierconfig.Config) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.blocks, f.config
}

// start begins to keep the targets of set. end ends what it starts.
func (f *notifierFile) start(set *alertmanager.Set) {
	f.set, f.ended = set, make(chan struct{})
	go func() {
		defer close(f.ended)
		for {
			select {
			case <-f.changed:
				f.sync()
			case <-f.ctx.Done():
				return
			}
		}
	}()
}

// end stops all that looks for targets. Those there are stay, and so do the
// connections to them.
func (f *notifierFile) end() {
	f.cancel()
	<-f.ended
	blocks, _ := f.inForce()
	for _, b := range blocks {
		b.finder.Stop()
	}
}

// disconnect closes the connections to the targets, after end and once nothing is to
// be sent any more.
func (f *notifierFile) disconnect() {
	blocks, _ := f.inForce()
	for _, b := range blocks {
		_ = b.connection.transport.Close() // never fails
	}
}

// exchange puts p in force and returns the blocks that were. The targets that those
// had stay until sync finds that they are not needed any more.
func (f *notifierFile) exchange(p *notifierPlan) []*block {
	before, _, _ := f.wanted()
	f.mu.Lock()
	defer f.mu.Unlock()
	gone := f.blocks
	f.config, f.blocks, f.before = p.config, p.blocks, before
	return gone
}

// sync makes what the blocks in force find the targets.
func (f *notifierFile) sync() {
	f.turn.Lock()
	defer f.turn.Unlock()
	endpoints, complete, err := f.wanted()
	if complete {
		f.mu.Lock()
		f.before = nil
		f.mu.Unlock()
	}
	if said := text(err); said != f.unusable {
		f.unusable = said
		if err != nil {
			f.log.Warn("alertmanagers that were found cannot be used", "error", err)
		}
	}
	ctx, cancel := context.WithTimeout(f.ctx, f.drain)
	defer cancel()
	err = f.set.Use(ctx, endpoints)
	if err != nil && !errors.Is(err, alertmanager.ErrClosed) {
		f.log.Error("alertmanagers cannot be used", "error", err) // Targets has let only good ones through
	}
}

// wanted returns the targets there are to be, and whether everything has been looked
// up by which they are found. The error says why some are left out.
func (f *follower) wanted() (all []alertmanager.Endpoint, complete bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var errs []error
	complete = true
	for _, b := range f.blocks {
		complete = complete && b.finder.Found().Complete
		endpoints, err := b.endpoints(f.config)
		all = append(all, endpoints...)
		errs = append(errs, err)
	}
	if !complete {
		for _, e := range f.before {
			if !slices.ContainsFunc(all, func(o alertmanager.Endpoint) bool { return o.URL == e.URL }) {
				all = append(all, e)
			}
		}
	}
	return all, complete, errors.Join(errs...)
}
