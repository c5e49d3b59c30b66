package remotewrite

import (
	"context"
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
	borrowed bool          // the rows are kept elsewhere: none is given up, and what is left at the end is let go
}

// queue holds the rows that storage has not taken yet. Producers use put, flush and
// awaitRoom. The sender of each shard uses next, then settle until the block is done,
// with failed and resume around the pause after a failed attempt. Nothing outside
// knows how rows are kept.
type queue struct {
	// Fixed before it is used: by newQueue, and by Set.Borrow.
	limits  limits
	drop    func(why reason, rows int) // called with mu held
	began   time.Time
	closing chan struct{} // closed by close

	mu       sync.Mutex // guards the fields below
	shards   []shard
	rows     int    // queued, those being sent included
	seq      uint64 // of the latest batch
	returned uint64 // the earliest batch of which borrowed rows were let go; 0 if there is none
	putting  []*putWaiter
	rooms    []*roomWaiter
	settling []*settleWaiter
	stage    stage
	lost     int // rows discarded since aborted
}

// stage is how far a queue has come towards its end.
type stage int

const (
	open    stage = iota
	closed        // takes no batches
	aborted       // has let go of all but the blocks being sent
	ended         // has no senders
)

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
		return nil, 0, q.stage >= closed
	}
	if wait := s.dueIn(q.clock(), q.limits.block); wait > 0 && q.stage == open {
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
// may be given up. It returns false when it is given up already.
func (q *queue) failed(i int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := &q.shards[i]
	s.sending = false
	if !s.failing {
		s.failing, s.failingSince = true, q.clock()
	}
	if q.stage >= aborted || q.stage >= closed && q.limits.borrowed {
		q.discard(s)
		return false
	}
	q.reconsider()
	q.release()
	return true
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

// close refuses further batches; the senders go on until the queue is empty.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.stage >= closed {
		return
	}
	q.stage = closed
	close(q.closing)
	q.reconsider()
	q.release()
	for i := range q.shards {
		q.shards[i].signal()
	}
}

// abort empties a closed queue but for the blocks being sent, which follow when
// their attempt fails.
func (q *queue) abort() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.stage = aborted
	for i := range q.shards {
		q.discard(&q.shards[i])
	}
}

// end is called once no sender is left.
func (q *queue) end() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.stage = ended
	q.release()
}

// discard lets go of what a shard of a closed queue holds.
func (q *queue) discard(s *shard) {
	first, ok := s.oldestIdle()
	if !ok {
		return
	}
	if q.limits.borrowed && (q.returned == 0 || first.seq < q.returned) {
		q.returned = first.seq
	}
	n := s.waiting.rows
	s.waiting = fifo{}
	if !s.sending {
		n += s.blockRows
		s.settle(s.blockRows)
	}
	if !q.limits.borrowed {
		q.lost += n
		q.drop(closing, n)
	}
	q.leave(n)
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
