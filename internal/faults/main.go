// Command faults tries what tocsin survives. It runs whole processes, the daemon
// between a real VictoriaMetrics, a real Alertmanager and stubs, and lets faults
// befall all of them as a seed decides: kill -9, refused and hanging connections,
// wrong answers, a full disk, late data. Afterwards it compares what is in storage
// and what the Alertmanagers were told with what the data demands, and prints what
// was tried and what was lost. It exits with 0 only if nothing was.
//
//	go run ./internal/faults [-seed n] [-duration d] [-kills n] [-faults patterns]
//
// It needs Linux, and root for the full disk.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"tocsin/internal/e2e/servers"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run returns the exit code: 0 if nothing was lost, 1 if something was, 2 if that
// cannot be said.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	lost, err := runAll(ctx, args, stdout, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(stderr, "faults:", err)
		return 2
	case lost > 0:
		return 1
	}
	return 0
}

// runAll does what the arguments say and returns what tocsin lost.
func runAll(ctx context.Context, args []string, stdout, stderr io.Writer) (lost int, err error) {
	o, err := parseOptions(args, stdout)
	if err != nil {
		return 0, err
	}
	if o.list {
		return 0, o.printPlan(stdout)
	}
	level := slog.LevelInfo
	if o.verbose {
		level = slog.LevelDebug
	}
	outcomes, err := o.tryAll(ctx, slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level})))
	if err != nil {
		return 0, err
	}
	report(stdout, o, outcomes)
	return outcomes[0].lost(), nil
}

// tryAll puts the daemon, and then the one to compare it with, through the plan.
// The outcome of tocsin comes first.
func (o *options) tryAll(ctx context.Context, log *slog.Logger) ([]*outcome, error) {
	dir := o.dir
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "tocsin-faults-"); err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
	} else if left, err := filepath.Glob(filepath.Join(dir, "*.d")); err != nil || len(left) > 0 {
		return nil, errors.Join(err, fmt.Errorf("%s has what an earlier run has left", dir))
	}
	if o.tocsin == "" {
		o.tocsin = filepath.Join(dir, "tocsin")
		if err := servers.Build(o.tocsin); err != nil {
			return nil, err
		}
	}
	var all []*outcome
	for _, s := range []struct{ name, path string }{{"tocsin", o.tocsin}, {"vmalert", o.vmalert}} {
		if s.path == "" {
			continue
		}
		out, err := o.try(ctx, s.name, s.path, filepath.Join(dir, s.name+".d"), log.With("daemon", s.name))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		all = append(all, out)
	}
	return all, nil
}
