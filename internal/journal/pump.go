package journal

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"tocsin/internal/journal/store"
)

// pump hands results to one target, in the order of commits: from memory as long
// as the target keeps up, else from disk.
type pump struct {
	journal *Journal
	target  Target
	end     context.CancelFunc
	ended   chan struct{}

	// Owned by run.
	unreadable bool // the disk, when it was last read

	mu       sync.Mutex // guards the fields below
	queue    queue
	last     uint64        // the commit on disk that was put last
	number   uint64        // of the batch that was put last
	inFlight []flight      // put but not known to be settled, in order
	changed  chan struct{} // closed, and made anew, when queue changes
}

// flight is a commit on its way.
type flight struct{ number, seq uint64 }

// newPump returns a pump that starts with what is on disk.
func newPump(j *Journal, t Target) *pump {
	p := &pump{journal: j, target: t, changed: make(chan struct{})}
	p.queue.addStored(j.options.Store.Last())
	return p
}

func (p *pump) start() {
	ctx, cancel := context.WithCancel(context.Background())
	p.end, p.ended = cancel, make(chan struct{})
	go func() {
		defer close(p.ended)
		p.run(ctx)
	}()
}

// offer takes the results of a commit, or counts them as lost.
func (p *pump) offer(b parcel) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.queue.add(b) {
		p.journal.counts.lost.Add(len(b.series))
		return
	}
	p.notify()
}

// notify wakes those who wait for a change.
func (p *pump) notify() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// run hands on what is queued until ctx ends.
func (p *pump) run(ctx context.Context) {
	for ctx.Err() == nil {
		p.mu.Lock()
		var next parcel
		idle, changed := p.queue.empty(), p.changed
		if !idle {
			next = p.queue.parcels[0]
		}
		p.mu.Unlock()
		switch {
		case idle:
			select {
			case <-changed:
			case <-ctx.Done():
			}
		case next.stored:
			p.readBack(ctx)
		case p.hand(ctx, next):
			p.mu.Lock()
			p.queue.pop()
			p.notify()
			p.mu.Unlock()
		}
	}
}

// readBack hands on the parcel on disk that is first in the queue. If the disk
// cannot be read, that is tried again later, and nothing that is on it is passed
// over meanwhile.
func (p *pump) readBack(ctx context.Context) {
	reader := p.journal.options.Store.Reader(p.target.Key)
	defer reader.Close()
	for ctx.Err() == nil {
		goal := p.goal()
		rows, err := reader.Next()
		// A closed store keeps what is not settled for the next process.
		end := errors.Is(err, io.EOF) || errors.Is(err, store.ErrClosed)
		if err != nil && !end {
			reader.Close()
			p.rest(ctx, err)
			return
		}
		p.readable()
		switch {
		case end && p.readThrough(goal), !end && p.readThrough(rows.Seq-1):
			return
		case !end:
			p.handBack(ctx, rows)
		}
	}
}

// goal returns up to which commit the first parcel, a stored one, is.
func (p *pump) goal() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.queue.parcels[0].seq
}

// readThrough removes the first parcel, a stored one, if nothing in it is of a
// commit after seq.
func (p *pump) readThrough(seq uint64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.queue.parcels[0].seq > seq {
		return false
	}
	p.queue.pop()
	p.notify()
	return true
}

// rest lets the disk be for a moment after it could not be read. The store passes
// over what it knows to be damaged, so this is about something that may pass, such
// as too many open files. Results in memory do not wait for it.
func (p *pump) rest(ctx context.Context, err error) {
	p.journal.counts.unreadable.Inc()
	if !p.unreadable {
		p.journal.options.Log.Error("results cannot be read back from disk for now", "error", err)
	}
	p.unreadable = true
	timer := time.NewTimer(tidyEvery)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue.postpone()
}

// readable notes that the disk has been read.
func (p *pump) readable() {
	if p.unreadable {
		p.journal.options.Log.Info("results are read back from disk again")
	}
	p.unreadable = false
}

// handBack hands on a commit as it is on disk.
func (p *pump) handBack(ctx context.Context, b store.Batch) {
	p.mu.Lock()
	known := b.Seq <= p.last
	p.mu.Unlock()
	if known {
		return
	}
	series, err := p.journal.options.DecodeRows(b.Rows)
	if err != nil {
		p.journal.options.Log.Error("results on disk are malformed", "error", err)
		p.journal.counts.lost.Add(b.Samples)
		series = nil
	}
	p.journal.counts.readBack.Add(len(series))
	p.hand(ctx, parcel{seq: b.Seq, series: series})
}

// hand puts results into the sink, however long it takes; false if ctx ended.
func (p *pump) hand(ctx context.Context, b parcel) bool {
	for ctx.Err() == nil {
		err := p.target.Sink.Put(ctx, p.number+1, b.series)
		if err == nil {
			p.note(b.seq)
			return true
		}
		if err := p.target.Sink.AwaitRoom(ctx, len(b.series)); err != nil {
			<-ctx.Done() // it was closed
		}
	}
	return false
}

// note keeps which commit was put under the next number.
func (p *pump) note(seq uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.number++
	if seq != 0 {
		p.last = seq
		p.inFlight = append(p.inFlight, flight{p.number, seq})
	}
}

// settle tells the store what the target has settled.
func (p *pump) settle() {
	p.mu.Lock()
	defer p.mu.Unlock()
	through, n := p.target.Sink.SettledThrough(), 0
	for n < len(p.inFlight) && p.inFlight[n].number <= through {
		n++
	}
	if n == 0 {
		return
	}
	p.journal.options.Store.Settle(p.target.Key, p.inFlight[n-1].seq)
	p.inFlight = append(p.inFlight[:0], p.inFlight[n:]...)
}

// idle returns when everything offered has been put.
func (p *pump) idle(ctx context.Context) error {
	return await(ctx, func() (bool, <-chan struct{}) {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.queue.empty(), p.changed
	})
}

// flush returns when everything offered is settled.
func (p *pump) flush(ctx context.Context) error {
	if err := p.idle(ctx); err != nil {
		return err
	}
	return p.target.Sink.Flush(ctx)
}
