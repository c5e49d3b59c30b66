package alertmanager

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/prometheus/model/labels"
)

// ErrUndelivered is wrapped by the error of a close that had to leave alerts
// behind.
var ErrUndelivered = errors.New("alerts left undelivered")

// Target is one Alertmanager: a mailbox and, between start and close, the loop
// that empties it.
type Target struct {
	// Fixed by newTarget.
	endpoint endpoint
	shown    string // the address in Status
	client   *http.Client
	timeout  time.Duration
	most     int // alerts per request

	// Its own, or those of the target it took over from.
	mail   *mailbox
	health *health

	identities *identities // owned by the loop while it runs

	// Owned by whoever starts and closes the target.
	cancel context.CancelFunc
	done   chan struct{} // closed when the loop has ended; nil before it was started
}

// Status is a target as it is at one moment.
type Status struct {
	Kind        string // as in its Endpoint
	Address     string
	Labels      labels.Labels
	LastError   string    // of the last attempt; empty when it went well
	LastSuccess time.Time // zero before the first
	Queued      int       // alerts whose latest state the peer has not accepted
	Oldest      time.Time // since when the longest waiting one is queued; zero if none is
}

func newTarget(o *Options, e endpoint) *Target {
	t := &Target{
		endpoint: e, shown: e.addr,
		client:  &http.Client{Transport: e.Transport, CheckRedirect: sameHost},
		timeout: e.SendTimeout, most: o.MaxBatchSize,
		health:     &health{addr: e.addr, log: o.Log},
		identities: newIdentities(e.Relabeling),
	}
	if o.ShowURL {
		t.shown = e.url
	}
	if t.timeout <= 0 {
		t.timeout = defaultSendTimeout
	}
	if t.most <= 0 {
		t.most = defaultBatchSize
	}
	t.mail = newMailbox(e.addr, t.most)
	if o.MaxAge > 0 {
		t.mail.queue.retention = o.MaxAge
	}
	return t
}

// Status returns how the target is doing.
func (t *Target) Status() Status {
	lastError, lastSuccess := t.health.report()
	return Status{
		Kind: t.endpoint.Kind, Address: t.shown, Labels: t.endpoint.Labels,
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

// takeOver stops prev and goes on in its place: with its mailbox, its health, and
// what the peer knows. It is called before start.
func (t *Target) takeOver(prev *Target) {
	prev.halt()
	t.mail, t.health, t.identities = prev.mail, prev.health, prev.identities
	if t.endpoint.Relabeling != prev.endpoint.Relabeling {
		t.identities.change(t.endpoint.Relabeling)
	}
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
// how many it could not deliver when nothing of it runs any more.
func (t *Target) close(ctx context.Context) (left int) {
	t.mail.close()
	if t.done != nil {
		select {
		case <-t.done:
		case <-ctx.Done():
		}
		t.halt()
	}
	return t.mail.len()
}

// undelivered is the error of a target that was closed with alerts left.
func (t *Target) undelivered(left int) error {
	return fmt.Errorf("%s: %d %w", t.endpoint.addr, left, ErrUndelivered)
}
