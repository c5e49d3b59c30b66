package journal

import (
	"context"
	"errors"
	"io"
	"sync"

	"tocsin/rules"
)

// maxFresh is how many samples a target may lag behind before they are dropped
// from memory and read back from disk later.
const maxFresh = 100_000

// rowBatch is the results of one commit.
type rowBatch struct {
	seq    uint64 // 0 if they are not on disk
	series []rules.Series
}

// pump hands results to one target, in the order of commits: from memory as long
// as the target keeps up, else from disk.
type pump struct {
	journal *Journal
	target  Target
	end     context.CancelFunc
	ended   chan struct{}

	mu    sync.Mutex // guards the fields below
	fresh []rowBatch // to be put, in order; what is on disk only comes after them
	rows  int        // of fresh
	// behind: there may be results on disk that are neither put nor in fresh.
	behind bool
	// skipped: such results were offered since the disk was last looked at.
	skipped  bool
	lacks    bool          // results were not taken into fresh that the next commit has on disk
	last     uint64        // the commit on disk that was put last
	number   uint64        // of the batch that was put last
	inFlight []flight      // put but not known to be settled, in order
	changed  chan struct{} // closed, and made anew, when fresh or behind change
}

// flight is a commit on its way.
type flight struct{ number, seq uint64 }

// newPump returns a pump that starts with what is on disk.
func newPump(j *Journal, t Target) *pump {
	return &pump{journal: j, target: t, behind: true, changed: make(chan struct{})}
}

func (p *pump) start() {
	ctx, cancel := context.WithCancel(context.Background())
	p.end, p.ended = cancel, make(chan struct{})
	go func() {
		defer close(p.ended)
		p.run(ctx)
	}()
}

// offer takes the results of a commit.
func (p *pump) offer(b rowBatch) {
	p.mu.Lock()
	defer p.mu.Unlock()
	full := len(p.fresh) > 0 && p.rows+len(b.series) > maxFresh
	switch {
	case b.seq == 0 && full:
		p.lacks = true // it is owed to the disk, and comes from there
		return
	case b.seq != 0 && (p.behind || p.lacks || full):
		p.behind, p.skipped, p.lacks = true, true, false
	default:
		p.fresh = append(p.fresh, b)
		p.rows += len(b.series)
	}
	p.notify()
}

// notify wakes those who wait for a change.
func (p *pump) notify() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// run hands on results until ctx ends: those in memory, else those on disk.
func (p *pump) run(ctx context.Context) {
	for ctx.Err() == nil {
		p.mu.Lock()
		var next rowBatch
		fresh, behind, changed := len(p.fresh) > 0, p.behind, p.changed
		if fresh {
			next = p.fresh[0]
		}
		p.mu.Unlock()
		switch {
		case fresh:
			if p.hand(ctx, next) {
				p.pop()
			}
		case behind:
			p.readBack(ctx)
		default:
			select {
			case <-changed:
			case <-ctx.Done():
			}
		}
	}
}

// pop removes the first of fresh, which has been put.
func (p *pump) pop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rows -= len(p.fresh[0].series)
	p.fresh[0] = rowBatch{}
	p.fresh = p.fresh[1:]
	if len(p.fresh) == 0 {
		p.fresh = nil
	}
	p.notify()
}

// readBack hands on what is on disk, until there is nothing more.
func (p *pump) readBack(ctx context.Context) {
	reader := p.journal.options.Store.Reader(p.target.Key)
	defer reader.Close()
	for ctx.Err() == nil {
		p.mu.Lock()
		p.skipped = false
		p.mu.Unlock()
		rows, err := reader.Next()
		switch {
		case err == nil:
			p.handBack(ctx, rows.Seq, rows.Rows, rows.Samples)
			continue
		case !errors.Is(err, io.EOF):
			p.journal.options.Log.Error("results cannot be read back from disk", "error", err)
			p.journal.counts.unreadable.Inc()
		}
		if p.caughtUp(err) {
			return
		}
	}
}

// caughtUp ends the reading from disk after err, unless it was the end and there
// is more by now.
func (p *pump) caughtUp(err error) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.skipped && errors.Is(err, io.EOF) {
		return false
	}
	p.behind = false
	p.notify()
	return true
}

// handBack hands on a commit as it is on disk.
func (p *pump) handBack(ctx context.Context, seq uint64, rows []byte, samples int) {
	p.mu.Lock()
	known := seq <= p.last
	p.mu.Unlock()
	if known {
		return
	}
	series, err := p.journal.options.DecodeRows(rows)
	if err != nil {
		p.journal.options.Log.Error("results on disk are malformed", "error", err)
		p.journal.counts.lost.Add(samples)
		series = nil
	}
	p.journal.counts.readBack.Add(len(series))
	p.hand(ctx, rowBatch{seq: seq, series: series})
}

// hand puts results into the sink, however long it takes; false if ctx ended.
func (p *pump) hand(ctx context.Context, b rowBatch) bool {
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
		return len(p.fresh) == 0 && !p.behind, p.changed
	})
}

// flush returns when everything offered is settled.
func (p *pump) flush(ctx context.Context) error {
	if err := p.idle(ctx); err != nil {
		return err
	}
	return p.target.Sink.Flush(ctx)
}

// close hands on what there is as long as ctx allows, and ends. What is left is
// on disk.
func (p *pump) close(ctx context.Context) {
	_ = p.idle(ctx)
	p.end()
	<-p.ended
}
