package rules_test

import (
	"testing"
	"time"

	"tocsin/config"
	"tocsin/rules"
)

// doubles are two rules whose alerts have the same labels.
func doubles(secondFor time.Duration) config.Group {
	return group("g", alerting("A", "f", 0), alerting("A", "p", secondFor))
}

func TestRemovedRuleDoesNotResolveWhatAnotherGoesOnToFire(t *testing.T) {
	e := after(holding(doubles(0), doubles(0).Rules[1]))
	e.before = []config.Group{doubles(0)}
	e.expect(t, `
		25s changed g
		30s asked p; told {g A} firing 0s
		40s asked p; told {g A} firing 0s
		50s asked p; told {g A} firing 0s`)
}

// For Alertmanager the alert is over, while its clock goes on.
func TestRemovedRuleResolvesWhatIsOnlyPendingElsewhere(t *testing.T) {
	g := doubles(40 * time.Second)
	e := after(holding(g, g.Rules[1]))
	e.before = []config.Group{g}
	e.expect(t, `
		25s changed g, resolves 1; told {g A} resolved 0s-25s; ended ALERTS{g A firing} at 20.001s
		30s asked p
		40s asked p; told {g A} firing 40s; ended ALERTS{g A pending}
		50s asked p; told {g A} firing 40s`)
}

func TestRemovedGroupDoesNotResolveWhatAnotherGroupGoesOnToFire(t *testing.T) {
	one, two := alerting("A", "f", 0), alerting("A", "p", 0)
	for name, c := range map[string]struct {
		second config.Group
		did    string
	}{
		"kept":    {group("h", two), "25s removed g, kept 1"},
		"changed": {group("h", alerting("A", "p", time.Second)), "25s changed h, removed g"},
	} {
		t.Run(name, func(t *testing.T) {
			e := after(c.second)
			e.before = []config.Group{group("g", one), group("h", two)}
			e.options = func(o *rules.Options) { o.DisableAlertgroup = true }
			e.expect(t, c.did+`
				30s asked p; told {A} firing 0s
				40s asked p; told {A} firing 0s
				50s asked p; told {A} firing 0s`)
		})
	}
}

func TestAlertOfTwoRemovedRulesIsResolvedOnce(t *testing.T) {
	for name, groups := range map[string][]config.Group{
		"of one group":  {group("g", alerting("A", "f", 0), alerting("A", "p", 0))},
		"of two groups": {group("g", alerting("A", "f", 0)), group("h", alerting("A", "p", 0))},
	} {
		t.Run(name, func(t *testing.T) {
			e := after(inFile("other.yml", group("i", recording("h", "h"))))
			e.before = append(groups, e.after[0].Groups[0])
			e.options = func(o *rules.Options) { o.DisableAlertgroup = true }
			want := "25s removed g, kept 1, resolves 1; "
			if len(groups) == 2 {
				want = "25s removed g, removed h, kept 1, resolves 1; "
			}
			e.expect(t, want+`told {A} resolved 0s-25s; `+
				`ended ALERTS{A firing} at 20.001s, ALERTS_FOR_STATE{A} at 20.001s
				30s asked h
				40s asked h
				50s asked h`)
		})
	}
}

// Several rules may record series of one name.
func TestRemovedRecordingRuleEndsOnlyItsOwnSeries(t *testing.T) {
	a, b := recording("r", "f"), recording("r", "p")
	a.Labels = []config.Pair{{Name: "part", Value: "a"}}
	b.Labels = []config.Pair{{Name: "part", Value: "b"}}
	e := after(group("g", b))
	e.before = []config.Group{group("g", a, b)}
	e.expect(t, `
		25s changed g; ended r{a} at 20.001s
		30s asked p
		40s asked p
		50s asked p`)
}
