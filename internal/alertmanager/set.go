// Package alertmanager delivers alerts to Alertmanagers.
//
// A Set hands every alert to each of its targets. A Target owns a mailbox, which
// holds the latest unsent state of each alert, and one loop that posts them in
// batches and tries again until the peer has accepted. So a slow or dead peer
// delays neither the evaluation of rules nor the other peers, costs memory in
// proportion to the number of distinct alerts only, and learns, when it is back,
// how every alert is now rather than how it came to be. While there is no target
// at all, alerts wait in the same way for one to come.
package alertmanager

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/prometheus/prometheus/model/labels"

	"tocsin/rules"
)

// ErrClosed is returned by Notify after Close.
var ErrClosed = errors.New("notifier is closed")

var _ rules.Notifier = (*Set)(nil)

// Set is the Alertmanagers that are told of alerts. It may be used from many
// goroutines.
type Set struct {
	// Fixed by NewSet.
	options Options
	shown   *metrics.Set // where the metrics of the targets are shown
	counts  setCounts
	waiting *mailbox    // without a loop: alerts for which there is no target
	starved atomic.Bool // there are such

	turn     sync.Mutex // held by whoever starts and ends targets; guards the fields below
	started  bool
	repeated map[string]bool // addresses that were given more than once the last time

	mu      sync.RWMutex // guards the fields below; held while alerts are put
	targets []*Target    // in the order to show; replaced, never changed
	closed  bool         // no more alerts
}

// NewSet returns a Set without targets that shows its metrics in m. It starts
// nothing; alerts are taken, and wait.
func NewSet(o Options, m *metrics.Set) *Set {
	s := &Set{options: o, shown: m, counts: newSetCounts(), waiting: newMailbox("", math.MaxInt)}
	if o.MaxAge > 0 {
		s.waiting.queue.retention = o.MaxAge
	}
	s.waiting.metrics.deadFiring, s.waiting.metrics.deadResolved = s.counts.expired, s.counts.expired
	s.counts.observe(func() int { return len(s.list()) }, s.waiting.len)
	return s
}

// Start starts a loop for each target, and for those that come, and shows the
// metrics. It is called once; Close ends what it starts.
func (s *Set) Start() {
	s.turn.Lock()
	defer s.turn.Unlock()
	s.started = true
	s.shown.RegisterMetricsWriter(s.writeMetrics)
	for _, t := range s.list() {
		t.start()
	}
}

// Notify puts the alerts of n into the mailbox of every target. It never waits
// for the network. It keeps the headers and strings of n, not the slice of alerts,
// which the caller may use again. The only error is ErrClosed.
func (s *Set) Notify(n rules.Notification) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return ErrClosed
	}
	if len(n.Alerts) == 0 {
		return nil
	}
	now := time.Now()
	if len(s.targets) == 0 {
		s.await(n, now)
		return nil
	}
	for _, t := range s.targets {
		t.mail.put(n.Headers, n.Alerts, now)
	}
	return nil
}

// await keeps alerts until there is a target.
func (s *Set) await(n rules.Notification, now time.Time) {
	s.counts.untargeted.Add(len(n.Alerts))
	s.waiting.sweep(now)
	s.waiting.put(n.Headers, n.Alerts, now)
	if s.starved.CompareAndSwap(false, true) {
		s.options.Log.Error("there is no alertmanager to tell of alerts, they wait until one is found")
	}
}

// Undelivered reports whether some target has not accepted the latest state of
// the alert with these labels, or it waits for a target.
func (s *Set) Undelivered(l labels.Labels) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, t := range s.targets {
		if t.mail.holds(l) {
			return true
		}
	}
	return s.waiting.holds(l)
}

// Targets returns how each target is doing, in order.
func (s *Set) Targets() []Status {
	targets := s.list()
	all := make([]Status, len(targets))
	for i, t := range targets {
		all[i] = t.Status()
	}
	return all
}

// Waiting returns how many alerts wait for a target to be found.
func (s *Set) Waiting() int { return s.waiting.len() }

// Close takes no more alerts, delivers those it has until ctx ends, and returns
// when nothing runs any more. The error joins, for each target that was left with
// alerts, one that wraps ErrUndelivered.
func (s *Set) Close(ctx context.Context) error {
	s.turn.Lock()
	defer s.turn.Unlock()
	s.mu.Lock()
	targets := s.targets
	s.closed = true
	s.mu.Unlock()
	var errs []error
	for i, left := range closeAll(ctx, targets) {
		if left > 0 {
			targets[i].mail.metrics.abandoned.Add(left)
			errs = append(errs, targets[i].undelivered(left))
		}
	}
	if left := s.waiting.len(); left > 0 {
		errs = append(errs, fmt.Errorf("no alertmanager was found: %d %w", left, ErrUndelivered))
	}
	s.mu.Lock()
	s.targets = nil
	s.mu.Unlock()
	return errors.Join(errs...)
}

// closeAll closes the targets side by side: a dead one must not use up the time
// of the others. It returns how many alerts each was left with.
func closeAll(ctx context.Context, targets []*Target) (left []int) {
	left = make([]int, len(targets))
	var wg sync.WaitGroup
	for i, t := range targets {
		wg.Go(func() { left[i] = t.close(ctx) })
	}
	wg.Wait()
	return left
}

func (s *Set) list() []*Target {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.targets
}

func (s *Set) writeMetrics(w io.Writer) {
	s.counts.set.WritePrometheus(w)
	for _, t := range s.list() {
		t.mail.metrics.set.WritePrometheus(w)
	}
}
