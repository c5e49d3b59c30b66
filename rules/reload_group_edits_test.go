package rules_test

import (
	"slices"
	"testing"
	"time"

	"tocsin/config"
	"tocsin/rules/rulestest"
)

// Settings that change neither what is asked when nor what is told disturb
// nothing. That each is in force afterwards is seen by
// TestReloadPutsEverySettingOfAGroupInForce.
func TestEditedSettingsOfAGroupDisturbNothing(t *testing.T) {
	header := []config.Pair{{Name: "X-Scope", Value: "team"}}
	for name, change := range map[string]func(*config.Group){
		"params":               func(g *config.Group) { g.Params = map[string][]string{"nocache": {"1"}} },
		"headers":              func(g *config.Group) { g.Headers = header },
		"notifier_headers":     func(g *config.Group) { g.NotifierHeaders = header },
		"type":                 func(g *config.Group) { g.Type = config.Graphite },
		"debug":                func(g *config.Group) { g.Debug, g.Rules[0].Debug = true, true },
		"limit":                func(g *config.Group) { g.Limit = 1 },
		"eval_alignment":       func(g *config.Group) { g.EvalAlignment = false },
		"concurrency":          func(g *config.Group) { g.Concurrency = 3 },
		"update_entries_limit": func(g *config.Group) { g.Rules[0].UpdateEntries = 10 },
	} {
		t.Run(name, func(t *testing.T) {
			g := usual()
			change(&g)
			after(g).expect(t, "25s changed g"+undisturbed)
		})
	}
}

// The rule is unhealthy, and the alerts that fire go on being told.
func TestLimitBelowTheNumberOfAlertsKeepsThem(t *testing.T) {
	g := usual()
	g.Limit = 1
	e := after(g)
	e.meanwhile = func(w *world) { w.datasource.Set("f", rulestest.Sample(1), rulestest.Sample(1, "x", "y")) }
	e.expect(t, "25s changed g"+undisturbed)
}

func TestReorderedRulesKeepTheirState(t *testing.T) {
	g := usual()
	slices.Reverse(g.Rules)
	after(g).expect(t, `
		25s changed g
		30s asked f p r; told {g F} firing 0s
		40s asked f p r; told {g P} firing 40s, {g F} firing 0s; ended ALERTS{g P pending}
		50s asked f p r; told {g P} firing 40s, {g F} firing 0s`)
}

func TestRuleAddedInFrontLeavesTheOthersAlone(t *testing.T) {
	g := usual()
	g.Rules = slices.Insert(g.Rules, 0, alerting("N", "new f", 0))
	after(g).expect(t, `
		25s changed g
		30s asked f new f p r; told {g N} firing 30s, {g F} firing 0s
		40s asked f new f p r; told {g N} firing 30s, {g F} firing 0s, {g P} firing 40s; ended ALERTS{g P pending}
		50s asked f new f p r; told {g N} firing 30s, {g F} firing 0s, {g P} firing 40s`)
}

func TestEditedGroupLabelMovesTheClock(t *testing.T) {
	g := usual()
	g.Labels = []config.Pair{{Name: "team", Value: "db"}}
	after(g).expect(t, `
		25s changed g, resolves 1
		30s asked f p r; told {g F} resolved 0s-30s, {g F db} firing 0s; `+
		`ended ALERTS{g F firing}, ALERTS_FOR_STATE{g F}, ALERTS{g P pending}, ALERTS_FOR_STATE{g P}, r{}
		40s asked f p r; told {g F db} firing 0s, {g P db} firing 40s; ended ALERTS{g P pending db}
		50s asked f p r; told {g F db} firing 0s, {g P db} firing 40s`)
}

func TestShorterIntervalCountsFromTheLastEvaluation(t *testing.T) {
	g := usual()
	g.Interval = 6 * time.Second
	g.EvalAlignment = false
	after(g).expect(t, `
		25s changed g
		26s asked f p r; told {g F} firing 0s
		32s asked f p r; told {g F} firing 0s
		38s asked f p r; told {g F} firing 0s
		44s asked f p r; told {g F} firing 0s, {g P} firing 44s; ended ALERTS{g P pending}
		50s asked f p r; told {g F} firing 0s, {g P} firing 44s`)
}

// Since the last evaluation more than the new interval has passed: it is due.
func TestMuchShorterIntervalIsDueAtOnce(t *testing.T) {
	g := usual()
	g.Interval = 4 * time.Second
	g.EvalAlignment = false
	g.Rules = g.Rules[:1]
	e := after(g)
	e.before = []config.Group{usual()}
	e.before[0].Rules = e.before[0].Rules[:1]
	e.due = true
	e.expect(t, `
		25s changed g; asked f for 24s; told {g F} firing 0s
		28s asked f; told {g F} firing 0s
		32s asked f; told {g F} firing 0s
		36s asked f; told {g F} firing 0s
		40s asked f; told {g F} firing 0s
		44s asked f; told {g F} firing 0s
		48s asked f; told {g F} firing 0s
		52s asked f; told {g F} firing 0s`)
}

func TestLongerIntervalCountsFromTheLastEvaluation(t *testing.T) {
	g := usual()
	g.Interval = 30 * time.Second
	after(g).expect(t, `
		25s changed g
		50s asked f for 30s p for 30s r for 30s; told {g F} firing 0s`)
}

func TestNewOffsetCountsFromTheNextSlotOn(t *testing.T) {
	g := usual()
	g.EvalOffset = config.Duration{Duration: 7 * time.Second, Set: true}
	after(g).expect(t, `
		25s changed g
		27s asked f p r; told {g F} firing 0s
		37s asked f p r; told {g F} firing 0s
		47s asked f p r; told {g F} firing 0s, {g P} firing 47s; ended ALERTS{g P pending}`)
}

// The slot of the new offset that lies between the last evaluation and the reload
// is made up for.
func TestNewOffsetSkipsNothing(t *testing.T) {
	g := usual()
	g.EvalOffset = config.Duration{Duration: 3 * time.Second, Set: true}
	e := after(g)
	e.due = true
	e.expect(t, `
		25s changed g; asked f for 23s p for 23s r for 23s; told {g F} firing 0s
		33s asked f p r; told {g F} firing 0s
		43s asked f p r; told {g F} firing 0s, {g P} firing 43s; ended ALERTS{g P pending}
		53s asked f p r; told {g F} firing 0s, {g P} firing 43s`)
}

// Without an offset the group stays in the place it had.
func TestRemovedOffsetKeepsTheSchedule(t *testing.T) {
	g := usual()
	g.EvalOffset.Set = true
	e := after(usual())
	e.before = []config.Group{g}
	e.expect(t, "25s changed g"+undisturbed)
}

func TestLongerDelayLooksAgainAtWhatWasSeen(t *testing.T) {
	g := usual()
	g.EvalDelay = config.Duration{Duration: 10 * time.Second, Set: true}
	after(g).expect(t, `
		25s changed g
		30s asked f for 20s p for 20s r for 20s; told {g F} firing 0s
		40s asked f for 30s p for 30s r for 30s; told {g F} firing 0s
		50s asked f for 40s p for 40s r for 40s; told {g F} firing 0s, {g P} firing 40s; ended ALERTS{g P pending} at 40s`)
}

func TestShorterDelayMovesTheTimeOfQueriesOnly(t *testing.T) {
	before, g := usual(), usual()
	before.EvalDelay = config.Duration{Duration: 10 * time.Second, Set: true}
	g.EvalDelay = config.Duration{}
	e := after(g)
	e.before = []config.Group{before}
	e.expect(t, `
		25s changed g
		30s asked f p r; told {g F} firing -10s, {g P} firing 30s; ended ALERTS{g P pending}
		40s asked f p r; told {g F} firing -10s, {g P} firing 30s
		50s asked f p r; told {g F} firing -10s, {g P} firing 30s`)
}
