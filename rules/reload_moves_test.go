package rules_test

import (
	"slices"
	"testing"
	"time"

	"tocsin/config"
	"tocsin/rules"
)

// inFile returns g as a group of another file.
func inFile(file string, g config.Group) config.Group {
	g.Key.File = file
	return g
}

// named returns g under another name.
func named(name string, g config.Group) config.Group {
	g.Key.Name = name
	return g
}

// holding returns g with other rules.
func holding(g config.Group, rs ...config.Rule) config.Group {
	g.Rules = rs
	return g
}

// Nothing that anybody outside knows of a group has the file in it.
func TestRenamedFileDisturbsNothing(t *testing.T) {
	after(inFile("new.yml", usual())).expect(t, "25s moved g"+undisturbed)
}

func TestRenamedFileOfSeveralGroupsDisturbsNothing(t *testing.T) {
	h := group("h", alerting("H", "h", 0))
	e := after(inFile("new.yml", h), inFile("new.yml", usual()))
	e.before = []config.Group{usual(), h}
	e.expect(t, `
		25s moved h, moved g
		30s asked f h p r; told {g F} firing 0s, {h H} firing 0s
		40s asked f h p r; told {g F} firing 0s, {g P} firing 40s, {h H} firing 0s; ended ALERTS{g P pending}
		50s asked f h p r; told {g F} firing 0s, {g P} firing 40s, {h H} firing 0s`)
}

func TestGroupMovedToAnotherFileDisturbsNothing(t *testing.T) {
	h := inFile("h.yml", group("h"))
	e := after(h, inFile("h.yml", usual()))
	e.before = []config.Group{usual(), h}
	e.expect(t, "25s moved g, kept 1"+undisturbed)
}

// Two files swap the groups of one name: each is found by what it says.
func TestGroupsOfOneNameThatSwapFilesKeepTheirMemory(t *testing.T) {
	h := inFile("h.yml", holding(usual(), alerting("H", "h", 0)))
	e := after(inFile("new.yml", h), inFile("h2.yml", usual()))
	e.before = []config.Group{usual(), h}
	e.expect(t, `
		25s moved g, moved g
		30s asked f h p r; told {g F} firing 0s, {g H} firing 0s
		40s asked f h p r; told {g F} firing 0s, {g P} firing 40s, {g H} firing 0s; ended ALERTS{g P pending}
		50s asked f h p r; told {g F} firing 0s, {g P} firing 40s, {g H} firing 0s`)
}

// The name of the group is a label of its alerts.
const renamedGroup = `
	30s asked f p r; told {g F} resolved 0s-30s, {new F} firing 0s; ` +
	`ended ALERTS{g F firing}, ALERTS_FOR_STATE{g F}, ALERTS{g P pending}, ALERTS_FOR_STATE{g P}
	40s asked f p r; told {new F} firing 0s, {new P} firing 40s; ended ALERTS{new P pending}
	50s asked f p r; told {new F} firing 0s, {new P} firing 40s`

func TestRenamedGroupMovesTheClock(t *testing.T) {
	after(named("new", usual())).expect(t, "25s moved new, resolves 1"+renamedGroup)
}

func TestRenamedAndEditedGroupMovesTheClock(t *testing.T) {
	g := named("new", usual())
	g.Params = map[string][]string{"nocache": {"1"}}
	after(g).expect(t, "25s added new, removed g, resolves 1"+renamedGroup)
}

func TestRenamedGroupWithoutItsLabelDisturbsNothing(t *testing.T) {
	e := after(inFile("new.yml", named("new", usual())))
	e.options = func(o *rules.Options) { o.DisableAlertgroup = true }
	e.expect(t, `
		25s added new, removed g
		30s asked f p r; told {F} firing 0s
		40s asked f p r; told {F} firing 0s, {P} firing 40s; ended ALERTS{P pending}
		50s asked f p r; told {F} firing 0s, {P} firing 40s`)
}

func TestRuleMovedToAnotherGroupTakesItsClockAlong(t *testing.T) {
	g, h := usual(), group("h", alerting("H", "h", 0))
	moved := g.Rules[:2]
	e := after(holding(g, g.Rules[2]), holding(h, slices.Concat(h.Rules, moved)...))
	e.before = []config.Group{g, h}
	e.expect(t, `
		25s changed g, changed h, resolves 1
		30s asked f h p r; told {h H} firing 0s, {g F} resolved 0s-30s, {h F} firing 0s; `+
		`ended ALERTS{g F firing}, ALERTS_FOR_STATE{g F}, ALERTS{g P pending}, ALERTS_FOR_STATE{g P}
		40s asked f h p r; told {h H} firing 0s, {h F} firing 0s, {h P} firing 40s; ended ALERTS{h P pending}
		50s asked f h p r; told {h H} firing 0s, {h F} firing 0s, {h P} firing 40s`)
}

// A recorded series does not say which group it comes from.
func TestRecordingRuleMovedToAnotherGroupEndsNothing(t *testing.T) {
	g, h := usual(), group("h", alerting("H", "h", 0))
	e := after(holding(g, g.Rules[:2]...), inFile("h.yml", holding(h, h.Rules[0], g.Rules[2])))
	e.before = []config.Group{g, inFile("h.yml", h)}
	e.expect(t, `
		25s changed g, changed h
		30s asked f h p r; told {g F} firing 0s, {h H} firing 0s
		40s asked f h p r; told {g F} firing 0s, {g P} firing 40s, {h H} firing 0s; ended ALERTS{g P pending}
		50s asked f h p r; told {g F} firing 0s, {g P} firing 40s, {h H} firing 0s`)
}

// Both parts go on at the pace of the group they were.
func TestGroupSplitInTwoKeepsStateAndSchedule(t *testing.T) {
	g := usual()
	rest, moved := holding(g, g.Rules[1:]...), holding(named("new", g), g.Rules[0])
	after(rest, inFile("new.yml", moved)).expect(t, `
		25s changed g, added new, resolves 1
		30s asked f p r; told {g F} resolved 0s-30s, {new F} firing 0s; ended ALERTS{g F firing}, ALERTS_FOR_STATE{g F}
		40s asked f p r; told {g P} firing 40s, {new F} firing 0s; ended ALERTS{g P pending}
		50s asked f p r; told {g P} firing 40s, {new F} firing 0s`)
}

func TestGroupsMergedKeepState(t *testing.T) {
	h := group("h", alerting("H", "h", 0))
	both := usual()
	both.Rules = slices.Concat(both.Rules, h.Rules)
	e := after(both)
	e.before = []config.Group{usual(), h}
	e.expect(t, `
		25s changed g, removed h, resolves 1
		30s asked f h p r; told {g F} firing 0s, {h H} resolved 0s-30s, {g H} firing 0s; `+
		`ended ALERTS{h H firing}, ALERTS_FOR_STATE{h H}
		40s asked f h p r; told {g F} firing 0s, {g P} firing 40s, {g H} firing 0s; ended ALERTS{g P pending}
		50s asked f h p r; told {g F} firing 0s, {g P} firing 40s, {g H} firing 0s`)
}

// Which of the two went there cannot be known, so that it is not guessed.
func TestUnclearMoveStartsOver(t *testing.T) {
	one, two := alerting("F", "f", 0), alerting("F", "f > 0", time.Hour)
	h := group("h", alerting("H", "h", 0))
	e := after(group("g"), holding(h, h.Rules[0], alerting("F", "new f", 0)))
	e.before = []config.Group{group("g", one, two), h}
	e.was = map[string]string{"F": ""}
	e.expect(t, `
		25s changed g, changed h, resolves 1; told {g F} resolved 0s-25s; `+
		`ended ALERTS{g F firing} at 20.001s, ALERTS_FOR_STATE{g F} at 20.001s
		30s asked h new f; told {h H} firing 0s, {h F} firing 30s
		40s asked h new f; told {h H} firing 0s, {h F} firing 30s
		50s asked h new f; told {h H} firing 0s, {h F} firing 30s`)
}
