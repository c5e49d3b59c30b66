package remotewrite

import (
	"context"
	"slices"
	"sync"
	"time"
)

// limits are the sizes and times of a queue.
type limits struct {
	shards   int
	rows     int           // that may be queued
	block    int           // rows per block
	interval time.Duration // longest wait for company
	patience time.Duration // how long a row is refused before it may be given up
}

// queue holds the rows that storage has not taken yet. Producers use put and
// flush. The sender of each shard uses next, then settle until the block is
// done, with failed and resume around the pause after a failed attempt. Nothing
// outside knows how rows are kept.
type queue struct {
	// Fixed by newQueue.
	limits  limits
	drop    func(why reason, rows int) // called with mu held
	began   time.Time
	closing chan struct{} // closed by close

	mu      sync.Mutex // guards the fields below
	shards  []shard
	rows    int    // queued, those being sent included
	seq     uint64 // of the latest batch
	putting []*putWaiter
	flushes []*flushWaiter
	closed  bool
	aborted bool
	lost    int // rows discarded since aborted
}

// flushWaiter waits until the batches up to seq are settled.
type flushWaiter struct {
	seq  uint64
	done chan struct{}
}

func newQueue(l limits, drop func(reason, int)) *queue {
	q := &queue{
		limits: l, drop: drop, began: time.Now(),
		closing: make(chan struct{}), shards: make([]shard, l.shards),
	}
	for i := range q.shards {
		q.shards[i].wake = make(chan struct{}, 1)
		q.shards[i].delay = spread(l.interval)
	}
	return q
}

// clock is the monotonic time since the queue began.
func (q *queue) clock() time.Duration { return time.Since(q.began) }

// next waits until shard i has a block that is due, and takes it. It returns
// false when the queue is closed and the shard is empty.
func (q *queue) next(i int) ([]part, bool) {
	timer := time.NewTimer(q.limits.interval)
	defer timer.Stop()
	s := &q.shards[i]
	for {
		block, wait, done := q.look(s)
		switch {
		case len(block) > 0:
			return block, true
		case done:
			return nil, false
		case wait > 0:
			timer.Reset(wait)
			select {
			case <-s.wake:
			case <-timer.C:
			}
		default:
			<-s.wake
		}
	}
}

// look takes the block if it is due, else says how long to wait; 0 is until
// something arrives.
func (q *queue) look(s *shard) (block []part, wait time.Duration, done bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if s.waiting.empty() {
		return nil, 0, q.closed
	}
	if wait := s.dueIn(q.clock(), q.limits.block); wait > 0 && !q.closed {
		return nil, wait, false
	}
	s.take(q.limits.block, q.limits.interval)
	return s.block, 0, false
}

// settle removes the first n rows of the block of shard i, which storage has
// taken or refused, and returns the rest of the block.
func (q *queue) settle(i, n int) []part {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := &q.shards[i]
	s.failing = false
	s.settle(n)
	q.leave(n)
	q.reconsider()
	return s.block
}

// failed hands the block of shard i back for the time until resume: meanwhile it
// may be given up.
func (q *queue) failed(i int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := &q.shards[i]
	s.sending = false
	if !s.failing {
		s.failing, s.failingSince = true, q.clock()
	}
	if q.aborted {
		q.discard(s)
		return
	}
	q.reconsider()
}

// rest waits for d. Close ends the wait, so that a last attempt comes early, but
// not those that begin after it; the end of ctx ends them all.
func (q *queue) rest(ctx context.Context, d time.Duration) {
	closing := q.closing
	select {
	case <-closing:
		closing = nil
	default:
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-closing:
	case <-ctx.Done():
	}
}

// resume takes the block of shard i again. It returns false when it was given up.
func (q *queue) resume(i int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := &q.shards[i]
	s.sending = s.blockRows > 0
	return s.sending
}

// leave counts n rows out and ends the flushes which waited for them.
func (q *queue) leave(n int) {
	q.rows -= n
	if len(q.flushes) == 0 {
		return
	}
	through := q.settledThrough()
	q.flushes = slices.DeleteFunc(q.flushes, func(w *flushWaiter) bool {
		if w.seq > through {
			return false
		}
		close(w.done)
		return true
	})
}

// settledThrough returns the latest batch such that neither it nor any before it
// has rows here.
func (q *queue) settledThrough() uint64 {
	through := q.seq
	for i := range q.shards {
		if p, ok := q.shards[i].oldest(); ok {
			through = min(through, p.seq-1)
		}
	}
	return through
}

// flush waits until no row of the batches put so far is queued, and makes the
// senders hurry. It returns ctx's error if that comes first.
func (q *queue) flush(ctx context.Context) error {
	q.mu.Lock()
	if q.settledThrough() == q.seq {
		q.mu.Unlock()
		return nil
	}
	w := &flushWaiter{seq: q.seq, done: make(chan struct{})}
	q.flushes = append(q.flushes, w)
	q.hurry()
	q.mu.Unlock()
	select {
	case <-w.done:
		return nil
	case <-ctx.Done():
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.flushes = slices.DeleteFunc(q.flushes, func(x *flushWaiter) bool { return x == w })
	return ctx.Err()
}

// hurry makes the senders take what is queued now without waiting for company.
func (q *queue) hurry() {
	for i := range q.shards {
		if s := &q.shards[i]; !s.waiting.empty() && s.flushTo < q.seq {
			s.flushTo = q.seq
			s.signal()
		}
	}
}

// close refuses further batches; the senders go on until the queue is empty.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	q.closed = true
	close(q.closing)
	q.reconsider()
	for i := range q.shards {
		q.shards[i].signal()
	}
}

// abort empties a closed queue but for the blocks being sent, which follow when
// their attempt fails.
func (q *queue) abort() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.aborted = true
	for i := range q.shards {
		q.discard(&q.shards[i])
	}
}

// discard lets go of what a shard of an aborted queue holds.
func (q *queue) discard(s *shard) {
	n := s.waiting.rows
	s.waiting = fifo{}
	if !s.sending {
		n += s.blockRows
		s.settle(s.blockRows)
	}
	if n > 0 {
		q.lost += n
		q.drop(closing, n)
		q.leave(n)
	}
}

// lostRows returns how many rows abort has cost so far.
func (q *queue) lostRows() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.lost
}

// length returns the number of queued rows and the age of the oldest.
func (q *queue) length() (rows int, oldest time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.clock()
	for i := range q.shards {
		if p, ok := q.shards[i].oldest(); ok {
			oldest = max(oldest, now-p.at)
		}
	}
	return q.rows, oldest
}
