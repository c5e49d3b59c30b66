// Package journal makes what rule groups come to durable before anybody is told
// of it.
//
// Groups hand over records. Those of a fraction of a second are committed
// together: the memory of the groups, the results that are to be written and the
// alerts that have ended, all of it or nothing. Only then alerts go to the
// notifier and results to the remote-write targets. After a crash the groups go
// on from the last commit, results that a target had not settled are read back
// and written again, as they were, and ends of alerts are told again. That an
// alert fires needs no record of its own: it is part of its group's memory.
//
// When the disk fails, everything goes on from memory, and whatever comes after
// it has recovered is durable again.
package journal

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/prometheus/prometheus/model/labels"

	"tocsin/internal/journal/store"
	"tocsin/rules"
)

// ErrClosed is returned by Keep after Close.
var ErrClosed = errors.New("journal is closed")

const (
	// gatherFor is how long a record waits for others to be committed with: disks
	// take far longer for a commit than for what is in it.
	gatherFor = 200 * time.Millisecond
	// tidyEvery is the pause between looks at what was delivered meanwhile.
	tidyEvery = time.Second
	// hangAfter is how long the disk may take for a commit before nothing waits for
	// it any more: whoever is to be woken has waited as long.
	hangAfter = 5 * time.Second
	// maxWaiting bounds what may wait for a disk that hangs, in bytes of states,
	// samples and alerts together.
	maxWaiting  = 32 << 20
	sampleBytes = 100 // of a sample or an alert, about
)

// Options is what a Journal is made of.
type Options struct {
	Store    *store.Store
	Notifier Notifier
	Targets  []Target // who results are written to
	// EncodeRows appends samples to dst in a form that DecodeRows reads.
	EncodeRows func(dst []byte, samples []rules.Series) []byte
	DecodeRows func(rows []byte) ([]rules.Series, error)

	Metrics *metrics.Set
	Log     *slog.Logger
}

// Notifier is who is told of alerts.
type Notifier interface {
	rules.Notifier
	// Undelivered reports whether somebody has yet to accept the state of the
	// alert with these labels that was notified last.
	Undelivered(l labels.Labels) bool
}

// Target is a remote-write target.
type Target struct {
	Key  string // the same in every process
	Sink Sink
}

// Sink writes samples.
type Sink interface {
	// Put queues batch under a number that grows from call to call. With an error
	// it has not. The caller must not change batch afterwards.
	Put(ctx context.Context, number uint64, batch []rules.Series) error
	// AwaitRoom returns when there is room for n samples, or ctx's error.
	AwaitRoom(ctx context.Context, n int) error
	// SettledThrough returns the number through which all batches are accepted, or
	// finally refused.
	SettledThrough() uint64
	// Flush returns when everything put before the call is settled, or ctx's error.
	Flush(ctx context.Context) error
	// Failing reports whether the last attempt to write failed.
	Failing() bool
}

// Journal is a rules.Journal. It may be used from many goroutines.
type Journal struct {
	// Fixed by New.
	options Options
	pumps   []*pump
	counts  counts

	mu      sync.Mutex // guards the fields below
	waiting waiting
	owed    debt // what the disk could not take yet; it has been handed on
	around  bool // the disk hangs: nothing waits until the commit under way ends
	outbox  *outbox
	kept    uint64        // records taken
	told    uint64        // of these, handed on
	changed chan struct{} // closed, and made anew, when told grows
	closed  bool

	wake  chan struct{} // holds one token when the loop should look
	hurry chan struct{} // holds one token when it should not wait for company
	done  chan struct{} // closed when the loop has ended; nil before Start
}

var _ rules.Journal = (*Journal)(nil)

// New returns a Journal that takes records and commits none before Start.
func New(o Options) *Journal {
	j := &Journal{
		options: o, counts: newCounts(o.Metrics), outbox: newOutbox(),
		changed: make(chan struct{}), wake: make(chan struct{}, 1), hurry: make(chan struct{}, 1),
	}
	for _, t := range o.Targets {
		j.pumps = append(j.pumps, newPump(j, t))
	}
	return j
}

// Start begins to commit, and to write what former processes left unwritten.
// Close ends what it starts.
func (j *Journal) Start() {
	j.done = make(chan struct{})
	for _, p := range j.pumps {
		p.start()
	}
	go func() {
		defer close(j.done)
		j.run()
	}()
}

// Keep implements rules.Journal. When the disk has taken nothing by the end of
// ctx, r is handed on without it, after all that waits, and counted; the disk gets
// it when it works again. The error is ErrClosed.
func (j *Journal) Keep(ctx context.Context, r rules.Record) error {
	for late := false; ; {
		full, err := j.take(r, late)
		if full == nil {
			return err
		}
		select {
		case <-full:
		case <-ctx.Done():
			late = true
		}
	}
}

// take has r wait for a commit, or goes around the disk with it if that hangs. If
// there is no room, and it is not late, it returns what is closed when there may be.
func (j *Journal) take(r rules.Record, late bool) (full <-chan struct{}, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	fits := j.waiting.fits(&r)
	switch {
	case j.closed:
		return nil, ErrClosed
	case !fits && !late && !j.around:
		return j.changed, nil
	}
	j.waiting.add(r)
	j.kept++
	if j.around || !fits {
		j.goAround()
	}
	signal(j.wake)
	return nil, nil
}

// Flush implements rules.Journal. It does not wait for targets that fail, unless
// all of them do.
func (j *Journal) Flush(ctx context.Context) error {
	j.mu.Lock()
	goal := j.kept
	j.mu.Unlock()
	signal(j.hurry)
	if err := j.awaitTold(ctx, goal); err != nil {
		return err
	}
	working := slices.DeleteFunc(slices.Clone(j.pumps), func(p *pump) bool { return p.target.Sink.Failing() })
	if len(working) == 0 {
		working = j.pumps
	}
	for _, p := range working {
		if err := p.flush(ctx); err != nil {
			return err
		}
	}
	return nil
}

// awaitTold returns when the records up to number goal have been handed on.
func (j *Journal) awaitTold(ctx context.Context, goal uint64) error {
	return await(ctx, func() (bool, <-chan struct{}) {
		j.mu.Lock()
		defer j.mu.Unlock()
		return j.told >= goal, j.changed
	})
}

// await returns when look reports that what is waited for has come, or ctx's error
// if it ends first. It looks again when the channel that look returned is closed.
func await(ctx context.Context, look func() (come bool, changed <-chan struct{})) error {
	for {
		come, changed := look()
		if come {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// endWithin is how long Close waits for what ends at once unless the disk hangs.
const endWithin = 5 * time.Second

// Close takes no more records, commits those it has, hands them on as long as ctx
// allows, and ends. What targets have not settled by then stays in the store;
// Settle has to be called once more when they have been closed. If the disk hangs,
// alerts are told nevertheless, and Close leaves alone what has not ended some
// seconds after ctx; the error says what that is.
func (j *Journal) Close(ctx context.Context) error {
	j.mu.Lock()
	j.closed = true
	j.mu.Unlock()
	signal(j.wake)
	signal(j.hurry)
	return errors.Join(j.endLoop(ctx), j.endPumps(ctx))
}

// endLoop returns when the last commit has ended, or endWithin after ctx.
func (j *Journal) endLoop(ctx context.Context) error {
	limit, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(endWithin, cancel) })()
	if ended(limit, j.done) {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.goAround()
	return errors.New("a commit does not end: what came since it began may not be on disk")
}

// endPumps returns when results have been put, or ctx has ended, and nothing runs
// any more, or endWithin after that.
func (j *Journal) endPumps(ctx context.Context) error {
	for _, p := range j.pumps {
		_ = p.idle(ctx) // what is left is on disk
		p.end()
	}
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), endWithin)
	defer cancel()
	for _, p := range j.pumps {
		if !ended(limit, p.ended) {
			return errors.New("reading results back from disk does not end")
		}
	}
	return nil
}

// ended reports whether done was closed when ctx ended, or before.
func ended(ctx context.Context, done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	case <-ctx.Done():
	}
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// Settle tells the store what the targets have settled.
func (j *Journal) Settle() {
	for _, p := range j.pumps {
		p.settle()
	}
}

// signal leaves a token in c unless there is one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
