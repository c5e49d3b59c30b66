package main

import (
	"bytes"
	"strings"
	"sync"
)

// logbook takes the log of a daemon, finds lines in it as they are written and
// keeps the last ones. It is safe for concurrent use.
type logbook struct {
	mu      sync.Mutex
	rest    []byte // of a line that is not complete
	last    []string
	texts   []string // that somebody waits for
	waiting chan string
}

// keptLines is how many lines a logbook keeps.
const keptLines = 20

// await returns a channel that gets the next line in which one of the texts
// occurs. Who waited before does not any more.
func (l *logbook) await(texts ...string) <-chan string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.texts, l.waiting = texts, make(chan string, 1)
	return l.waiting
}

// Write takes a piece of the log. It never fails.
func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest = append(l.rest, p...)
	for {
		line, rest, complete := bytes.Cut(l.rest, []byte("\n"))
		if !complete {
			return len(p), nil
		}
		l.take(string(line))
		l.rest = rest
	}
}

// take takes a whole line; mu must be held.
func (l *logbook) take(line string) {
	if len(l.last) == keptLines {
		l.last = append(l.last[:0], l.last[1:]...)
	}
	l.last = append(l.last, line)
	if l.waiting == nil {
		return
	}
	for _, text := range l.texts {
		if strings.Contains(line, text) {
			l.waiting <- line
			l.waiting = nil
			return
		}
	}
}

// end returns the last lines.
func (l *logbook) end() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.last, "\n")
}
