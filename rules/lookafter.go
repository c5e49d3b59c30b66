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
			l.lookAfter(life)
			look.Reset(keepWithin)
		}
	}
}

// lookAfter tells alerts again before they expire, and hands over results that have
// waited for others long enough.
func (l *loop) lookAfter(life context.Context) {
	l.changing.lock()
	defer l.changing.unlock()
	l.tellAgain(life, InstantOf(time.Now()))
	if l.overdue() {
		l.noteKept(l.keep(life))
	}
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
		var before Instant
		if l.toldAgain != nil {
			before = l.toldAgain[i]
		}
		out := r.stillFiring(l.memories[i], l.began, before, now)
		if len(out.alerts) == 0 {
			continue
		}
		if l.toldAgain == nil {
			l.toldAgain = make([]Instant, len(l.rules))
		}
		l.toldAgain[i] = now
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
// half of the time is over after which they expire; told is when it did before. What
// has expired is left to the evaluation, since it is not known to fire still. For how
// long it tells is bounded as if the query of this round had failed.
func (r *alertingRule) stillFiring(m *RuleMemory, began, told, now Instant) (out output) {
	if m.failingSince != 0 {
		began = min(began, m.failingSince)
	}
	if now.Sub(began) >= r.deps.Options.ErrorResend {
		return out
	}
	expiry := r.deps.Options.resolveDuration(r.group.Interval)
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
		if age := now.Sub(max(told, sent)); age < expiry/2 || age >= expiry {
			continue
		}
		again := r.alert(a, now)
		again.Again = true
		out.alerts = append(out.alerts, again)
	}
	return out
}
