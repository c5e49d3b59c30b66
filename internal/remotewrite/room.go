package remotewrite

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tocsin/rules"
)

// putWaiter is a batch that waits for room.
type putWaiter struct {
	batch   []rules.Series
	seq     uint64
	split   split
	done    chan struct{} // closed once err is final
	err     error
	decided bool // guarded by the queue's lock
}

func (w *putWaiter) decide(err error) {
	w.err, w.decided = err, true
	close(w.done)
}

// put queues the whole batch, which is not empty, or returns an error. Batches
// are let in in the order in which they came. The number of the batch is seq; 0 is
// the next. It returns how many rows are queued.
func (q *queue) put(ctx context.Context, seq uint64, batch []rules.Series) (queued int, err error) {
	split := splitRows(batch, len(q.shards))
	q.mu.Lock()
	if len(q.putting) == 0 && q.stage == open && q.hasRoom(len(batch)) {
		q.admit(seq, batch, &split)
		queued = q.rows
		q.mu.Unlock()
		return queued, nil
	}
	w := &putWaiter{batch: batch, seq: seq, split: split, done: make(chan struct{})}
	q.putting = append(q.putting, w)
	q.reconsider()
	q.mu.Unlock()
	select {
	case <-w.done:
	case <-ctx.Done():
		q.withdraw(w, ctx.Err())
	}
	if w.err != nil {
		return 0, w.err
	}
	queued, _ = q.length()
	return queued, nil
}

// roomWaiter waits until there is room for rows.
type roomWaiter struct {
	rows int
	done chan struct{}
}

// awaitRoom waits until a batch of n rows would be let in at once. It returns
// ErrClosed after close, and ctx's error if that comes first.
func (q *queue) awaitRoom(ctx context.Context, n int) error {
	q.mu.Lock()
	if q.stage >= closed || q.hasRoom(n) {
		defer q.mu.Unlock()
		return q.openness()
	}
	w := &roomWaiter{rows: n, done: make(chan struct{})}
	q.rooms = append(q.rooms, w)
	q.hurry()
	q.mu.Unlock()
	var cause error
	select {
	case <-w.done:
	case <-ctx.Done():
		cause = ctx.Err()
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.rooms = slices.DeleteFunc(q.rooms, func(x *roomWaiter) bool { return x == w })
	if cause != nil {
		return cause
	}
	return q.openness()
}

// openness returns ErrClosed if the queue takes no batches any more.
func (q *queue) openness() error {
	if q.stage >= closed {
		return ErrClosed
	}
	return nil
}

// withdraw ends the wait of w unless it has been decided.
func (q *queue) withdraw(w *putWaiter, cause error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if w.decided {
		return
	}
	q.putting = slices.DeleteFunc(q.putting, func(x *putWaiter) bool { return x == w })
	w.decide(fmt.Errorf("%w: %w", q.fullError(len(w.batch)), cause))
	q.reconsider()
}

// reconsider decides about the batches that wait, first come first: each is let
// in if there is room, waits on while storage takes samples, and otherwise gets
// the room of rows that may be given up, or is rejected.
func (q *queue) reconsider() {
	for len(q.putting) > 0 {
		w := q.putting[0]
		n := len(w.batch)
		switch {
		case q.stage >= closed:
			w.decide(ErrClosed)
		case q.hasRoom(n):
			q.admit(w.seq, w.batch, &w.split)
			w.decide(nil)
		case q.draining():
			q.hurry()
			return
		case !q.limits.borrowed && q.giveUp(q.excess(n)):
			q.admit(w.seq, w.batch, &w.split)
			w.decide(nil)
		default:
			w.decide(q.fullError(n))
		}
		q.putting = slices.Delete(q.putting, 0, 1)
	}
}

func (q *queue) hasRoom(n int) bool { return q.excess(n) == 0 }

// excess is how many rows must go before n more can be let in.
func (q *queue) excess(n int) int {
	return min(max(q.rows+n-q.limits.rows, 0), q.rows)
}

func (q *queue) fullError(n int) error {
	return fmt.Errorf("%w: %d of at most %d samples are waiting, no room for %d more",
		rules.ErrQueueFull, q.rows, q.limits.rows, n)
}

// admit queues a batch.
func (q *queue) admit(seq uint64, batch []rules.Series, split *split) {
	if seq == 0 {
		seq = q.seq + 1
	}
	q.seq = seq
	q.rows += len(batch)
	now := q.clock()
	for i := range q.shards {
		p, ok := split.part(batch, i)
		if !ok {
			continue
		}
		p.seq, p.at = q.seq, now
		s := &q.shards[i]
		before := s.waiting.rows
		s.waiting.push(p)
		// The sender sleeps through what changes neither when nor whether it is due.
		if before == 0 || before < q.limits.block && s.waiting.rows >= q.limits.block {
			s.signal()
		}
	}
}

// draining reports whether rows can be expected to leave by being written.
func (q *queue) draining() bool {
	for i := range q.shards {
		if s := &q.shards[i]; s.rows() > 0 && !s.failing {
			return true
		}
	}
	return false
}

// failing reports whether there are rows, and none that can be expected to leave.
func (q *queue) failing() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.rows > 0 && !q.draining()
}

// giveUp drops the oldest of those rows which have been refused for as long as
// the queue's patience, until at least need are gone. Unless that is possible it
// drops nothing and returns false. What has been tried already goes as a block.
func (q *queue) giveUp(need int) bool {
	limit := q.clock() - q.limits.patience
	if !q.canGiveUp(need, limit) {
		return false
	}
	gone := 0
	for gone < need {
		s := q.nextToGiveUp(limit)
		if s.blockRows > 0 && !s.sending {
			gone += s.blockRows
			s.settle(s.blockRows)
			continue
		}
		p := s.waiting.pop(need - gone)
		gone += p.len()
	}
	q.drop(givenUp, gone)
	q.leave(gone)
	return true
}

// canGiveUp reports whether at least need rows may be given up.
func (q *queue) canGiveUp(need int, limit time.Duration) bool {
	found := 0
	for i := range q.shards {
		s := &q.shards[i]
		if !s.hopeless(limit) {
			continue
		}
		if s.blockRows > 0 && !s.sending {
			if s.block[0].at > limit {
				continue
			}
			found += s.blockRows
		}
		for _, p := range s.waiting.items[s.waiting.head:] {
			if found >= need || p.at > limit {
				break
			}
			found += p.len()
		}
	}
	return found >= need
}

// nextToGiveUp returns the shard with the oldest rows that may be given up.
func (q *queue) nextToGiveUp(limit time.Duration) *shard {
	var oldest *shard
	var at time.Duration
	for i := range q.shards {
		s := &q.shards[i]
		p, ok := s.oldestIdle()
		if ok && s.hopeless(limit) && p.at <= limit && (oldest == nil || p.at < at) {
			oldest, at = s, p.at
		}
	}
	return oldest
}

// hopeless reports whether storage has been failing the shard since limit or before.
func (s *shard) hopeless(limit time.Duration) bool {
	return s.failing && s.failingSince <= limit
}

// oldestIdle returns the oldest part that is not being sent.
func (s *shard) oldestIdle() (*part, bool) {
	switch {
	case len(s.block) > 0 && !s.sending:
		return &s.block[0], true
	case !s.waiting.empty():
		return s.waiting.front(), true
	}
	return nil, false
}
