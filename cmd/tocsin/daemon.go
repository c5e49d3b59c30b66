package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime"

	"tocsin/internal/app"
)

// runDaemon runs the daemon, or the check of a dry run, until it is done or told
// to stop, and returns the exit code.
func runDaemon(line *commandLine, caught *signals, stdout, stderr io.Writer) int {
	lines := newAsyncWriter(line.logging.writer(stdout, stderr))
	defer lines.close()
	counts := newLogCounts(line.options.Version, lines.lost)
	log := newLogger(line.logging, lines, counts.count)
	for _, warning := range line.warnings {
		log.Warn("command line may not do what it was meant to", "reason", warning)
	}
	err := runApp(line, caught, app.Signals{
		Reload: caught.reload, Log: log, Stdout: stdout, Terminal: terminal(stderr), WriteLogMetrics: counts.write,
		Ready: func() { forgetStartup(log) },
	})
	if err == nil {
		return exitClean
	}
	for _, problem := range problems(err) {
		if line.options.DryRun {
			// For people and scripts at a terminal, one problem a line.
			fmt.Fprintln(stderr, problem)
			continue
		}
		if errors.Is(err, app.ErrLeftUndone) {
			log.Error("tocsin stopped and left something undone", "error", problem)
			continue
		}
		log.Log(context.Background(), levelFatal, "tocsin cannot run", "error", problem)
	}
	return exitFailure
}

// runApp reads what secrets name and hands over to the app.
func runApp(line *commandLine, caught *signals, s app.Signals) error {
	o := line.options
	if !o.DryRun {
		s.Log.Info("tocsin starts", "version", o.Version, "go", runtime.Version(), givenFlags(o.Flags))
		if err := readSecrets(caught.ctx, &o, http.DefaultTransport); err != nil {
			return err
		}
	}
	return app.Run(caught.ctx, o, s)
}

// givenFlags is a log attribute with the flags that were given, secrets hidden.
func givenFlags(flags []app.Flag) slog.Attr {
	var given []any
	for _, flag := range flags {
		if flag.IsSet {
			given = append(given, slog.String(flag.Name, flag.Value))
		}
	}
	return slog.Group("flags", given...)
}
