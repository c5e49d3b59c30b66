package app

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"tocsin/internal/remotewrite"
	"tocsin/rules"
)

// replaySink writes what a replay comes to, to every target. It has time: it waits
// for targets that are busy or away for a while, rather than drop anything.
type replaySink struct {
	clients  []*remotewrite.Client
	patience time.Duration // with a target that fails

	mu sync.Mutex // held from waiting for room to using it
}

var _ rules.Appender = (*replaySink)(nil)

func newReplaySink(clients []*remotewrite.Client, patience time.Duration) *replaySink {
	return &replaySink{clients: clients, patience: patience}
}

// errStuck is wrapped by the error of a wait for a target that fails for too long.
var errStuck = errors.New("storage takes nothing")

// Append hands batch to all targets, or to none and returns an error.
func (s *replaySink) Append(ctx context.Context, batch []rules.Series) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.clients {
		err := s.await(ctx, c, func(ctx context.Context) error { return c.AwaitRoom(ctx, len(batch)) })
		if err != nil {
			return err
		}
	}
	for _, c := range s.clients {
		if err := c.Append(ctx, batch); err != nil {
			return err // it is closed, as there was room
		}
	}
	return nil
}

// Flush returns when all targets have accepted or refused what was appended.
func (s *replaySink) Flush(ctx context.Context) error {
	for _, c := range s.clients {
		if err := s.await(ctx, c, c.Flush); err != nil {
			return err
		}
	}
	return nil
}

// await calls wait, which waits for c, until it has got what it waits for, ctx
// ends, or c has failed for too long without anything being accepted.
func (s *replaySink) await(ctx context.Context, c *remotewrite.Client, wait func(context.Context) error) error {
	look := min(time.Second, max(s.patience, time.Millisecond))
	settled, since := c.SettledThrough(), time.Now()
	for {
		limited, cancel := context.WithTimeout(ctx, look)
		err := wait(limited)
		cancel()
		if err == nil || ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		through := c.SettledThrough()
		switch {
		case through > settled || !c.Failing():
			settled, since = through, time.Now()
		case time.Since(since) >= s.patience:
			return fmt.Errorf("%w for %s", errStuck, time.Since(since).Round(time.Second))
		}
	}
}
