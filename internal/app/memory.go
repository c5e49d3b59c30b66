package app

import (
	"runtime/debug"
	"sync/atomic"
	"time"
)

// A round with very many results leaves several times its results as garbage,
// which the process would hold on to until the next such round.
const (
	// largeRound is from how many results on that is worth a collection.
	largeRound = 10_000
	// releaseAfter is how long what the round produced has to be sent, and so is
	// no garbage yet; rounds that end meanwhile share the collection.
	releaseAfter = 3 * time.Second
)

// releaser gives memory back to the system after large rounds.
type releaser struct {
	release func()
	pending atomic.Bool
}

func newReleaser() *releaser { return &releaser{release: debug.FreeOSMemory} }

// settled is told of the end of a round with so many results.
func (r *releaser) settled(results int) {
	if results < largeRound || r.pending.Swap(true) {
		return
	}
	time.AfterFunc(releaseAfter, func() {
		r.pending.Store(false)
		r.release()
	})
}
