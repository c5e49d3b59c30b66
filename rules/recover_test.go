package rules_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/config"
	"tocsin/rules"
	"tocsin/rules/rulestest"
)

// remembered is what a rule shows of its past.
type remembered struct {
	Alerts  []rules.Instance
	History []rules.Update
}

// remembered returns what rules show, by name.
func (w *world) remembered() map[string]remembered {
	all := map[string]remembered{}
	for _, g := range w.manager.Groups() {
		for _, r := range g.Rules {
			m := remembered{Alerts: r.Alerts()}
			for u := range r.History.All() {
				m.History = append(m.History, *u)
			}
			all[r.Rule.Name] = m
		}
	}
	return all
}

// eventful is a group of which at 65s F fires, P is pending, K is held by
// keep_firing_for, R was resolved and E fails, and s is recorded.
func eventful() config.Group {
	held := alerting("K", "cleared", 0)
	held.KeepFiringFor = time.Hour
	annotated := alerting("F", "f", 0)
	annotated.Annotations = []config.Pair{{Name: "summary", Value: "{{value}}"}}
	return group("g", annotated, alerting("P", "p", 100*time.Second), held,
		alerting("R", "cleared", 0), alerting("E", "e", 0), recording("s", "f"))
}

// untilCrash runs groups with a journal for 65 seconds, and ends the process.
func untilCrash(t *testing.T, groups ...config.Group) (w *world, j *journal, start time.Time) {
	w, start = newWorld(t), time.Now()
	j = w.journaled()
	for _, expr := range []string{"f", "p", "cleared", "e"} {
		w.datasource.Set(expr, rulestest.Sample(7, "instance", "i"))
	}
	w.apply(groups...)
	w.pass(35 * time.Second)
	w.datasource.Set("cleared")
	w.datasource.Fail("e", errors.New("no answer"))
	w.pass(30 * time.Second)
	return w, j, start
}

// down ends the process and lets time pass before the next one.
func (w *world) down(j *journal, d time.Duration) {
	w.crash(j)
	w.pass(d)
	w.forget()
}

func TestRestartShowsWhatWasShownBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, j, start := untilCrash(t, eventful())
		before, began := w.remembered(), w.manager.Groups()[0].LastEvaluation
		if got, want := w.shown(start), "F firing since 0s, P pending since 0s, K firing since 0s, "+
			"R inactive since 0s, E firing since 0s"; got != want {
			t.Fatalf("shown is %q, want %q", got, want)
		}
		w.down(j, 2*time.Second)
		w.datasource.Hang()
		w.apply(eventful())
		if diff := cmp.Diff(before, w.remembered(), cmp.Comparer(sameLabels)); diff != "" {
			t.Errorf("shown (-before +after the restart):\n%s", diff)
		}
		if got := w.manager.Groups()[0].LastEvaluation; got != began {
			t.Errorf("the last evaluation is shown to be at %s, want %s", got.Time(), began.Time())
		}
	})
}

func TestRestartGoesOnAsIfNothingHadBeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, j, start := untilCrash(t, eventful())
		w.down(j, 2*time.Second)
		w.slow(time.Millisecond)
		w.apply(eventful())
		w.notifier.Sent() // the reminder
		w.pass(time.Second)
		const again = `{g F i} firing 0s "7", {g K i} firing 0s, {g R i} resolved 0s-40s, {g E i} firing 0s`
		if got := joined(w.toldAlerts(start)); got != again {
			t.Errorf("told %s at first, want %s", got, again)
		}
		w.pass(30 * time.Second)
		w.notifier.Sent()
		w.pass(10 * time.Second)
		const later = `{g F i} firing 0s "7", {g P i} firing 1m40s, {g K i} firing 0s, {g R i} resolved 0s-40s, {g E i} firing 0s`
		if got := joined(w.toldAlerts(start)); got != later {
			t.Errorf("told %s when P was due, want %s", got, later)
		}
	})
}

func TestConditionThatClearedWhileDownIsResolvedAtTheFirstEvaluation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, j, start := untilCrash(t, group("g", alerting("F", "f", 0)))
		w.datasource.Set("f")
		w.down(j, 2*time.Minute)
		w.apply(group("g", alerting("F", "f", 0)))
		w.pass(time.Second)
		if got, want := joined(w.toldAlerts(start)), "{g F i} resolved 0s-3m0s"; got != want {
			t.Errorf("told %q, want %q", got, want)
		}
	})
}

func TestGroupThatChangedWhileDownKeepsItsState(t *testing.T) {
	g := group("g", alerting("F", "f", 0), alerting("P", "p", time.Hour))
	for name, after := range map[string][]config.Group{
		"moved to another file": {inFile("new.yml", g)},
		"renamed":               {named("new", g)},
		"renamed and moved":     {inFile("new.yml", named("new", g))},
		"split":                 {holding(g, g.Rules[0]), named("new", holding(g, g.Rules[1]))},
		"rules reordered":       {holding(g, g.Rules[1], g.Rules[0])},
		"edited":                {holding(g, alerting("F", "f + 0", time.Second), alerting("P", "p", 2*time.Hour))},
		"rules renamed":         {holding(g, alerting("F2", "f", 0), alerting("P2", "p", time.Hour))},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, j, start := untilCrash(t, g)
				w.datasource.Set("f + 0", rulestest.Sample(7, "instance", "i"))
				w.down(j, 10*time.Second)
				w.apply(after...)
				w.pass(time.Second)
				if got := w.shown(start); strings.Count(got, "firing since 0s") != 1 || strings.Count(got, "pending since 0s") != 1 {
					t.Errorf("shown is %q, want both clocks to go on", got)
				}
			})
		})
	}
}

// Storage is asked only for what the journal does not have.
func TestStorageIsAskedOnlyForRulesThatAreNotOnRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, start := newWorld(t), time.Now()
		j := w.journaled()
		w.restores()
		w.datasource.Set("p", rulestest.Sample(1))
		w.apply(group("g", alerting("P", "p", time.Hour)))
		w.pass(5 * time.Second)
		w.down(j, 10*time.Second)
		w.storage.Asked()
		w.apply(group("g", alerting("P", "p", time.Hour), alerting("N", "p", time.Hour)))
		w.pass(25 * time.Second)
		asked := exprs(w.storage.Asked())
		if !strings.Contains(asked, `alertname="N"`) || strings.Contains(asked, `alertname="P"`) {
			t.Errorf("asked storage %s, want N alone", asked)
		}
		if got, want := w.shown(start), "P pending since 0s, N pending since 10s"; got != want {
			t.Errorf("shown is %q, want %q", got, want)
		}
	})
}
