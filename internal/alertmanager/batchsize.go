package alertmanager

import "time"

// limitHeld is how long a peer that found a request too large is spared another
// as large.
const limitHeld = time.Hour

// batchSize is how many alerts a request may have. It shrinks when the peer
// refuses a request for what is in it, and grows back.
type batchSize struct {
	most      int // >= 1
	limit     int // in [1, most]
	heldUntil time.Time
}

func newBatchSize(most int) batchSize { return batchSize{most: most, limit: most} }

// shrink halves the limit after a request of n alerts was refused; size says
// whether because it was too large. It returns false if n cannot be halved: then
// that one alert was the reason, and others may well pass together.
func (b *batchSize) shrink(n int, size bool, now time.Time) bool {
	if n <= 1 {
		b.heldUntil = time.Time{}
		return false
	}
	b.limit = n / 2
	if size {
		b.heldUntil = now.Add(limitHeld)
	}
	return true
}

// grow doubles the limit after a request was accepted.
func (b *batchSize) grow(now time.Time) {
	if now.After(b.heldUntil) {
		b.limit = min(2*b.limit, b.most)
	}
}
