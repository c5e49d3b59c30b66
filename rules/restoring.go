package rules

import (
	"context"
	"regexp"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"
)

var labelNamePattern = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

// restoreAttempts is after how many rounds a rule goes on without what storage
// may know of its alerts.
const restoreAttempts = 20

// restoring looks up the alerts of a group's rules in storage, beside the loop,
// once their first evaluation has shown which of them are pending.
type restoring struct {
	results  chan restoration
	attempts []int     // by rule
	firstAt  []Instant // the time of a rule's first evaluation
	cancel   context.CancelFunc
	done     chan struct{} // closed when the look-up under way has ended; nil if there is none
	enabled  bool
	failing  bool
}

// restoration is what storage knew of one rule's alerts.
type restoration struct {
	rule  int
	since map[labels.Labels]Instant
	err   error
}

func newRestoring(g *Group) restoring {
	if g.deps.Restorer == nil {
		return restoring{}
	}
	return restoring{
		enabled: true,
		// Room for every rule, so that the look-up never waits for the loop.
		results:  make(chan restoration, len(g.rules)),
		attempts: make([]int, len(g.rules)),
		firstAt:  make([]Instant, len(g.rules)),
	}
}

// awaits reports whether the alerts that m remembers may have a past that storage
// has not been asked for.
func (r *restoring) awaits(m *RuleMemory) bool { return r.enabled && !m.restored }

// begin looks up, in a goroutine of its own, the rules that have pending alerts
// and were not looked up yet.
func (r *restoring) begin(l *loop) {
	if !r.enabled || r.underway() {
		return
	}
	var due []int
	for i := range l.memories {
		if l.restoreDue(i) {
			due = append(due, i)
		}
	}
	if len(due) == 0 {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel, r.done = cancel, make(chan struct{})
	go l.lookUp(ctx, r.done, due)
}

// underway reports whether a look-up runs or has results that the loop did not
// take yet.
func (r *restoring) underway() bool {
	if r.done != nil {
		select {
		case <-r.done:
			r.done = nil
			r.cancel()
		default:
			return true
		}
	}
	// Another look-up would not have room for its results beside these.
	return len(r.results) > 0
}

// stop ends a look-up that is under way.
func (r *restoring) stop() {
	if r.done == nil {
		return
	}
	r.cancel()
	<-r.done
	r.done = nil
}

// restoreDue reports whether rule i is to be looked up, and settles it if there
// is nothing to look up.
func (l *loop) restoreDue(i int) bool {
	m := l.memories[i]
	if m.restored || m.lastAt == 0 {
		return false
	}
	if l.restoring.firstAt[i] == 0 {
		l.restoring.firstAt[i] = m.lastAt
	}
	ar, ok := l.rules[i].(*alertingRule)
	if !ok || ar.Rule.For == 0 || !anyPending(m.Alerts()) {
		l.noteRestored(i)
		return false
	}
	if l.restoring.attempts[i] >= restoreAttempts {
		l.log.Warn("alert state was not restored, giving up", "rule", ar.Rule.Name, "attempts", restoreAttempts)
		l.noteRestored(i)
		return false
	}
	l.restoring.attempts[i]++
	return true
}

func (l *loop) noteRestored(i int) {
	m := *l.memories[i]
	m.restored = true
	l.memories[i] = &m
}

func anyPending(alerts []Instance) bool {
	for i := range alerts {
		if alerts[i].State == Pending {
			return true
		}
	}
	return false
}

// lookUp asks storage for the alerts of each of the rules, as they were just
// before their first evaluation.
func (l *loop) lookUp(ctx context.Context, done chan struct{}, due []int) {
	defer close(done)
	for _, i := range due {
		ar := l.rules[i].(*alertingRule)
		at := l.restoring.firstAt[i].Time().Add(-time.Second)
		limited, cancel := context.WithTimeout(ctx, l.timeout)
		since, err := l.deps.Restorer.activeSince(limited, l.cfg, ar.Rule, ar.restoreSelector(), at)
		cancel()
		if ctx.Err() != nil {
			return
		}
		l.restoring.results <- restoration{rule: i, since: since, err: err}
	}
}

// settle applies what storage knew of one rule's alerts to those still pending.
func (l *loop) settle(ctx context.Context, r restoration) {
	l.noteRestore(r)
	if r.err != nil {
		return
	}
	m := *l.memories[r.rule]
	ar := l.rules[r.rule].(*alertingRule)
	m.restored = true
	alerts := slices.Clone(m.Alerts())
	var series []Series
	for i := range alerts {
		a := &alerts[i]
		if a.State != Pending {
			continue
		}
		if since, ok := r.since[a.Labels]; ok && since < a.ActiveAt {
			a.ActiveAt, a.Restored = since, true
			l.deps.Counters.restores.Inc()
		}
		series = append(series, forState(a, m.lastAt.Milli()))
	}
	m.alerted(alerts, m.heard().labelled)
	l.memories[r.rule] = &m
	l.fresh[r.rule] = true
	if err := l.handOver(ctx, output{series: series}); err != nil {
		l.log.Warn("restored alert state was not written", "rule", ar.Rule.Name, "error", err)
	}
	l.noteKept(l.keep(ctx))
	l.publish()
}

// noteRestore counts a failed look-up, and says once that they began or ceased
// to fail.
func (l *loop) noteRestore(r restoration) {
	if r.err != nil {
		l.deps.Counters.restoreErrors.Inc()
	}
	if failing := r.err != nil; failing != l.restoring.failing {
		l.restoring.failing = failing
		if failing {
			l.log.Warn("alert state cannot be read from storage, trying again", "rule", l.cfg.Rules[r.rule].Name, "error", r.err)
		} else {
			l.log.Info("alert state was read from storage", "rule", l.cfg.Rules[r.rule].Name)
		}
	}
}
