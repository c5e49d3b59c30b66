package remotewrite

import (
	"math/rand/v2"
	"time"
)

// shard is the rows of those series whose labels hash to it. It is guarded by
// the lock of its queue, but for wake.
type shard struct {
	waiting fifo

	// block is what the sender took and has not settled yet. While sending is
	// set only the sender may read it and nothing may change it; between two
	// attempts it can be given up.
	block     []part
	blockRows int
	sending   bool
	buffer    []part // what block was built in

	failing      bool          // the last attempt failed
	failingSince time.Duration // by the queue's clock, while failing

	flushTo uint64        // rows of up to this Append are to be sent at once
	delay   time.Duration // how long the next block may wait for company
	wake    chan struct{} // tells the sender to look again
}

func (s *shard) rows() int { return s.waiting.rows + s.blockRows }

// signal wakes the sender, or lets its next wait end at once.
func (s *shard) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// oldest returns the part that has been here longest.
func (s *shard) oldest() (*part, bool) {
	switch {
	case len(s.block) > 0:
		return &s.block[0], true
	case !s.waiting.empty():
		return s.waiting.front(), true
	}
	return nil, false
}

// dueIn returns how long the waiting rows, of which there are some, are to wait
// for company still.
func (s *shard) dueIn(now time.Duration, limit int) time.Duration {
	front := s.waiting.front()
	if s.waiting.rows >= limit || s.flushTo >= front.seq {
		return 0
	}
	return max(front.at+s.delay-now, 0)
}

// take makes at most limit waiting rows the block.
func (s *shard) take(limit int, interval time.Duration) {
	s.block = s.buffer[:0]
	for !s.waiting.empty() && s.blockRows < limit {
		p := s.waiting.pop(limit - s.blockRows)
		s.block = append(s.block, p)
		s.blockRows += p.len()
	}
	s.buffer = s.block
	s.sending = true
	s.delay = spread(interval)
}

// settle removes the first n rows of the block.
func (s *shard) settle(n int) {
	s.blockRows -= n
	for n > 0 {
		first := &s.block[0]
		if l := first.len(); l > n {
			_, *first = first.cut(n)
			return
		} else {
			n -= l
		}
		*first = part{}
		s.block = s.block[1:]
	}
	if s.blockRows == 0 {
		s.sending = false
		if cap(s.buffer) > keptParts {
			s.buffer = nil
		}
	}
}

// spread returns between three quarters of d and d, so that shards which began
// together do not go on sending together.
func spread(d time.Duration) time.Duration {
	return d - rand.N(d/4+1)
}
