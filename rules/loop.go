package rules

import (
	"context"
	"sync/atomic"
	"time"
)

// loop is a group while it runs. Everything in it belongs to the goroutine of run;
// while there is a round, to that of the round, and what the two share then is
// guarded by changing.
type loop struct {
	*Group

	changing latch // held while a rule's results are taken over

	memories []*RuleMemory // of the rules, by position
	fresh    []bool        // rules whose computed values must not be kept
	last     Instant       // the slot of the last round; unset before the first
	began    Instant       // when that round began
	stats    GroupStats
	results  int // of the rules, in this round
	turns    turns
	late     int // slots missed since rounds take too long
	// spare is how much time of this round is left for evaluations of the past.
	spare atomic.Int64
	// toldAgain is when alerts of the rules were told by tellAgain; nil if they never
	// were.
	toldAgain []retold
	pastFails bool // the last query for the past was not answered
	tellFails bool // the last alerts of tellAgain were not taken
	keepFails bool // the journal did not take the last record
	// roomUntil is how long what is handed over may wait for room in remote write:
	// the rules of a round all together, and what comes between rounds until the
	// next one is due.
	roomUntil time.Time

	clock     clock
	flush     flushState
	pending   pending // empty without a journal
	restoring restoring
}

func newLoop(g *Group, m Memory) *loop {
	l := &loop{
		Group: g, changing: newLatch(), memories: m.rules, fresh: make([]bool, len(g.rules)),
		last: m.last, began: m.began, stats: m.stats, clock: newClock(),
	}
	if l.memories == nil {
		l.memories = newMemories(len(g.rules))
	}
	for i := range l.fresh {
		l.fresh[i] = true
	}
	l.restoring = newRestoring(g)
	return l
}

// memory returns what is to be remembered when the loop has ended.
func (l *loop) memory() Memory {
	return Memory{
		rules: l.memories, last: l.last, began: l.began, stats: l.stats, interval: l.sched.interval,
	}
}

func (l *loop) publish() {
	l.view.Store(l.newSnapshot(l.memories, l.began, &l.stats))
}

// resume returns the slot after which the group goes on, given the interval of
// the last round. Slots of an interval that was not in force are not missed.
func (l *loop) resume(interval time.Duration) Instant {
	now, _ := l.clock.read()
	if l.last == 0 {
		return l.sched.first(now).Add(-l.sched.interval)
	}
	if at, missed := l.sched.next(l.last, now); missed > 0 && interval != l.sched.interval {
		return at.Add(-l.sched.interval)
	}
	return l.last
}

// run evaluates the group at every slot after prev until retire is closed or ctx
// is done.
func (l *loop) run(ctx context.Context, retire <-chan struct{}, prev Instant) {
	jumped := false
	for {
		now, jump := l.clock.read()
		jumped = jumped || jump >= l.sched.interval
		at, missed := l.sched.next(prev, now)
		if now < prev {
			l.noteReset(prev.Sub(now))
			prev = at.Add(-l.sched.interval)
		}
		if !l.wait(ctx, retire, at.Sub(now)) {
			return
		}
		if at > now {
			l.noteOnTime()
			continue // the clock may have been set meanwhile
		}
		switch {
		case missed > 0 && jumped:
			l.noteReset(-at.Sub(prev))
		case missed > 0:
			l.noteMissed(missed)
		}
		jumped = false
		l.round(ctx, retire, at)
		prev, l.last = at, at
	}
}

// wait returns true after d, or false as soon as the group is to end. What is
// learned from storage in the meantime is applied.
//
// It makes no timer for a time that has come: a goroutine that receives from
// such a timer runs it by itself, and two that do so at once in one bubble of
// testing/synctest crash Go 1.26's race detector.
func (l *loop) wait(ctx context.Context, retire <-chan struct{}, d time.Duration) bool {
	if ended(ctx, retire) {
		return false
	}
	if d <= 0 {
		return true
	}
	l.roomUntil = time.Now().Add(d)
	timer := time.NewTimer(d)
	defer timer.Stop()
	for !ended(ctx, retire) {
		select {
		case <-retire:
		case <-ctx.Done():
		case <-timer.C:
			return true
		case found := <-l.restoring.results:
			l.settle(ctx, found)
		}
	}
	return false
}

// ended tells whether the group was asked to end.
func ended(ctx context.Context, retire <-chan struct{}) bool {
	select {
	case <-retire:
		return true
	case <-ctx.Done():
		return true
	default:
		return false
	}
}

// noteMissed counts lost slots, and says once that rounds take too long.
func (l *loop) noteMissed(missed int) {
	l.stats.Missed += uint64(missed)
	l.publish()
	if l.late == 0 {
		l.log.Warn("rounds take too long, evaluations are missed", "interval", l.sched.interval)
	}
	l.late += missed
}

// noteOnTime says once that no more evaluations are missed.
func (l *loop) noteOnTime() {
	if l.late > 0 {
		l.log.Info("evaluations are on time again", "missed", l.late)
	}
	l.late = 0
}

func (l *loop) noteReset(back time.Duration) {
	l.stats.Resets++
	l.publish()
	l.log.Warn("wall clock was set, schedule starts over", "back", back)
}

// round evaluates every rule for the slot at, in a goroutine of its own: what that
// one's stack grows to goes with it, so hundreds of groups that wait for their turn
// need little. Once retire is closed, a round that is under way has the time of
// one query to come to its end.
func (l *loop) round(ctx context.Context, retire <-chan struct{}, at Instant) {
	roundCtx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.evaluateAll(ctx, roundCtx, at)
	}()
	if l.accompany(ctx, done, retire) {
		return
	}
	grace := time.NewTimer(l.timeout)
	defer grace.Stop()
	select {
	case <-done:
		return
	case <-grace.C:
		cancel(errCutShort)
	}
	<-done
}

// evaluateAll evaluates every rule for the slot at, until round is done, and hands
// over what has come of it, whether it is or not, until life is.
func (l *loop) evaluateAll(life, round context.Context, at Instant) {
	l.changing.lock()
	start := time.Now()
	l.began = InstantOf(start)
	ev := evaluation{
		at:    InstantOf(l.sched.queryTime(at)),
		write: l.deps.Appender != nil, query: l.query,
	}
	l.flush.reset()
	l.roomUntil = start.Add(l.timeout)
	l.spare.Store(int64(l.cfg.Interval / 4)) // the present comes first
	l.results = 0
	l.changing.unlock()
	if l.cfg.Concurrency > 1 && len(l.rules) > 1 {
		l.evaluateConcurrently(round, ev)
	} else {
		l.evaluateInTurn(round, ev)
	}
	l.changing.lock()
	defer l.changing.unlock()
	l.logOthers()
	l.noteKept(l.keep(life))
	l.stats.observe(time.Since(start))
	l.publish()
	if l.deps.Settled != nil {
		l.deps.Settled(l.results)
	}
	l.restoring.begin(l)
}
