package rules_test

import (
	"context"
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
			m := remembered{Alerts: r.Alerts}
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

func TestRuleRemovedWhileDownSaysGoodbye(t *testing.T) {
	for name, c := range map[string]struct {
		after  []config.Group
		record string
	}{
		"rule":  {[]config.Group{group("g", recording("s", "f"))}, ""},
		"group": {[]config.Group{group("h", recording("s", "f"))}, ""},
		"all":   {nil, "no g"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, j, start := untilCrash(t, group("g", alerting("F", "f", 0), alerting("P", "p", time.Hour), recording("s", "f")))
				w.down(j, 10*time.Second)
				j.clear()
				w.datasource.Hang()
				w.apply(c.after...)
				want := []string{"told {g F i} resolved 0s-1m15s", "ended ALERTS{g F firing i} at 1m0.001s, " +
					"ALERTS_FOR_STATE{g F i} at 1m0.001s, ALERTS_FOR_STATE{g P i} at 1m0.001s, ALERTS{g P pending i} at 1m0.001s"}
				if name == "all" {
					want[1] += ", s{i} at 1m0.001s"
				}
				w.datasource.Asked()
				if diff := cmp.Diff(want, w.events(start)); diff != "" {
					t.Errorf("goodbye (-want +got):\n%s", diff)
				}
				if got := what(j.kept()); c.record != "" && (len(got) != 2 || got[1] != c.record) {
					t.Errorf("recorded %q, want the goodbye and %q", got, c.record)
				}
				w.crash(j)
				w.apply(c.after...)
				if got := joined(w.toldAlerts(start)); strings.Contains(got, "resolved") && name == "all" {
					t.Errorf("told %q after another restart", got)
				}
			})
		})
	}
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

func (w *world) applyPlan(p rules.Plan) rules.Change {
	w.t.Helper()
	if p.Deps == nil {
		p.Deps = w.deps
	}
	change, err := w.manager.Apply(p)
	if err != nil {
		w.t.Fatal(err)
	}
	return change
}

// A file that is bad at a restart has its groups wait until it is mended, if need
// be over another restart.
func TestBadFileAtRestartKeepsItsClocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, h := group("g", alerting("P", "p", 10*time.Minute)), inFile("h.yml", group("h", alerting("F", "f", 0)))
		w, j, start := untilCrash(t, g, h)
		plan := rules.Plan{Files: append([]rules.PlanFile{bad("f.yml")}, files(h)...)}
		for range 2 {
			w.down(j, 10*time.Second)
			change := w.applyPlan(plan)
			w.pass(5 * time.Second)
			if got, want := w.shown(start), "F firing since 0s"; got != want {
				t.Fatalf("shown is %q, want %q", got, want)
			}
			if got, want := did(change), "added h"; got != want {
				t.Errorf("the restart has %s, want %s", got, want)
			}
			if got := joined(w.endedSeries(start)); got != "" {
				t.Errorf("%s ended", got)
			}
			w.applyPlan(plan)
		}
		w.apply(g, h)
		w.pass(time.Second)
		if got, want := w.shown(start), "P pending since 0s, F firing since 0s"; got != want {
			t.Errorf("once it is mended %q is shown, want %q", got, want)
		}
	})
}

func TestBadFileThatIsRemovedSaysGoodbye(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := group("g", alerting("F", "f", 0))
		w, j, start := untilCrash(t, g)
		w.down(j, 10*time.Second)
		w.applyPlan(rules.Plan{Files: []rules.PlanFile{bad("f.yml")}})
		if sent := w.notifier.Sent(); len(sent) > 0 {
			t.Errorf("told %s of a bad file", told(sent))
		}
		w.apply()
		if got, want := joined(w.toldAlerts(start)), "{g F i} resolved 0s-1m15s"; got != want {
			t.Errorf("told %q, want %q", got, want)
		}
		w.down(j, time.Second)
		w.datasource.Hang()
		w.apply(g)
		if got := w.shown(start); got != "" {
			t.Errorf("after its goodbye %q is remembered", got)
		}
	})
}

// A file whose templates do not parse is a bad one, too.
func TestFileThatIsRefusedAtRestartKeepsItsClocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := group("g", alerting("P", "p", time.Hour))
		w, j, start := untilCrash(t, g)
		w.down(j, 10*time.Second)
		spoilt := alerting("P", "p", time.Hour)
		spoilt.Annotations = []config.Pair{{Name: "summary", Value: "{{bad}}"}}
		p := rules.Plan{Files: files(holding(g, spoilt))}
		if change := w.applyPlan(p); len(change.Problems) != 1 {
			t.Errorf("problems %v, want that of the template", change.Problems)
		}
		p.AllOrNothing = true
		if change := w.applyPlan(p); !change.Refused {
			t.Error("the plan was not refused")
		}
		w.apply(g)
		w.pass(time.Second)
		if got, want := w.shown(start), "P pending since 0s"; got != want {
			t.Errorf("once it is mended %q is shown, want %q", got, want)
		}
	})
}

func TestPreviewWakesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := group("g", alerting("P", "p", time.Hour), alerting("F", "f", 0))
		w, j, start := untilCrash(t, g)
		w.down(j, 10*time.Second)
		j.clear()
		if _, err := w.manager.Preview(rules.Plan{Deps: w.deps}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if events := w.events(start); len(events)+len(j.kept()) > 0 {
			t.Errorf("the preview has done something: %q, records %v", events, j.kept())
		}
		w.apply(g)
		if got, want := w.shown(start), "P pending since 0s, F firing since 0s"; got != want {
			t.Errorf("after the preview %q is shown, want %q", got, want)
		}
	})
}

func TestUnreadableStateIsNamedAndLeavesTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, h := group("g", alerting("P", "p", time.Hour)), group("h", alerting("F", "f", 0))
		w, j, start := untilCrash(t, g, h)
		w.down(j, time.Second)
		all := states(j.kept())
		all[0].Data = all[0].Data[:len(all[0].Data)-1]
		w.manager = rules.NewManager()
		err := w.manager.Recover(all)
		if want := `group "` + all[0].Group.Name + `" of f.yml: malformed group state`; err == nil || err.Error() != want {
			t.Errorf("got error %v, want %s", err, want)
		}
		w.datasource.Hang()
		w.apply(g, h)
		want := map[string]string{"g": "F firing since 0s", "h": "P pending since 0s"}[all[0].Group.Name]
		if got := w.shown(start); got != want {
			t.Errorf("shown is %q, want %q", got, want)
		}
	})
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

// A dormant group has no expression, so that its alerts have no address.
func TestGoodbyeOfARecoveredGroupHasNoLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := group("g", alerting("F", "f", 0))
		w, j, _ := untilCrash(t, g)
		w.down(j, 10*time.Second)
		w.deps.Link = func(_ *config.Group, r *config.Rule, _ *rules.Instance) string { return "http://x/?expr=" + r.Expr }
		w.apply()
		sent := w.notifier.Sent()
		if len(sent) != 1 || sent[0].Alerts[0].GeneratorURL != "" {
			t.Errorf("told %+v, want an alert without an address", sent)
		}
	})
}

func TestGoodbyeOfARecoveredGroupHasTheTimeOfAQuery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, j, _ := untilCrash(t, group("g", alerting("F", "f", 0)))
		w.down(j, 10*time.Second)
		room := time.Duration(-1)
		j.onKeep(func(ctx context.Context, _ rules.Record) error {
			if deadline, ok := ctx.Deadline(); ok {
				room = time.Until(deadline)
			}
			return nil
		})
		w.apply()
		if room != 10*time.Second {
			t.Errorf("the journal may take %s, want 10s", room)
		}
	})
}
