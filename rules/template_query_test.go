package rules_test

import (
	"context"
	"errors"
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

// failsOnce has the next query that a template makes fail, and no other.
func (w *world) failsOnce() {
	failed := false
	w.datasource.Hook(func(_ context.Context, q rules.Query) error {
		if failed || q.Expr != "template query" {
			return nil
		}
		failed = true
		return errors.New("no answer")
	})
}

// counted returns a rule with labels that a query makes.
func counted(names ...string) config.Rule {
	r := alerting("A", "a", 0)
	for _, name := range names {
		r.Labels = append(r.Labels, config.Pair{Name: name, Value: "{{query}}"})
	}
	return r
}

// An alert takes its clock along to the labels that an edit gives it. While these
// are not known, it stays where it is.
func TestFailingQueryOfALabelAfterAnEditChangesNoState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, start := newWorld(t), time.Now()
		w.datasource.Set("a", rulestest.Sample(1))
		w.datasource.Set("template query", rulestest.Sample(1), rulestest.Sample(2))
		r := counted("count")
		w.apply(group("g", r))
		w.pass(5 * time.Second)
		w.forget()
		w.failsOnce()
		r.Labels = append(r.Labels, config.Pair{Name: "team", Value: "x"})
		w.apply(group("g", r))
		w.pass(10 * time.Second)
		w.expect("told when the query fails", joined(w.toldAlerts(start)), "{g A 2} firing 0s")
		w.expect("ended when the query fails", joined(w.endedSeries(start)), "")
		u, _ := w.manager.Groups()[0].Rules[0].History.Last()
		w.expect("error", u.Error, "query of a label: no answer")
		w.pass(10 * time.Second)
		w.expect("told when it is answered", joined(w.toldAlerts(start)), "{g A 2} resolved 0s-20s, {g A 2 x} firing 0s")
	})
}

// That a later query is answered makes up for none that failed.
func TestFailingQueryOfOneOfSeveralLabelsChangesNoState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, start := newWorld(t), time.Now()
		w.datasource.Set("a", rulestest.Sample(1))
		w.datasource.Set("template query", rulestest.Sample(1), rulestest.Sample(2))
		w.apply(group("g", counted("first", "second")))
		w.pass(5 * time.Second)
		w.forget()
		w.failsOnce()
		w.pass(10 * time.Second)
		w.expect("told", joined(w.toldAlerts(start)), "{g A 2 2} firing 0s")
		w.expect("ended", joined(w.endedSeries(start)), "")
	})
}
