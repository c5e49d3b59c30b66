package rules_test

import (
	"strconv"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"tocsin/config"
	"tocsin/rules"
	"tocsin/rules/rulestest"
)

// load has files loaded and compares what comes of it with what had to.
func (p *scene) load(a act) {
	deps := *p.deps
	deps.Templates = modelTemplates{rulestest.Templates{Version: a.version}}
	plan := rules.Plan{Files: a.files.plan(), Deps: &deps, AllOrNothing: p.strict}
	foreseen, err := p.manager.Preview(plan)
	if err != nil {
		p.Fatalf("preview: %v", err)
	}
	p.compare(modelOut{}) // nothing has happened
	change, err := p.manager.Apply(plan)
	if err != nil {
		p.Fatalf("apply: %v", err)
	}
	synctest.Wait()
	foreseen.Problems, change.Problems = nil, nil
	if diff := cmp.Diff(foreseen, change); diff != "" {
		p.Fatalf("what was done was not foreseen (-foreseen +done):\n%s", diff)
	}
	if change.Refused != a.refused {
		p.Fatalf("refused: %t, want %t", change.Refused, a.refused)
	}
	var goodbyes modelOut
	if !a.refused {
		p.compareTotals(a.next, change.Totals())
		goodbyes = p.succeed(a.next)
	}
	p.compare(goodbyes)
}

// compareTotals compares what a reload says it did with what it had to do.
func (p *scene) compareTotals(next modelFiles, got rules.Totals) {
	wasGroups, was := p.force.census()
	groups, is := next.census()
	var kept, added, removed int
	for number, g := range groups {
		if w, ok := wasGroups[number]; ok && g.asIt(w) {
			kept++
		}
	}
	for number := range is {
		if _, ok := was[number]; !ok {
			added++
		}
	}
	for number := range was {
		if _, ok := is[number]; !ok {
			removed++
		}
	}
	if got.Groups.Kept != kept || got.Rules.Added != added || got.Rules.Removed != removed {
		p.Fatalf("did %+v, want %d groups kept, %d rules added and %d removed", got, kept, added, removed)
	}
}

// asIt reports whether a group is as it was.
func (g placed) asIt(was placed) bool {
	return g.file == was.file && g.name == was.name && g.version == was.version && g.content() == was.content()
}

// succeed puts next in force and returns the goodbyes of what is gone.
func (p *scene) succeed(next modelFiles) modelOut {
	groups, nodes := next.census()
	_, before := p.force.census()
	var gone []*modelRule
	for _, g := range p.force.groups() {
		for _, n := range g.rules {
			if _, ok := nodes[n.number]; !ok {
				gone = append(gone, &p.rules[n.number].modelRule)
			}
		}
	}
	models, clocks := map[int]*tracked{}, map[int]*groupClock{}
	for number, n := range nodes {
		r := p.rules[number]
		if r == nil {
			r = &tracked{modelRule: modelRule{
				kind: n.kind, of: strconv.Itoa(n.of), resend: p.deps.Options.ResendDelay, errors: p.deps.Options.ErrorResend,
			}}
		}
		if was, ok := before[number]; !ok || was.group.number != n.group.number {
			p.ledger.restart(r.of)
		}
		r.put(n, p.deps.Options.DisableAlertgroup)
		models[number] = r
	}
	for number, g := range groups {
		clocks[number] = p.clocks[g.after].passOn(g.after == number)
	}
	for number, r := range models {
		if _, ok := before[number]; !ok && r.follows(gone) {
			panic(unclear{})
		}
	}
	p.force, p.rules, p.clocks = next, models, clocks
	p.share()
	return p.farewells(gone)
}

// follows reports whether the rule, which is new, may tell of the same as one that
// is gone, and is told under another name by now, remembers. The one begins while
// the other ends, and nobody knows which is first.
func (m *modelRule) follows(gone []*modelRule) bool {
	for _, g := range gone {
		if g.kind != m.kind || g.of != m.of || g.name == m.name {
			continue
		}
		for i := range g.alerts {
			if g.alerts[i].labels.Get(labels.AlertName) == m.name {
				return true
			}
		}
		for _, l := range g.recorded {
			if l.Get(model.MetricNameLabel) == m.name {
				return true
			}
		}
	}
	return false
}

// passOn returns the clock of a group that goes on with this one, or of which it
// is merely the schedule.
func (c *groupClock) passOn(same bool) *groupClock {
	if c == nil {
		return new(groupClock)
	}
	next := *c
	if !same {
		next.rounds = 0
	}
	return &next
}

// put has the rule be as n says.
func (m *modelRule) put(n known, disableAlertgroup bool) {
	m.name, m.setting, m.version = n.name, n.set, n.group.version
	m.interval, m.site, m.setting.limit = n.group.set.interval, n.group.set.site, n.group.set.limit
	if m.kind == config.Alerting && !disableAlertgroup {
		m.group = n.group.name
	}
}

// share takes results that several rules ask for out of the ledger.
func (p *scene) share() {
	asked := map[string]bool{}
	for _, r := range p.rules {
		if asked[r.of] {
			p.ledger.off[r.of] = true
			p.ledger.forget(r.of)
		}
		asked[r.of] = true
	}
}

// farewells returns what is told of the end of rules that are gone: nothing that
// another rule tells of, and nothing twice.
func (p *scene) farewells(gone []*modelRule) (out modelOut) {
	told := p.told(nil)
	for _, m := range gone {
		if p.deps.Options.SilentRemoval {
			p.ledger.forget(m.of)
			continue
		}
		o := m.farewell(time.Now(), told)
		out.writes, out.sends = append(out.writes, o.writes...), append(out.sends, o.sends...)
		told.add(m.told())
	}
	return out
}
