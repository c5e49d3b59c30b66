package demo

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
)

// screen writes whole lines to the terminal, one writer at a time.
type screen struct {
	colour bool

	mu  sync.Mutex // guards out
	out io.Writer
}

// Write writes p, which is one or more whole lines.
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.Write(p)
}

func (s *screen) println(line string) {
	fmt.Fprintln(s, line)
}

// banner says what runs where and what to try.
func (s *screen) banner(dir, listen string, w *world) {
	fmt.Fprintf(s, `tocsin demo: a daemon, a storage and a receiver of alerts in one process

  pages       http://%[1]s/vmalert/groups
  API         http://%[1]s/api/v1/alerts
  metrics     http://%[1]s/metrics
  storage     %[2]s/api/v1/query?query=demo_queue_jobs
  rule files  %[3]s/*.yml
  log         %[4]s

What to try
  - Wait: the first alert fires within half a minute and is resolved soon after.
  - Edit a rule file and save it: it is in force within seconds, or after
      kill -HUP %[5]d
    A mistake is reported below and leaves everything as it is.
  - Look at the pages while an alert is pending, and at its series:
      curl -s '%[2]s/api/v1/query?query=ALERTS'
  - Ctrl-C stops everything and removes the files.

Notifications as they arrive:
`, listen, w.storageURL, rulesDir(dir), logPath(dir), os.Getpid())
}

// newLogger returns a logger that writes everything to file, and to the terminal
// what is at least as important as level.
func newLogger(file io.Writer, scr *screen, level slog.Level) *slog.Logger {
	timeOnly := func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && a.Key == slog.TimeKey {
			a.Value = slog.StringValue(a.Value.Time().Format("15:04:05"))
		}
		return a
	}
	return slog.New(slog.NewMultiHandler(
		slog.NewTextHandler(file, nil),
		slog.NewTextHandler(scr, &slog.HandlerOptions{Level: level, ReplaceAttr: timeOnly}),
	))
}
