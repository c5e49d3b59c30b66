package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is how long a test waits for what must happen. It is never reached
// unless the test fails.
const patience = time.Minute

// logBook keeps what is logged, as lines of JSON.
type logBook struct {
	mu      sync.Mutex
	lines   []string
	changed chan struct{} // closed and replaced with every line
}

func newLogBook() *logBook { return &logBook{changed: make(chan struct{})} }

func (b *logBook) logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(b, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// Write takes one record.
func (b *logBook) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines = append(b.lines, string(bytes.TrimSpace(line)))
	close(b.changed)
	b.changed = make(chan struct{})
	return len(line), nil
}

// String returns everything that was logged.
func (b *logBook) String() string {
	lines, _ := b.snapshot()
	return strings.Join(lines, "\n")
}

func (b *logBook) snapshot() ([]string, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.lines[:len(b.lines):len(b.lines)], b.changed
}

// records returns the records with the given message.
func (b *logBook) records(message string) []map[string]any {
	lines, _ := b.snapshot()
	var found []map[string]any
	for _, line := range lines {
		var r map[string]any
		if json.Unmarshal([]byte(line), &r) == nil && r["msg"] == message {
			found = append(found, r)
		}
	}
	return found
}

// await waits for record number n, from 1, of the given message.
func (b *logBook) await(t *testing.T, message string, n int, ended <-chan struct{}) map[string]any {
	t.Helper()
	timeout := time.After(patience)
	for {
		_, changed := b.snapshot()
		if found := b.records(message); len(found) >= n {
			return found[n-1]
		}
		select {
		case <-changed:
		case <-ended:
			t.Fatalf("the daemon ended before it logged %q; the log:\n%s", message, b)
		case <-timeout:
			t.Fatalf("%q was not logged %d times; the log:\n%s", message, n, b)
		}
	}
}

// attr returns an attribute of a record as text.
func attr(r map[string]any, name string) string { return fmt.Sprint(r[name]) }
