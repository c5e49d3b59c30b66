package rules

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"pgregory.net/rapid"

	"tocsin/config"
)

// OneRule is a single rule with its memory, evaluated by hand.
type OneRule struct {
	group  *Group
	memory RuleMemory
	query  func(context.Context, Query) (Result, error)
	fresh  bool
}

// Told is what one evaluation came to.
type Told struct {
	Alerts []Instance
	Series []Series
	Sent   []Alert
	Err    error
}

// NewOneRule builds the only rule of g. It takes over the memory of prev, if any.
func NewOneRule(t rapid.TB, g config.Group, o Options, c TemplateCompiler, prev *OneRule,
	query func(context.Context, Query) (Result, error),
) *OneRule {
	t.Helper()
	d := &Deps{
		Templates: c, Options: o, Log: slog.New(slog.DiscardHandler),
		Counters: NewCounters(metrics.NewSet()), Link: testLink,
	}
	group, err := NewGroup(&g, d)
	if err != nil {
		t.Fatal(err)
	}
	one := &OneRule{group: group, query: query, fresh: true}
	if prev != nil {
		one.memory = prev.memory
	}
	return one
}

// Eval evaluates the rule for the time at.
func (o *OneRule) Eval(at time.Time) Told {
	ev := evaluation{at: InstantOf(at), now: InstantOf(at), first: o.fresh, write: true, query: o.query}
	cfg := o.group.cfg
	res, err := o.query(context.Background(), newQuery(cfg, &cfg.Rules[0], at))
	m, out, err := o.group.rules[0].apply(context.Background(), ev, o.memory, res, err)
	o.memory = m
	if out.good {
		o.fresh = false
	}
	return Told{Alerts: m.Alerts(), Series: out.series, Sent: out.alerts, Err: err}
}

func testLink(g *config.Group) GroupLinker {
	return func(_ *config.Rule, a *Instance) Link {
		return Link{Base: "http://tocsin/alert?group=" + g.Key.Name + "&id=", AlertID: a.ID}
	}
}

// LinkForTest returns a Linker that gives every alert of a rule the address that of
// returns.
func LinkForTest(of func(*config.Rule) string) Linker {
	return func(*config.Group) GroupLinker {
		return func(r *config.Rule, _ *Instance) Link { return Link{Base: of(r)} }
	}
}

// RunningForTest returns the groups that run.
func (m *Manager) RunningForTest() []*Group { return *m.shown.Load() }

// ContentForTest returns all that s holds of what its rules remember.
func ContentForTest(s *Snapshot) string {
	text := fmt.Sprintf("%d %d %+v", s.Serial, s.LastEvaluation, s.Stats)
	for _, r := range s.Rules {
		m := r.RuleMemory
		packed := m.append(nil, func(b []byte) []byte { return b })
		text += fmt.Sprintf("\n%s: %d errors, reported %t, %q", r.Rule.Name, m.Errors, m.reported, packed)
	}
	return text
}

// UnpackedForTest returns a packed state in the form in which it is not packed.
func UnpackedForTest(data []byte) []byte {
	plain := []byte{plainState}
	u, _ := newUnpacker(data[1:])
	for {
		block, ok := u.next()
		if !ok {
			return plain
		}
		plain = append(plain, block...)
	}
}
