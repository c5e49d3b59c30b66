package rules_test

import (
	"testing"
	"time"

	"tocsin/config"
	"tocsin/rules"
)

func TestRemovedRulesAreResolvedAndEndedOnce(t *testing.T) {
	g := usual()
	after(holding(g)).expect(t, `
		25s changed g, resolves 1, resets 1; told {g F} resolved 0s-25s; `+
		`ended ALERTS{g F firing} at 20.001s, ALERTS_FOR_STATE{g F} at 20.001s, `+
		`ALERTS{g P pending} at 20.001s, ALERTS_FOR_STATE{g P} at 20.001s, r{} at 10.001s`)
}

func TestRemovingOneRuleLeavesTheOthersAlone(t *testing.T) {
	g := usual()
	after(holding(g, g.Rules[1], g.Rules[2])).expect(t, `
		25s changed g, resolves 1; told {g F} resolved 0s-25s; `+
		`ended ALERTS{g F firing} at 20.001s, ALERTS_FOR_STATE{g F} at 20.001s
		30s asked p r
		40s asked p r; told {g P} firing 40s; ended ALERTS{g P pending}
		50s asked p r; told {g P} firing 40s`)
}

// What everything that is usual says when it is gone.
const farewell = `resolves 1, resets 1; told {g F} resolved 0s-25s; ` +
	`ended ALERTS{g F firing} at 20.001s, ALERTS_FOR_STATE{g F} at 20.001s, ` +
	`ALERTS{g P pending} at 20.001s, ALERTS_FOR_STATE{g P} at 20.001s, r{} at 10.001s`

func TestRemovedGroupIsResolvedAndEndedOnce(t *testing.T) {
	h := group("h", recording("h", "h"))
	e := after(h)
	e.before = []config.Group{usual(), h}
	e.expect(t, "25s removed g, kept 1, "+farewell+`
		30s asked h
		40s asked h
		50s asked h`)
}

func TestRemovedFileIsResolvedAndEndedOnce(t *testing.T) {
	h := inFile("h.yml", group("h", recording("h", "h")))
	e := after(h)
	e.before = []config.Group{usual(), inFile("f.yml", group("i", recording("i", "h"))), h}
	e.expect(t, "25s removed g, removed i, kept 1, "+farewell+`, i{} at 20.001s
		30s asked h
		40s asked h
		50s asked h`)
}

func TestEverythingRemovedIsResolvedAndEndedOnce(t *testing.T) {
	after().expect(t, "25s removed g, "+farewell)
}

// As vmalert does: alerts expire at Alertmanager, and series in storage.
func TestSilentRemovalSaysNothing(t *testing.T) {
	e := after()
	e.options = func(o *rules.Options) { o.SilentRemoval = true }
	e.expect(t, "25s removed g, resolves 1, resets 1")
}

// An alert that only keep_firing_for holds fires, and one that ended is told
// no more.
func TestRemovedRuleResolvesWhatFiresOnly(t *testing.T) {
	held := alerting("H", "h", 0)
	held.KeepFiringFor = time.Hour
	e := after()
	e.before = []config.Group{group("g", alerting("F", "f", 0), held)}
	e.meanwhile = func(w *world) {
		w.datasource.Set("f")
		w.datasource.Set("h")
		w.pass(10 * time.Second)
		w.forget()
	}
	e.expect(t, `
		35s removed g, resolves 1; told {g H} resolved 0s-35s; `+
		`ended ALERTS{g H firing} at 30.001s, ALERTS_FOR_STATE{g H} at 30.001s`)
}
