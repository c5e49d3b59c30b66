package rules

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// outcome is what came of one evaluation of one rule.
type outcome struct {
	ev     evaluation // with the moment it began
	memory RuleMemory
	out    output
	caught caught // before it
	took   time.Duration
	err    error
}

// evaluateInTurn evaluates one rule after the other, in file order.
func (l *loop) evaluateInTurn(ctx context.Context, ev evaluation) {
	for i := range l.rules {
		l.awaitChain(ctx, i)
		l.commit(ctx, i, l.evaluate(ctx, i, ev))
	}
}

// evaluateConcurrently evaluates as many rules at once as the group allows. They
// begin in file order, and what they come to is handed over in file order.
func (l *loop) evaluateConcurrently(ctx context.Context, ev evaluation) {
	n := len(l.rules)
	outcomes := make([]outcome, n)
	evaluated, committed := signals(n), signals(n)
	slots := make(chan struct{}, l.cfg.Concurrency)
	go func() {
		for i := range n {
			slots <- struct{}{}
			go func() {
				defer func() { <-slots }()
				defer close(evaluated[i])
				l.awaitCommits(i, committed)
				l.awaitChain(ctx, i)
				outcomes[i] = l.evaluate(ctx, i, ev)
			}()
		}
	}()
	for i := range n {
		<-evaluated[i]
		l.commit(ctx, i, outcomes[i])
		close(committed[i])
	}
}

func signals(n int) []chan struct{} {
	s := make([]chan struct{}, n)
	for i := range s {
		s[i] = make(chan struct{})
	}
	return s
}

// evaluate evaluates rule i. It changes nothing but the rule's own scratch space.
func (l *loop) evaluate(ctx context.Context, i int, ev evaluation) outcome {
	m := *l.memories[i]
	ev.first = l.fresh[i]
	ev.unsettled = l.restoring.awaits(&m)
	start := time.Now()
	ev.now = InstantOf(start)
	res, err := ev.query(ctx, newQuery(l.cfg, &l.cfg.Rules[i], ev.at.Time()))
	var c caught
	if err == nil {
		m, c = l.catchUp(ctx, i, ev, m, len(res.Samples))
		m.answeredAt, m.interval = ev.at, l.sched.interval
		ev.caughtUp, ev.first = c.replayed, ev.first || c.replayed
	}
	m, out, err := l.rules[i].apply(ctx, ev, m, res, err)
	if c.replayed {
		out.series = append(c.past.series, out.series...)
		out.alerts = append(c.past.alerts, out.alerts...)
		out.fired += c.past.fired
	}
	return outcome{ev: ev, memory: m, out: out, caught: c, took: time.Since(start), err: err}
}

// query asks the datasource within the group's deadline.
func (l *loop) query(ctx context.Context, q Query) (Result, error) {
	limited, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	res, err := l.deps.Querier.Query(limited, q)
	switch {
	case err == nil:
		return res, nil
	case context.Cause(ctx) == errCutShort:
		return Result{}, errCutShort
	case limited.Err() != nil:
		return Result{}, fmt.Errorf("no answer within %s: %w", l.timeout, err)
	}
	return Result{}, err
}

// commit takes over what an evaluation came to: it is written and sent, counted
// and remembered. An evaluation that was cut short leaves nothing.
func (l *loop) commit(ctx context.Context, i int, o outcome) {
	l.changing.lock()
	defer l.changing.unlock()
	if errors.Is(o.err, errCutShort) {
		l.deps.Counters.cutShort.Inc()
		return
	}
	err := errors.Join(o.err, l.handOver(ctx, o.out))
	l.count(o.out, err)
	l.results += o.out.samples
	l.noteCaught(i, &o.caught)
	l.logChange(i, l.memories[i], err)
	if l.cfg.Rules[i].Debug {
		l.logDebug(i, o, err)
	}
	next := o.memory.account(o.ev, o.out, o.took, l.cfg.Rules[i].UpdateEntries, err)
	l.memories[i] = &next
	// An evaluation that failed has computed nothing.
	l.fresh[i] = o.ev.first && !o.out.good
	if l.chain != nil {
		l.flush.committed(i, len(o.out.series) > 0)
	}
	l.keepSome(ctx, i)
}

// roomDeadline is until when an Append may wait for room: no longer than a query
// may take. A round that has used up its time still gets a moment for each rule:
// there may be room by now.
func (l *loop) roomDeadline() time.Time {
	const moment = 10 * time.Millisecond
	now := time.Now()
	soonest, latest := now.Add(moment), now.Add(l.timeout)
	switch {
	case l.roomUntil.IsZero(): // the group does not run
		return latest
	case l.roomUntil.Before(soonest):
		return soonest
	case l.roomUntil.After(latest):
		return latest
	}
	return l.roomUntil
}

func (g *Group) notification(alerts []Alert) Notification {
	return Notification{Group: g.cfg.Key, Headers: g.cfg.NotifierHeaders, Alerts: alerts}
}

// handOver gives the results to the journal, when the round is done, or to the
// senders. One of them failing does not keep the other from being told.
func (l *loop) handOver(ctx context.Context, out output) error {
	if l.deps.Journal != nil {
		l.add(out)
		return nil
	}
	var errs []error
	if len(out.alerts) > 0 {
		if err := l.deps.Notifier.Notify(l.notification(out.alerts)); err != nil {
			errs = append(errs, fmt.Errorf("notification of %d alerts: %w", len(out.alerts), err))
		}
	}
	// Remote write may wait for room, so people are told first.
	if len(out.series) > 0 && l.deps.Appender != nil {
		limited, cancel := context.WithDeadline(ctx, l.roomDeadline())
		if err := l.deps.Appender.Append(limited, out.series); err != nil {
			errs = append(errs, fmt.Errorf("remote write of %d samples: %w", len(out.series), err))
		}
		cancel()
	}
	if len(errs) > 0 {
		l.deps.Counters.handOverErrors.Inc()
	}
	return errors.Join(errs...)
}

func (l *loop) count(out output, err error) {
	l.deps.Counters.executions.Inc()
	if err != nil {
		l.deps.Counters.executionErrors.Inc()
	}
	l.deps.Counters.alertsFired.Add(out.fired)
}

func (l *loop) logDebug(i int, o outcome, err error) {
	l.log.Info("rule evaluated", "rule", l.cfg.Rules[i].Name, "at", o.ev.at.Time(),
		"duration", o.took, "samples", o.out.samples, "series", len(o.out.series),
		"alerts", len(o.out.alerts), "partial", o.out.partial, "error", err)
}
