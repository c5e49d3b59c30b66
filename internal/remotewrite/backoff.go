package remotewrite

import (
	"math/rand/v2"
	"time"
)

const (
	maxBackoff    = 10 * time.Second // unless the first pause is longer
	maxRetryAfter = time.Minute      // a longer wish of storage is not granted
)

// backoff returns the pause before retry n, counted from 1: first, doubled each
// time up to maxBackoff, and up to a quarter more so that senders part.
func backoff(first time.Duration, n int) time.Duration {
	pause := first
	for ; n > 1 && pause < maxBackoff; n-- {
		pause *= 2
	}
	pause = max(min(pause, maxBackoff), first)
	return pause + rand.N(pause/4+1)
}
