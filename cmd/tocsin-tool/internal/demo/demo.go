// Package demo runs everything an alerting daemon needs in one process: a
// storage with series that misbehave, a receiver that shows notifications on
// the terminal, sample rule files, and the daemon between them.
//
// Run owns all of it: when it returns, nothing runs and no file is left.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"tocsin/internal/app"
)

// ErrNotProved is returned when the time was up before an alert had fired and
// been resolved.
var ErrNotProved = errors.New("no alert fired and was resolved in time")

// Daemon runs the daemon until ctx ends. Each value from reload asks it to read
// its rules again.
type Daemon func(ctx context.Context, o app.Options, reload <-chan struct{}, log *slog.Logger) error

// Options says how the demo runs.
type Options struct {
	Daemon     Daemon
	ListenAddr string          // of the daemon; "" chooses a free one on loopback
	Duration   time.Duration   // 0 runs until the context ends
	Reload     <-chan struct{} // asks for a reload of the rules; may be nil
	Out        io.Writer       // the terminal
	Colour     bool
	Version    string
	// Proved, if set, is called once when an alert has fired and been resolved.
	Proved func()
}

// Run runs the demo until ctx ends or its duration is over. With a duration it
// returns ErrNotProved unless an alert fired and was resolved; it returns
// early, with the daemon's error, when that stops by itself.
func Run(ctx context.Context, o Options) (err error) {
	dir, err := os.MkdirTemp("", "tocsin-demo-")
	if err != nil {
		return fmt.Errorf("making the demo's directory: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := writeRules(rulesDir(dir)); err != nil {
		return err
	}
	logFile, err := os.Create(logPath(dir))
	if err != nil {
		return fmt.Errorf("creating the log: %w", err)
	}
	defer logFile.Close()

	scr := &screen{out: o.Out, colour: o.Colour}
	w, err := openWorld(dir, newLogger(logFile, scr, slog.LevelWarn), scr, o.Proved)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()

	if o.ListenAddr == "" {
		if o.ListenAddr, err = freeAddr(); err != nil {
			return err
		}
	}
	scr.banner(dir, o.ListenAddr, w)
	// The daemon tells little, and that is worth seeing: reloads, for one.
	return runDaemon(ctx, o, w, dir, newLogger(logFile, scr, slog.LevelInfo))
}

// runDaemon runs the daemon in w until ctx ends or the duration is over.
func runDaemon(ctx context.Context, o Options, w *world, dir string, log *slog.Logger) error {
	if o.Duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.Duration)
		defer cancel()
	}
	err := o.Daemon(ctx, daemonOptions(o, w, dir), o.Reload, log)
	switch {
	case err != nil:
		return fmt.Errorf("running the daemon: %w", err)
	case ctx.Err() == nil:
		return errors.New("the daemon stopped by itself")
	case o.Duration > 0 && errors.Is(ctx.Err(), context.DeadlineExceeded) && !w.proof.proved():
		return fmt.Errorf("after %s: %w", o.Duration, ErrNotProved)
	}
	return nil
}

func rulesDir(dir string) string { return filepath.Join(dir, "rules") }
func logPath(dir string) string  { return filepath.Join(dir, "tocsin.log") }
