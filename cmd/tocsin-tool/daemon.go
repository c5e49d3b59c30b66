package main

import (
	"context"
	"io"
	"log/slog"

	"tocsin/internal/app"
)

// runDaemon runs the daemon in this process.
func runDaemon(ctx context.Context, o app.Options, reload <-chan struct{}, log *slog.Logger) error {
	return app.Run(ctx, o, app.Signals{Reload: reload, Log: log, Stdout: io.Discard})
}
