package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tocsin/internal/alertmanager"
	"tocsin/internal/journal"
	"tocsin/internal/journal/store"
	"tocsin/internal/remotewrite"
	"tocsin/rules"
)

// journalDrain is how long, at shutdown, results in memory may take to get into
// the queues of remote write; what is left is on disk.
const journalDrain = 2 * time.Second

// storeClose is how long, at shutdown, the last write of the store may take.
const storeClose = 5 * time.Second

// openStore opens the folder of -storage.path, if there is one, and starts the
// clients of -remoteWrite.url, which may be nil. A folder that was not asked for
// may fail: everything then lives in memory only.
func (a *App) openStore() (*remotewrite.Set, error) {
	writers, err := a.writers()
	if err != nil {
		return nil, err
	}
	var targets []string
	if writers != nil {
		targets = writers.Keys()
	}
	o := &a.opts.Storage
	if o.Path != "" {
		a.store, err = store.Open(store.Options{
			Path: o.Path, MaxBytes: o.MaxDiskUsage, Targets: targets,
			Metrics: a.metrics, Log: a.log.With("part", "storage"),
		})
	}
	switch {
	case err == nil:
	case !o.Demanded && (errors.Is(err, store.ErrUnwritable) || errors.Is(err, store.ErrLocked)):
		a.log.Warn("state is kept in memory only, so that a restart loses it: set -storage.path to a folder of its own that can be written to, or to nothing", "error", err)
	default:
		return nil, fmt.Errorf("-storage.path: %w", err)
	}
	if a.store != nil {
		a.closers.add("storage", storeClose, a.closeStore)
	}
	if writers != nil {
		if a.store != nil {
			writers.Borrow()
		}
		writers.Start()
		a.closers.add("remote write", a.opts.RemoteWrite.DrainTimeout, writers.Close)
	}
	return writers, nil
}

// closeStore closes the store when everybody who settles results has been closed.
// A disk that hangs is left alone when ctx ends; the lock goes with the process.
func (a *App) closeStore(ctx context.Context) error {
	if a.journal != nil {
		a.journal.Settle()
	}
	closed := make(chan error, 1)
	go func() { closed <- a.store.Close() }()
	select {
	case err := <-closed:
		return err
	case <-ctx.Done():
		return fmt.Errorf("close %s: the disk does not answer: %w", a.opts.Storage.Path, ctx.Err())
	}
}

// startJournal builds and starts the journal, if there is a store. What a former
// process left is handed to the groups and to everybody who has yet to hear it.
func (a *App) startJournal(writers *remotewrite.Set) {
	if a.store == nil {
		return
	}
	o := journal.Options{
		Store: a.store, Notifier: alertmanager.NewBlackhole(a.metrics),
		EncodeRows: remotewrite.AppendRows, DecodeRows: remotewrite.DecodeRows,
		Metrics: a.metrics, Log: a.log.With("part", "journal"),
	}
	if a.notifiers != nil {
		o.Notifier = a.notifiers
	}
	if writers != nil {
		keys := writers.Keys()
		for i, w := range writers.Clients() {
			o.Targets = append(o.Targets, journal.Target{Key: keys[i], Sink: w})
		}
	}
	a.journal = journal.New(o)
	states, err := a.journal.Recover()
	if err := errors.Join(err, a.manager.Recover(states)); err != nil {
		a.log.Error("part of the state of a former run cannot be read and is left out", "error", err)
	}
	if len(states) > 0 {
		a.log.Info("state of a former run was read", "groups", len(states))
	}
	a.journal.Start()
	a.closers.add("journal", journalDrain, a.journal.Close)
}

// catchUp returns what makes up for missed evaluations; nil if that is not wanted.
func (a *App) catchUp() *rules.CatchUp {
	o := &a.opts.Rules
	if o.CatchUp <= 0 {
		return nil
	}
	return rules.NewCatchUp(a.datasource, o.CatchUp, o.CatchUpConcurrency, a.metrics)
}
