package remotewrite

import (
	"context"
	"errors"
	"slices"
)

// errFailing is why a flush ends that does not wait for storage that fails.
var errFailing = errors.New("storage fails")

// settleWaiter waits until the batches up to seq are settled.
type settleWaiter struct {
	seq         uint64
	unlessFails bool // does not wait while storage fails
	done        chan struct{}
	err         error // final once done is closed
}

func (w *settleWaiter) end(err error) {
	w.err = err
	close(w.done)
}

// leave counts n rows out.
func (q *queue) leave(n int) {
	q.rows -= n
	q.release()
}

// release ends the waits that have got what they wait for, or never will.
func (q *queue) release() {
	q.rooms = slices.DeleteFunc(q.rooms, func(w *roomWaiter) bool {
		done := q.stage >= closed || q.hasRoom(w.rows)
		if done {
			close(w.done)
		}
		return done
	})
	if len(q.settling) == 0 {
		return
	}
	through, fails := q.settledThrough(), !q.draining()
	q.settling = slices.DeleteFunc(q.settling, func(w *settleWaiter) bool {
		switch {
		case w.seq <= through:
			w.end(nil)
		case w.unlessFails && fails:
			w.end(errFailing)
		case q.stage == ended:
			w.end(ErrClosed) // it waits for what will not come
		default:
			return false
		}
		return true
	})
}

// settledThrough returns the latest batch such that neither it nor any before it
// has rows that are to be written still.
func (q *queue) settledThrough() uint64 {
	through := q.seq
	if q.returned > 0 {
		through = q.returned - 1
	}
	for i := range q.shards {
		if p, ok := q.shards[i].oldest(); ok {
			through = min(through, p.seq-1)
		}
	}
	return through
}

// settled returns what settledThrough does, under the lock.
func (q *queue) settled() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.settledThrough()
}

// last returns the number of the latest batch.
func (q *queue) last() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.seq
}

// pass makes seq the number of the latest batch, which has no rows.
func (q *queue) pass(seq uint64) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.stage >= closed {
		return ErrClosed
	}
	q.seq = seq
	q.release()
	return nil
}

// flush waits until no row of the batches put so far is queued, and makes the
// senders hurry. It returns ctx's error if that comes first, and, if unlessFails
// is set, errFailing as soon as nothing but failing shards is left.
func (q *queue) flush(ctx context.Context, unlessFails bool) error {
	q.mu.Lock()
	w := &settleWaiter{seq: q.seq, unlessFails: unlessFails}
	q.hurry()
	q.mu.Unlock()
	return q.await(ctx, w)
}

// await waits until w ends.
func (q *queue) await(ctx context.Context, w *settleWaiter) error {
	w.done = make(chan struct{})
	q.mu.Lock()
	q.settling = append(q.settling, w)
	q.release()
	q.mu.Unlock()
	select {
	case <-w.done:
		return w.err
	case <-ctx.Done():
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.settling = slices.DeleteFunc(q.settling, func(x *settleWaiter) bool { return x == w })
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
