package rules_test

import (
	"testing"
	"testing/synctest"
	"time"

	"tocsin/rules/rulestest"
)

// Groups of one name, with rules of one name, are told apart by their files.
func TestMetricsOfGroupsOfOneNameAreToldApartByFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.datasource.Set("one", rulestest.Sample(1))
		one, two := group("g", alerting("A", "one", 0)), group("g", alerting("A", "two", 0))
		one.Key.File, two.Key.File = "one.yml", "two.yml"
		w.apply(one, two)
		w.pass(time.Second)
		one.Interval = 20 * time.Second
		w.apply(one, two)
		for _, want := range []string{
			`vmalert_iteration_interval_seconds{group="g",file="one.yml"} 20`,
			`vmalert_iteration_interval_seconds{group="g",file="two.yml"} 10`,
			`vmalert_iteration_total{group="g",file="two.yml"} 1`,
		} {
			if !w.metric(want + "\n") {
				t.Errorf("there is no %s", want)
			}
		}
		firing := map[string]int{}
		for _, s := range w.manager.Groups() {
			firing[s.Group.Key.File] = s.Rules[0].Firing()
		}
		if firing["one.yml"] != 1 || firing["two.yml"] != 0 {
			t.Errorf("alerts by file: %v", firing)
		}
	})
}
