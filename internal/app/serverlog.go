package app

import (
	"log"
	"log/slog"
)

// serverLog returns the logger for what net/http has to complain about, such as
// clients that break off a TLS handshake.
func serverLog(l *slog.Logger) *log.Logger {
	return slog.NewLogLogger(l.Handler(), slog.LevelDebug)
}
