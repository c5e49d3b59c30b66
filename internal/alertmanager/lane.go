package alertmanager

import (
	"time"

	"tocsin/config"
)

// lane lists the unsent states that may share a request, because their groups
// want the same headers. Each lane is retried at its own pace: a group whose
// headers the peer refuses does not hold up the others.
type lane struct {
	key     string
	headers []config.Pair

	first, last int32 // slots
	len         int

	due     time.Time // not to be tried before
	failing bool      // the last attempt was in vain, so due is a retry
	backoff time.Duration
}

func (l *lane) append(slots []slot, i int32) {
	slots[i].prev, slots[i].next = l.last, nowhere
	if l.last == nowhere {
		l.first = i
	} else {
		slots[l.last].next = i
	}
	l.last = i
	l.len++
}

func (l *lane) unlink(slots []slot, i int32) {
	prev, next := slots[i].prev, slots[i].next
	if prev == nowhere {
		l.first = next
	} else {
		slots[prev].next = next
	}
	if next == nowhere {
		l.last = prev
	} else {
		slots[next].prev = prev
	}
	l.len--
}

// postpone sets when to try again after a failed attempt: after a pause that
// doubles from one failure to the next, varied by jitter in [0, 1), and at least
// as late as the peer asked for.
func (l *lane) postpone(now time.Time, asked time.Duration, jitter float64) {
	l.backoff = min(max(2*l.backoff, retryMin), retryMax)
	pause := l.backoff/2 + time.Duration(jitter*float64(l.backoff/2))
	l.failing = true
	l.due = now.Add(max(pause, asked))
}

// succeeded makes what is left in the lane due at once.
func (l *lane) succeeded(now time.Time) {
	l.failing, l.backoff, l.due = false, 0, now
}

// appendHeaderKey appends a text that is the same for the same headers in the
// same order only.
func appendHeaderKey(dst []byte, headers []config.Pair) []byte {
	for _, h := range headers {
		dst = append(append(dst, h.Name...), 0)
		dst = append(append(dst, h.Value...), 0)
	}
	return dst
}
