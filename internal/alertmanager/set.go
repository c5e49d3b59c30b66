// Package alertmanager delivers alerts to Alertmanagers.
//
// A Set hands every alert to each of its targets. A Target owns a mailbox, which
// holds the latest unsent state of each alert, and one loop that posts them in
// batches and tries again until the peer has accepted. So a slow or dead peer
// delays neither the evaluation of rules nor the other peers, costs memory in
// proportion to the number of distinct alerts only, and learns, when it is back,
// how every alert is now rather than how it came to be.
package alertmanager

import (
	"context"
	"errors"
	"io"
	"slices"
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
	shown      *metrics.Set // where the metrics of the targets are shown
	own        *metrics.Set
	untargeted *metrics.Counter

	targets atomic.Pointer[[]*Target] // in the order to show; never nil
	closed  atomic.Bool               // no more alerts

	mu sync.Mutex // held by whoever starts and ends targets
}

// NewSet returns a Set of targets that shows their metrics in m. It starts
// nothing; alerts are taken, and wait for Start.
func NewSet(m *metrics.Set, targets []*Target) *Set {
	s := &Set{shown: m, own: metrics.NewSet()}
	s.untargeted = s.own.NewCounter("tocsin_notifier_untargeted_total")
	s.store(targets)
	return s
}

// Start starts a loop for each target and shows the metrics. It is called once;
// Close ends what it starts.
func (s *Set) Start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shown.RegisterMetricsWriter(s.writeMetrics)
	for _, t := range s.list() {
		t.start()
	}
}

// Notify puts the alerts of n into the mailbox of every target. It never waits
// for the network. It keeps the headers and strings of n, not the slice of alerts,
// which the caller may use again. The only error is
// ErrClosed.
func (s *Set) Notify(n rules.Notification) error {
	if s.closed.Load() {
		return ErrClosed
	}
	if len(n.Alerts) == 0 {
		return nil
	}
	targets := s.list()
	if len(targets) == 0 {
		s.untargeted.Add(len(n.Alerts))
		return nil
	}
	now := time.Now()
	for _, t := range targets {
		if !t.mail.put(n.Headers, n.Alerts, now) && s.closed.Load() {
			return ErrClosed
		}
	}
	return nil
}

// Undelivered reports whether some target has not accepted the latest state of
// the alert with these labels.
func (s *Set) Undelivered(l labels.Labels) bool {
	for _, t := range s.list() {
		if t.mail.holds(l) {
			return true
		}
	}
	return false
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

// Replace makes next the targets of a started Set. Those it had already go on
// untouched. A new one at the address of one that goes takes over its mailbox, so
// that nothing is lost when only the connection's settings change. The others
// that go are drained until ctx ends, and cannot be used again; the error joins
// what they left undelivered. After Close it is ErrClosed and nothing happens.
func (s *Set) Replace(ctx context.Context, next []*Target) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed.Load() {
		return ErrClosed
	}
	var added, gone []*Target
	prev := s.list()
	for _, t := range prev {
		if !slices.Contains(next, t) {
			gone = append(gone, t)
		}
	}
	for _, t := range next {
		if slices.Contains(prev, t) {
			continue
		}
		added = append(added, t)
		i := slices.IndexFunc(gone, func(o *Target) bool { return o.endpoint.addr == t.endpoint.addr })
		if i >= 0 {
			t.takeOver(gone[i])
			gone = slices.Delete(gone, i, i+1)
		}
	}
	s.store(next)
	for _, t := range added {
		t.start()
	}
	return closeAll(ctx, gone)
}

// Close takes no more alerts, delivers those it has until ctx ends, and returns
// when nothing runs any more. The error joins, for each target that was left with
// alerts, one that wraps ErrUndelivered.
func (s *Set) Close(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed.Store(true)
	err := closeAll(ctx, s.list())
	s.store(nil)
	return err
}

// closeAll closes the targets side by side: a dead one must not use up the time
// of the others.
func closeAll(ctx context.Context, targets []*Target) error {
	errs := make([]error, len(targets))
	var wg sync.WaitGroup
	for i, t := range targets {
		wg.Go(func() { errs[i] = t.close(ctx) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (s *Set) list() []*Target { return *s.targets.Load() }

func (s *Set) store(targets []*Target) {
	list := slices.Clone(targets)
	s.targets.Store(&list)
}

func (s *Set) writeMetrics(w io.Writer) {
	s.own.WritePrometheus(w)
	for _, t := range s.list() {
		t.mail.metrics.set.WritePrometheus(w)
	}
}
