package rules

import (
	"context"
	"slices"
	"sync"
	"time"
)

// flushState knows, within one round, which rules have written something that
// storage may not have taken yet.
type flushState struct {
	mu      sync.Mutex // guards the fields below
	pending map[int]bool
	gaveUp  bool // a wait of this round was not rewarded, so there is no other
	failing bool // the last wait was not rewarded; survives the round
}

func (f *flushState) reset() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.pending)
	f.gaveUp = false
}

// committed notes that rule i has handed over its series, if it had any.
func (f *flushState) committed(i int, wrote bool) {
	if !wrote {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.pending == nil {
		f.pending = make(map[int]bool)
	}
	f.pending[i] = true
}

// needed returns what a flush now would settle, or nil if none of the rules on
// has unsettled series or waiting is useless.
func (f *flushState) needed(on []int) []int {
	f.mu.Lock()
	defer f.mu.Unlock()
	need := false
	if f.gaveUp {
		return nil
	}
	for _, i := range on {
		need = need || f.pending[i]
	}
	if !need {
		return nil
	}
	settles := make([]int, 0, len(f.pending))
	for i := range f.pending {
		settles = append(settles, i)
	}
	return settles
}

// settled notes the end of a flush; changed reports whether waiting began or
// ceased to fail.
func (f *flushState) settled(rules []int, err error) (changed bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, i := range rules {
		delete(f.pending, i)
	}
	changed = f.failing != (err != nil)
	f.failing = err != nil
	f.gaveUp = f.failing
	return changed
}

// awaitCommits returns when the rules that rule i reads have handed over their
// series.
func (l *loop) awaitCommits(i int, committed []chan struct{}) {
	if l.chain == nil {
		return
	}
	for _, j := range l.chain[i] {
		<-committed[j]
	}
}

// chainWait is how long rules of a round wait for storage. It leaves most of the
// interval for evaluating: alerts must not be late because storage is.
func (l *loop) chainWait() time.Duration {
	return min(l.deps.Options.ChainWait, l.cfg.Interval/4)
}

// awaitChain returns when storage has taken the series that rule i reads and an
// earlier rule wrote in this round, and shows them, or when that takes too long.
func (l *loop) awaitChain(ctx context.Context, i int) {
	if l.chain == nil || len(l.chain[i]) == 0 || l.deps.Appender == nil {
		return
	}
	settles := l.flush.needed(l.chain[i])
	if settles == nil {
		return
	}
	l.deps.Counters.chainWaits.Inc()
	limited, cancel := context.WithTimeout(ctx, l.chainWait())
	defer cancel()
	err := l.flushStorage(limited)
	if err == nil {
		err = l.awaitShown(limited)
	}
	if ctx.Err() != nil {
		return // the round is cut short; that says nothing of storage
	}
	if err != nil {
		l.deps.Counters.chainTimeouts.Inc()
	}
	if !l.flush.settled(settles, err) {
		return
	}
	if err != nil {
		l.log.Warn("rule does not see this round: remote write is too slow",
			"rule", l.cfg.Rules[i].Name, "waited", l.chainWait())
	} else {
		l.log.Info("rules see this round again")
	}
}

// flushStorage returns when storage has taken what was handed over, or ctx ends.
func (l *loop) flushStorage(ctx context.Context) error {
	if l.deps.Journal != nil {
		return l.deps.Journal.Flush(ctx)
	}
	return l.deps.Appender.Flush(ctx)
}

// awaitShown returns when queries find what storage has just taken, or ctx ends.
func (l *loop) awaitShown(ctx context.Context) error {
	if l.deps.Options.ChainDelay <= 0 {
		return nil
	}
	shown := time.NewTimer(l.deps.Options.ChainDelay)
	defer shown.Stop()
	select {
	case <-shown.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// isRead reports whether a later rule reads what rule i writes.
func (l *loop) isRead(i int) bool {
	if l.chain == nil {
		return false
	}
	return slices.ContainsFunc(l.chain[i+1:], func(on []int) bool { return slices.Contains(on, i) })
}
