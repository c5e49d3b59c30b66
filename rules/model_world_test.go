package rules_test

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tocsin/rules"
)

// scene is a Manager that runs, with the models of everything in it.
type scene struct {
	*world
	rapid.TB
	strict  bool
	force   modelFiles
	rules   map[int]*tracked    // by number
	clocks  map[int]*groupClock // by number of group
	answers map[int]modelAnswer
	ledger  *ledger
}

// tracked is the model of a rule in force.
type tracked struct {
	modelRule
	evaluations, failures int
}

// groupClock says when a group is evaluated.
type groupClock struct {
	last   time.Time // the moment that the last round was due
	began  time.Time // when it began
	rounds int
}

// due returns the moment of the next round, seen from now: the first of the
// group's moments after the last round, or the latest of several that are past.
func (c *groupClock) due(s groupSetting, now time.Time) time.Time {
	from := c.last
	if from.IsZero() {
		if s.offset < 0 {
			return now
		}
		from = now.Add(-1)
	}
	t := from
	if s.offset >= 0 {
		t = from.Truncate(s.interval).Add(s.offset - s.interval)
	}
	for !t.After(from) || !t.Add(s.interval).After(now) {
		t = t.Add(s.interval)
	}
	return t
}

// complaint ends a play; what it says is its result.
type complaint struct{ error }

// unclear ends a play that may go on in more than one way.
type unclear struct{}

// bubbleTB reports through a panic, as a bubble has no rapid.T.
type bubbleTB struct{ rapid.TB }

func (bubbleTB) Helper() {}

func (bubbleTB) Fatalf(format string, args ...any) { panic(complaint{fmt.Errorf(format, args...)}) }

// perform plays the acts of s and returns what was not as it had to be, if
// anything.
func perform(t *testing.T, s *script, o rules.Options) (problem error) {
	p := &scene{
		world: newWorld(t), TB: bubbleTB{}, strict: s.strict,
		rules: map[int]*tracked{}, clocks: map[int]*groupClock{}, answers: map[int]modelAnswer{}, ledger: newLedger(),
	}
	p.deps.Options = o
	p.ledger.last = map[string]int64{}
	n := 0
	defer func() {
		switch r := recover().(type) {
		case nil, unclear:
		case complaint:
			problem = fmt.Errorf("act %d, %s: %w", n, s.acts[n].does, r.error)
		default:
			panic(r)
		}
	}()
	for i, a := range s.acts {
		n = i
		switch a.does {
		case "answer":
			p.answer(a.of, a.answer)
		case "pass":
			p.passes(a.pass)
		case "load":
			p.load(a)
		}
	}
	return nil
}

func (p *scene) answer(of int, answer modelAnswer) {
	p.answers[of] = answer
	for v := range 2 {
		expr := fmt.Sprintf("q%dv%d", of, v)
		p.datasource.Set(expr, answer.result(strconv.Itoa(of))...)
		if answer.fails {
			p.datasource.Fail(expr, errors.New("no answer"))
		}
	}
}

// passes lets time pass, and compares after each moment at which something is
// due.
func (p *scene) passes(d time.Duration) {
	end := time.Now().Add(d)
	for {
		next := end
		for _, g := range p.force.groups() {
			if at := p.clocks[g.number].due(g.set, time.Now()); at.Before(next) {
				next = at
			}
		}
		p.pass(time.Until(next))
		p.compare(modelOut{})
		if next.Equal(end) {
			return
		}
	}
}

// compare compares what was asked, written and sent and what is shown with what
// had to be: all groups that are due are evaluated, and besides that told is told.
func (p *scene) compare(told modelOut) {
	now := time.Now()
	var asks []string
	for _, g := range p.force.groups() {
		c := p.clocks[g.number]
		at := c.due(g.set, now)
		if at.After(now) {
			continue
		}
		c.last, c.began = at, now
		c.rounds++
		for _, n := range g.rules {
			asks = append(asks, n.expr()+" @"+clock(at))
			out := p.rules[n.number].evaluate(at, now, p.answers[n.of])
			told.writes, told.sends = append(told.writes, out.writes...), append(told.sends, out.sends...)
		}
	}
	told.sort()
	p.compareAsked(asks)
	series, alerts := p.appender.Appended(), sentAlerts(p.notifier.Sent())
	compare(p, now, told, modelOut{writes: writes(series), sends: sends(alerts)})
	p.compareShown()
	p.ledger.enter(p, series, alerts)
	p.ledger.balance(p, p.told(p.ledger.off))
}

func (r *tracked) evaluate(at, now time.Time, answer modelAnswer) modelOut {
	out := r.eval(at, now, answer)
	r.evaluations++
	if out.err {
		r.failures++
	}
	return out
}

func sentAlerts(ns []rules.Notification) []rules.Alert {
	var all []rules.Alert
	for _, n := range ns {
		all = append(all, n.Alerts...)
	}
	return all
}

func (p *scene) compareAsked(want []string) {
	var got []string
	for _, q := range p.datasource.Asked() {
		got = append(got, q.Expr+" @"+clock(q.Time))
	}
	sort.Strings(want)
	sort.Strings(got)
	if !slices.Equal(want, got) {
		p.Fatalf("asked (-want +got):\n%s", cmp.Diff(want, got))
	}
}

// compareShown compares what everybody can see of groups, rules and alerts.
func (p *scene) compareShown() {
	var want, got []string
	for _, g := range p.force.groups() {
		c := p.clocks[g.number]
		want = append(want, fmt.Sprintf("group %s %s, last %s, %d rounds, 0 missed", g.file, g.name, clock(c.began), c.rounds))
		for _, n := range g.rules {
			r := p.rules[n.number]
			want = append(want, fmt.Sprintf("%s %s: %d failures, %d evaluations remembered", n.kind, n.name, r.failures, min(r.evaluations, 20)))
			for i := range r.alerts {
				want = append(want, r.alerts[i].describe())
			}
		}
	}
	for _, s := range p.manager.Groups() {
		got = append(got, fmt.Sprintf("group %s %s, last %s, %d rounds, %d missed",
			s.Group.Key.File, s.Group.Key.Name, clock(s.LastEvaluation.Time()), s.Stats.Rounds, s.Stats.Missed+s.Stats.Resets))
		for i := range s.Rules {
			r := &s.Rules[i]
			got = append(got, fmt.Sprintf("%s %s: %d failures, %d evaluations remembered", r.Rule.Kind, r.Rule.Name, r.Errors, r.History.Len()))
			for j := range r.Alerts() {
				got = append(got, describeLikeModel(&r.Alerts()[j]))
			}
		}
	}
	if !slices.Equal(want, got) {
		p.Fatalf("shown (-want +got):\n%s", cmp.Diff(want, got))
	}
}

// told is what the world must believe, but for some results.
func (p *scene) told(off map[string]bool) belief {
	all := newBelief()
	for _, r := range p.rules {
		if !off[r.of] {
			all.add(r.modelRule.told())
		}
	}
	return all
}
