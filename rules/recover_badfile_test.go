package rules_test

import (
	"testing"
	"testing/synctest"
	"time"

	"tocsin/config"
	"tocsin/rules"
)

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
