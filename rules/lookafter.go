package rules

import (
	"context"
	"time"
)

// latch guards what a round changes of its loop. It is not a sync.Mutex since what
// is done under it may wait for others, which testing/synctest has to see.
type latch chan struct{}

func newLatch() latch { return make(latch, 1) }

func (l latch) lock()   { l <- struct{}{} }
func (l latch) unlock() { <-l }

// lockUnless locks and returns true, or returns false as soon as end or other is
// closed.
func (l latch) lockUnless(end, other <-chan struct{}) bool {
	select {
	case l <- struct{}{}:
		return true
	case <-end:
	case <-other:
	}
	return false
}

// accompany returns true when the round under way is done, and false when retire is
// closed before. Meanwhile it does what must not wait for the end of a round, one
// query of which may take as long as an interval.
func (l *loop) accompany(life context.Context, done, retire <-chan struct{}) bool {
	look := time.NewTimer(keepWithin)
	defer look.Stop()
	for {
		select {
		case <-done:
			return true
		case <-retire:
			return false
		case <-look.C:
			// The round may hold it as long as there is no room for a result.
			if l.changing.lockUnless(done, retire) {
				l.lookAfter(life)
				l.changing.unlock()
			}
			look.Reset(keepWithin)
		}
	}
}

// lookAfter tells alerts again before they expire, and hands over results that have
// waited for others long enough. changing is held.
func (l *loop) lookAfter(life context.Context) {
	l.tellAgain(life, InstantOf(time.Now()))
	if l.overdue() {
		l.noteKept(l.keep(life))
	}
}

// retold is when alerts of a rule were told by tellAgain, time and again without any
// of them expiring in between. It is no time of those that had expired before.
type retold struct{ first, last Instant }

// and returns r with another time, after which alerts expire.
func (r retold) and(now Instant, expiry time.Duration) retold {
	if r.last == 0 || now.Sub(r.last) >= expiry {
		r.first = now
	}
	r.last = now
	return r
}

// of returns when an alert was told last that an evaluation told at sent.
func (r retold) of(sent Instant, expiry time.Duration) Instant {
	if r.first.Sub(sent) >= expiry {
		return sent
	}
	return max(sent, r.last)
}

// tellAgain tells of alerts that fire as their rules left them.
func (l *loop) tellAgain(life context.Context, now Instant) {
	tried := false
	var errs []error
	for i := range l.rules {
		r, ok := l.rules[i].(*alertingRule)
		if !ok {
			continue
		}
		var before retold
		if l.toldAgain != nil {
			before = l.toldAgain[i]
		}
		out := r.stillFiring(l.memories[i], l.began, before, now)
		if len(out.alerts) == 0 {
			continue
		}
		if l.toldAgain == nil {
			l.toldAgain = make([]retold, len(l.rules))
		}
		l.toldAgain[i] = before.and(now, r.expiry())
		tried = true
		if err := l.handOver(life, out); err != nil {
			errs = append(errs, err)
		}
	}
	if tried {
		l.noteToldAgain(errs)
	}
}

// noteToldAgain says once that alerts of some rule were not told again, and once
// that those of all were. There may be very many rules, and one reason.
func (l *loop) noteToldAgain(errs []error) {
	failing := len(errs) > 0
	if failing == l.tellFails {
		return
	}
	l.tellFails = failing
	if failing {
		l.log.Error("alerts are not told again in a long round", "rules", len(errs), "error", errs[0])
	} else {
		l.log.Info("alerts are told again in a long round")
	}
}

// stillFiring tells, in a round that began at began, of the alerts in m that fire if
// half of the time is over after which they expire; before is when it did last. What
// has expired is left to the evaluation, since it is not known to fire still. For how
// long it tells is bounded as if the query of this round had failed.
func (r *alertingRule) stillFiring(m *RuleMemory, began Instant, before retold, now Instant) (out output) {
	if m.failingSince != 0 {
		began = min(began, m.failingSince)
	}
	if now.Sub(began) >= r.deps.Options.ErrorResend {
		return out
	}
	expiry := r.expiry()
	var slot, sent Instant // of the alert before, which is that of most others
	alerts := m.Alerts()
	for i := range alerts {
		a := &alerts[i]
		if a.State != Firing || a.LastSent == 0 {
			continue
		}
		if a.LastSent != slot {
			slot, sent = a.LastSent, m.History.began(a.LastSent)
		}
		if age := now.Sub(before.of(sent, expiry)); age < expiry/2 || age >= expiry {
			continue
		}
		again := r.alert(a, now)
		again.Again = true
		out.alerts = append(out.alerts, again)
	}
	return out
}
