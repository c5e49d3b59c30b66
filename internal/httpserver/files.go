package httpserver

import (
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"tocsin/internal/httpx"
)

// fileAge is how old the content of TLS files may be when it is used.
const fileAge = time.Second

// loaded is what was made of files, and is made again when they change. Files
// that cannot be used do not replace what is there: a half-written certificate
// must not keep clients out. It may be used from many goroutines.
type loaded[T any] struct {
	paths  []string
	parse  func(texts []string) (T, error)
	errors *metrics.Counter
	log    *slog.Logger

	mu      sync.Mutex // guards the fields below
	readAt  time.Time
	texts   []string // of which value was made
	value   T
	problem string // why the present files are not in use
}

// load reads the files, which must be usable. Messages call them what.
func load[T any](what string, r *reporter, parse func([]string) (T, error), paths ...string) (*loaded[T], error) {
	l := &loaded[T]{paths: paths, parse: parse, errors: r.metrics.fileErrors, log: r.log.With("files", what)}
	if err := l.read(); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	l.readAt = time.Now()
	return l, nil
}

// get returns what the files say now or, if they are unusable, said before.
func (l *loaded[T]) get() T {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := time.Now(); now.Sub(l.readAt) >= fileAge {
		l.readAt = now
		l.reread()
	}
	return l.value
}

// reread counts each failure, and logs those that are new.
func (l *loaded[T]) reread() {
	before := l.texts
	if err := l.read(); err != nil {
		l.errors.Inc()
		if err.Error() != l.problem {
			l.problem = err.Error()
			l.log.Error("TLS files cannot be used, what they said before goes on", "error", err)
		}
		return
	}
	if changed := !slices.Equal(before, l.texts); changed || l.problem != "" {
		l.log.Info("TLS files are in use", "changed", changed)
	}
	l.problem = ""
}

// read takes over the content of the files if it has changed.
func (l *loaded[T]) read() error {
	texts := make([]string, len(l.paths))
	for i, path := range l.paths {
		text, err := httpx.ReadFile(path)
		if err != nil {
			return err
		}
		texts[i] = string(text)
	}
	if slices.Equal(texts, l.texts) {
		return nil
	}
	value, err := l.parse(texts)
	if err != nil {
		return err
	}
	l.texts, l.value = texts, value
	return nil
}
