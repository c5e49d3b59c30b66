package main

import (
	"log/slog"
	"sync"
	"time"
)

// logLimit bounds how many errors and warnings one place in the code may log per
// second. It is safe for concurrent use.
type logLimit struct {
	errors, warns int // per second and place; 0 or less is no limit

	mu      sync.Mutex // guards the fields below
	second  int64      // the one that is counted, as Unix time
	printed map[logPlace]int
}

type logPlace struct {
	level    slog.Level
	location string
}

func newLogLimit(errors, warns int) *logLimit {
	return &logLimit{errors: errors, warns: warns, printed: make(map[logPlace]int)}
}

// admit reports whether a message is within the limit. The last one that is comes
// with a note that the rest of this second is left out.
func (l *logLimit) admit(level slog.Level, location string, at time.Time) (ok bool, note string) {
	limit := 0
	switch level {
	case slog.LevelError:
		limit = l.errors
	case slog.LevelWarn:
		limit = l.warns
	}
	if limit <= 0 {
		return true, ""
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if second := at.Unix(); second != l.second {
		l.second = second
		clear(l.printed)
	}
	place := logPlace{level, location}
	n := l.printed[place] + 1
	if n > limit {
		return false, ""
	}
	l.printed[place] = n
	if n == limit {
		return true, "further messages from here are left out for this second"
	}
	return true, ""
}
