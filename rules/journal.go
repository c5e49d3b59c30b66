package rules

import (
	"context"
	"time"

	"tocsin/config"
)

// Journal keeps on disk what groups come to before anybody is told of it. With a
// Journal, groups tell nobody themselves.
type Journal interface {
	// Keep takes r, all of it or nothing, and returns when it is queued. Once r is
	// on disk, or cannot be put there, its alerts are told and its series written.
	// Keep waits for room at most as long as ctx allows; when ctx ends, it goes
	// around the disk with r, which is no error. The error is that the journal is
	// closed; it has not taken r then. The caller must not change what r refers to
	// afterwards.
	Keep(ctx context.Context, r Record) error
	// Flush returns when storage has accepted, or finally refused, every series
	// kept before the call. It returns ctx's error if that comes first.
	Flush(ctx context.Context) error
}

// Record is what belongs together: what groups remember, and what they have to
// tell since they remembered something else.
type Record struct {
	States []GroupState
	Told   []Notification
	Series []Series
}

// Empty reports whether there is nothing in r.
func (r *Record) Empty() bool { return len(r.States)+len(r.Told)+len(r.Series) == 0 }

// GroupState is the memory of a group in a form to be stored.
type GroupState struct {
	Group config.Key
	Data  []byte // nil if the group is gone
}

// keepWithin is how long results wait for the rest of their round before they
// are handed to the journal.
const keepWithin = time.Second

// pending is what a loop has not handed to the journal yet.
type pending struct {
	Record
	since time.Time // when the first of it came
}

// add takes over what an evaluation has to tell.
func (l *loop) add(out output) {
	if len(out.alerts) == 0 && len(out.series) == 0 {
		return
	}
	p := &l.pending
	if p.since.IsZero() {
		p.since = time.Now()
	}
	if len(out.alerts) > 0 {
		p.Told = append(p.Told, l.notification(out.alerts))
	}
	if l.deps.Appender == nil {
		return
	}
	if p.Series == nil {
		p.Series = out.series
	} else {
		p.Series = append(p.Series, out.series...)
	}
}

// keep hands what is pending to the journal, with the state of the group unless
// it is not running.
func (l *loop) keep(ctx context.Context) error {
	if l.deps.Journal == nil {
		return nil
	}
	r := l.pending.Record
	l.pending = pending{}
	if l.memories != nil {
		r.States = append(r.States, l.state(l.memory()))
	}
	if r.Empty() {
		return nil
	}
	limited, cancel := context.WithDeadline(context.WithoutCancel(ctx), l.roomDeadline())
	defer cancel()
	err := l.deps.Journal.Keep(limited, r)
	if err != nil {
		l.deps.Counters.handOverErrors.Inc()
	}
	return err
}

// keepSome hands over what has waited long enough, or is waited for by another
// rule, in the middle of a round.
func (l *loop) keepSome(ctx context.Context, i int) {
	if l.overdue() || l.isRead(i) && len(l.pending.Series) > 0 {
		l.noteKept(l.keep(ctx))
	}
}

// overdue reports whether results have waited for others long enough.
func (l *loop) overdue() bool {
	return !l.pending.since.IsZero() && time.Since(l.pending.since) >= keepWithin
}

// noteKept says once that the journal began or ceased to refuse records.
func (l *loop) noteKept(err error) {
	failing := err != nil
	if failing == l.keepFails {
		return
	}
	l.keepFails = failing
	if failing {
		l.log.Error("results are not taken by the journal", "error", err)
	} else {
		l.log.Info("results are taken by the journal again")
	}
}
