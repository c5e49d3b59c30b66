package alertmanager

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// ErrUndelivered is wrapped by the error of a close that had to leave alerts
// behind.
var ErrUndelivered = errors.New("alerts left undelivered")

// Target is one Alertmanager: a mailbox and, between start and close, the loop
// that empties it.
type Target struct {
	// Fixed by NewTargets.
	endpoint endpoint
	shown    string // the address in Status
	client   *http.Client
	timeout  time.Duration
	most     int // alerts per request

	mail   *mailbox // its own, or that of the target it took over from
	health *health

	// Owned by whoever starts and closes the target.
	cancel context.CancelFunc
	done   chan struct{} // closed when the loop has ended; nil before it was started
}

// Status is a target as it is at one moment.
type Status struct {
	Address     string
	Labels      map[string]string // never nil
	LastError   string            // of the last attempt; empty when it went well
	LastSuccess time.Time         // zero before the first
	Queued      int               // alerts whose latest state the peer has not accepted
	Oldest      time.Time         // since when the longest waiting one is queued; zero if none is
}

// Status returns how the target is doing.
func (t *Target) Status() Status {
	lastError, lastSuccess := t.health.report()
	return Status{
		Address: t.shown, Labels: map[string]string{},
		LastError: lastError, LastSuccess: lastSuccess,
		Queued: t.mail.len(), Oldest: t.mail.oldest().Time(),
	}
}

// start begins to empty the mailbox. halt or close ends what it starts.
func (t *Target) start() {
	ctx, cancel := context.WithCancel(context.Background())
	t.cancel, t.done = cancel, make(chan struct{})
	s := sender{target: t, size: newBatchSize(t.most)}
	go func() {
		defer close(t.done)
		s.run(ctx)
	}()
}

// takeOver stops prev and makes its mailbox that of t, which is not started yet.
func (t *Target) takeOver(prev *Target) {
	prev.halt()
	t.mail = prev.mail
	t.mail.resume()
}

// halt stops the loop at once and returns when it has stopped. What the mailbox
// holds, the alerts in flight included, stays there.
func (t *Target) halt() {
	if t.done == nil {
		return
	}
	t.cancel()
	<-t.done
}

// close takes no more alerts, delivers those it has until ctx ends, and returns
// when nothing of it runs any more. The error wraps ErrUndelivered and says how
// many alerts are lost.
func (t *Target) close(ctx context.Context) error {
	t.mail.close()
	if t.done != nil {
		select {
		case <-t.done:
		case <-ctx.Done():
		}
		t.halt()
	}
	if left := t.mail.len(); left > 0 {
		t.mail.metrics.abandoned.Add(left)
		return fmt.Errorf("%s: %d %w", t.endpoint.addr, left, ErrUndelivered)
	}
	return nil
}
