package rules_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tocsin/config"
	"tocsin/rules"
)

// act is one thing that happens to a running configuration of the rules A and B,
// which alert, and R, which records.
type act struct {
	does   string
	name   string // of the rule
	answer modelAnswer
	s      setting
	rounds int
}

func drawActs(t *rapid.T) []act {
	settings := map[string]setting{}
	var acts []act
	for range rapid.IntRange(2, 25).Draw(t, "acts") {
		a := act{
			does: rapid.SampledFrom([]string{"answer", "pass", "pass", "edit", "remove", "swap", "move", "concurrency", "empty"}).Draw(t, "does"),
			name: rapid.SampledFrom([]string{"A", "B", "R"}).Draw(t, "rule"),
		}
		switch a.does {
		case "answer":
			a.answer = drawAnswer(t)
		case "pass":
			a.rounds = rapid.SampledFrom([]int{1, 1, 2, 3, 16}).Draw(t, "rounds")
		case "edit":
			s := drawEdit(t, settings[a.name])
			s.limit = 0
			if a.name == "R" && (s.labels == 2 || s.labels == 3 || s.labels == 5) {
				s.labels = 0 // templates are for alerts
			}
			settings[a.name], a.s = s, s
		}
		acts = append(acts, a)
	}
	return acts
}

// reloads is a configuration in force, with the models of its rules.
type reloads struct {
	*world
	rapid.TB
	order   []string // of the rules in force
	set     map[string]setting
	answers map[string]modelAnswer
	models  map[string]*modelRule // of alerting rules in force
	record  map[string]bool       // the series of R that live
	lastR   time.Time
	file    int
	workers int
	ledger  *ledger
}

// Rules and groups are edited, moved, removed and brought back while they run,
// and everybody is told what the model says, and nothing else.
func TestReloadedGroupsFollowTheModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		acts := drawActs(rt)
		var problem error
		synctest.Test(t, func(t *testing.T) { problem = playActs(t, acts) })
		if problem != nil {
			rt.Fatal(problem)
		}
	})
}

// complaint ends a play; what it says is its result.
type complaint struct{ error }

// bubbleTB reports through a panic, as a bubble has no rapid.T.
type bubbleTB struct{ rapid.TB }

func (bubbleTB) Helper() {}

func (bubbleTB) Fatalf(format string, args ...any) { panic(complaint{fmt.Errorf(format, args...)}) }

func playActs(t *testing.T, acts []act) (problem error) {
	w := newWorld(t)
	w.deps.Options = modelOptions(0)
	defer func() {
		if r := recover(); r != nil {
			c, ok := r.(complaint)
			if !ok {
				panic(r)
			}
			problem = c.error
		}
	}()
	p := &reloads{
		world: w, TB: bubbleTB{}, order: []string{"A", "B", "R"}, set: map[string]setting{}, workers: 1,
		answers: map[string]modelAnswer{}, models: map[string]*modelRule{}, record: map[string]bool{}, ledger: newLedger(),
	}
	p.ledger.last = map[string]int64{}
	time.Sleep(30 * time.Second)
	p.reload("A", "B", "R")
	for _, a := range acts {
		p.act(a)
	}
	return nil
}

func (p *reloads) act(a act) {
	i := slices.Index(p.order, a.name)
	switch a.does {
	case "answer":
		p.answers[a.name] = a.answer
		for _, expr := range []string{a.name + "0", a.name + "1"} {
			p.datasource.Set(expr, a.answer.result()...)
			if a.answer.fails {
				p.datasource.Fail(expr, errors.New("no answer"))
			}
		}
	case "pass":
		for range a.rounds {
			p.round()
		}
	case "edit":
		p.set[a.name] = a.s
		p.reload(p.order...)
	case "remove":
		if i >= 0 {
			p.reload(slices.Delete(slices.Clone(p.order), i, i+1)...)
		} else {
			p.reload(append(slices.Clone(p.order), a.name)...)
		}
	case "swap":
		order := slices.Clone(p.order)
		slices.Reverse(order)
		p.reload(order...)
	case "move":
		p.file++
		p.reload(p.order...)
	case "concurrency":
		p.workers = 4 - p.workers
		p.reload(p.order...)
	case "empty":
		p.reload()
	}
}

// config returns the configuration of the rules in order.
func (p *reloads) config(order []string) config.Group {
	g := group("g")
	g.Key.File = fmt.Sprintf("%d.yml", p.file)
	g.Interval, g.Concurrency = time.Minute, p.workers
	g.EvalOffset.Set = true
	for _, name := range order {
		r := p.set[name].rule(name)
		if name == "R" {
			r.Kind, r.For, r.KeepFiringFor, r.Annotations = config.Recording, 0, 0, nil
		}
		g.Rules = append(g.Rules, r)
	}
	return g
}

// reload puts the rules of order in force: those that are gone say goodbye, and
// nobody else says anything.
func (p *reloads) reload(order ...string) {
	now := time.Now()
	var want modelOut
	for _, name := range p.order {
		if slices.Contains(order, name) {
			continue
		}
		if m := p.models[name]; m != nil {
			out := m.farewell(now)
			want.writes, want.sends = append(want.writes, out.writes...), append(want.sends, out.sends...)
			delete(p.models, name)
		}
		if name == "R" {
			want.writes = append(want.writes, p.endRecord(nil, p.lastR.Add(time.Millisecond))...)
		}
	}
	for _, name := range order {
		if name != "R" && p.models[name] == nil {
			p.models[name] = &modelRule{name: name, interval: time.Minute, errors: 5 * time.Minute}
		}
		if name != "R" {
			p.models[name].setting = p.set[name]
		}
	}
	p.order = order
	p.apply(p.config(order))
	synctest.Wait()
	p.check(now, want)
}

// round waits for the next slot and half a minute more.
func (p *reloads) round() {
	p.pass(30 * time.Second)
	if len(p.order) > 0 {
		p.evaluated(time.Now(), time.Now())
	}
	p.pass(30 * time.Second)
}

// evaluated checks a round for the time at.
func (p *reloads) evaluated(at, now time.Time) {
	var want modelOut
	for i, name := range p.order {
		if name == "R" {
			want.writes = append(want.writes, p.recorded(at)...)
			continue
		}
		out := p.models[name].eval(at, now, p.answers[name])
		want.writes, want.sends = append(want.writes, out.writes...), append(want.sends, out.sends...)
		compareAlerts(p, at, p.models[name], p.manager.Groups()[0].Rules[i].Alerts)
	}
	p.check(at, want)
}

// recorded is what R writes.
func (p *reloads) recorded(at time.Time) []string {
	answer := p.answers["R"]
	if answer.fails {
		return nil
	}
	m := modelRule{name: "R", setting: p.set["R"]}
	lives := map[string]bool{}
	var out []string
	for _, s := range answer.samples {
		l := m.recordedAs(s)
		if lives[l.String()] {
			return nil
		}
		lives[l.String()] = true
		out = append(out, sample(l, fmt.Sprint(s.v), at))
	}
	out = append(out, p.endRecord(lives, at)...)
	p.record, p.lastR = lives, at
	return out
}

// endRecord ends the series of R that are not among lives.
func (p *reloads) endRecord(lives map[string]bool, at time.Time) []string {
	var out []string
	for _, l := range slices.Sorted(maps.Keys(p.record)) {
		if !lives[l] {
			out = append(out, fmt.Sprintf("%s stale @%d", l, at.UnixMilli()))
			delete(p.record, l)
		}
	}
	return out
}

// check compares what was told with what should have been.
func (p *reloads) check(at time.Time, want modelOut) {
	series := p.appender.Appended()
	var alerts []rules.Alert
	for _, n := range p.notifier.Sent() {
		alerts = append(alerts, n.Alerts...)
	}
	want.sort()
	want.err = false
	compare(p, at, want, modelOut{writes: writes(series), sends: sends(alerts)})
	p.ledger.enter(p, series, alerts)
	var ms []*modelRule
	for _, m := range p.models {
		ms = append(ms, m)
	}
	p.ledger.balance(p, ms)
	recorded := map[string]bool{}
	for l := range p.ledger.live {
		if strings.Contains(l, `__name__="R"`) {
			recorded[l] = true
		}
	}
	if diff := cmp.Diff(p.record, recorded); diff != "" {
		p.Fatalf("live series of R (-want +got):\n%s", diff)
	}
}
