package remotewrite

import (
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
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

// retryAfter reads a Retry-After header, in seconds or as a date. It returns 0
// for none, for one in the past and for nonsense, and at most maxRetryAfter.
func retryAfter(header string, now time.Time) time.Duration {
	header = strings.TrimSpace(header)
	if seconds, err := strconv.ParseUint(header, 10, 63); err == nil {
		return time.Duration(min(seconds, uint64(maxRetryAfter/time.Second))) * time.Second
	}
	at, err := http.ParseTime(header)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}
