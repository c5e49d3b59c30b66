package httpx

import "context"

// turn is had by one at a time, as a mutex is, but waiting for it can end early.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

// take waits for the turn. It returns ctx's error if that comes first.
func (t turn) take(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	default: // only who waits makes ctx allocate its channel
	}
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t turn) give() { <-t }
