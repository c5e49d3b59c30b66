package remotewrite

import (
	"sync"
	"time"
)

// doubtFor is how long storage that refuses everything is taken to be out of
// order. Samples that are kept elsewhere wait for that time.
const doubtFor = 10 * time.Minute

// trust tells storage that refuses some samples, which is then to be believed,
// from storage that refuses all it is sent, which is rather set up wrongly.
type trust struct {
	mu       sync.Mutex // guards the fields below
	accepted time.Time  // when storage last took something
	doubted  time.Time  // when it first refused something after that; zero if it has not
}

// confirm is told that storage took something.
func (t *trust) confirm(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.accepted, t.doubted = now, time.Time{}
}

// confirmedSince reports whether storage took something after a time.
func (t *trust) confirmedSince(since time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.accepted.Before(since)
}

// exhausted reports whether storage has refused everything for so long that it is
// to be believed after all.
func (t *trust) exhausted(now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.doubted.IsZero() {
		t.doubted = now
	}
	return now.Sub(t.doubted) >= doubtFor
}
