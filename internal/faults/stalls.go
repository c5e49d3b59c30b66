package main

import (
	"context"
	"slices"
	"sync"
	"time"

	"tocsin/internal/faults/verdict"
)

// stalls notes when the machine had no time for the harness, and so perhaps none
// for the daemon.
type stalls struct {
	mu      sync.Mutex // guards windows
	windows []verdict.Window
}

const (
	heartbeat = 20 * time.Millisecond
	// tooLong is the time between two beats from which on the machine stood still.
	tooLong = 200 * time.Millisecond
)

// watch notes stalls until ctx is done.
func (s *stalls) watch(ctx context.Context) {
	for last := time.Now(); sleep(ctx, heartbeat); {
		now := time.Now()
		if now.Sub(last) > tooLong {
			s.mu.Lock()
			s.windows = append(s.windows, verdict.Window{From: last, To: now})
			s.mu.Unlock()
		}
		last = now
	}
}

func (s *stalls) seen() []verdict.Window {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.windows)
}
