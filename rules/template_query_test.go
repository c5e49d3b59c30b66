package rules_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/config"
	"tocsin/rules"
	"tocsin/rules/rulestest"
)

// A template that asks a datasource which does not answer holds up its own group.
func TestHungQueryOfATemplateHoldsUpNoReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.deps.Templates = &spy{}
		w.datasource.Set("a", rulestest.Sample(1))
		w.datasource.Set("b", rulestest.Sample(1))
		hung := false
		w.datasource.Hook(func(ctx context.Context, q rules.Query) error {
			if q.Expr != "from a template" {
				return nil
			}
			hung = true
			<-ctx.Done()
			return ctx.Err()
		})
		r := alerting("A", "a", 0)
		r.Annotations = []config.Pair{{Name: "summary", Value: "any"}}
		w.apply(group("g", r), group("h", alerting("B", "b", 0)))
		w.pass(5 * time.Second)
		before := time.Now()
		groups := w.manager.Groups()
		if !w.metric(`vmalert_iteration_total{group="h",file="f.yml"} 1`) {
			t.Error("the other group is not evaluated")
		}
		if !hung || groups[0].LastEvaluation != 0 || groups[1].Rules[0].Firing() != 1 {
			t.Errorf("hung %t, readers see %+v and %+v", hung, groups[0], groups[1])
		}
		if waited := time.Since(before); waited != 0 {
			t.Errorf("readers waited %s", waited)
		}
	})
}
