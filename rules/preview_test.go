package rules_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tocsin/config"
	"tocsin/rules"
	"tocsin/rules/rulestest"
)

// step is a configuration that is put in force after some time.
type step struct {
	wait time.Duration
	plan rules.Plan
	// templates is the version of the template files.
	templates byte
}

// drawStep draws a configuration of few enough parts that most of them were
// there before, in the same place or another.
func drawStep(t *rapid.T) step {
	s := step{
		wait:      time.Duration(rapid.IntRange(1, 25).Draw(t, "wait")) * time.Second,
		templates: byte(rapid.IntRange(0, 1).Draw(t, "templates")),
	}
	s.plan.AllOrNothing = rapid.IntRange(0, 3).Draw(t, "all or nothing") == 0
	for _, file := range []string{"a.yml", "b.yml"} {
		f := rules.PlanFile{Name: file}
		switch rapid.IntRange(0, 6).Draw(t, file) {
		case 0:
			continue
		case 1:
			f.Bad = true
		default:
			for _, name := range []string{"g", "h"} {
				if rapid.IntRange(0, 3).Draw(t, name) > 0 {
					f.Groups = append(f.Groups, inFile(file, group(name, drawRules(t)...)))
				}
			}
		}
		s.plan.Files = append(s.plan.Files, f)
	}
	return s
}

func drawRules(t *rapid.T) []config.Rule {
	var all []config.Rule
	for range rapid.IntRange(0, 3).Draw(t, "rules") {
		name := rapid.SampledFrom([]string{"A", "B"}).Draw(t, "name")
		expr := rapid.SampledFrom([]string{"x", "y", "z"}).Draw(t, "expr")
		r := alerting(name, expr, rapid.SampledFrom([]time.Duration{0, 0, 15 * time.Second, time.Minute}).Draw(t, "for"))
		if rapid.IntRange(0, 3).Draw(t, "records") == 0 {
			r = recording(name, expr)
		}
		if value := rapid.SampledFrom([]string{"", "", "one", "{{value}}"}).Draw(t, "label"); value != "" {
			r.Labels = []config.Pair{{Name: "l", Value: value}}
		}
		if r.Kind == config.Alerting && rapid.IntRange(0, 15).Draw(t, "bad") == 0 {
			r.Annotations = []config.Pair{{Name: "summary", Value: "{{bad}}"}}
		}
		all = append(all, r)
	}
	return all
}

// Whatever runs and whatever is to replace it, the preview does nothing, the
// reload does what the preview says, and as many alerts are resolved as it says.
func TestPreviewSaysWhatTheReloadDoes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		steps := rapid.SliceOfN(rapid.Custom(drawStep), 2, 8).Draw(rt, "steps")
		disableAlertgroup := rapid.Bool().Draw(rt, "disable alertgroup")
		var problem error
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.deps.Options.DisableAlertgroup = disableAlertgroup
			for _, expr := range []string{"x", "y", "z"} {
				w.datasource.Set(expr, rulestest.Sample(1))
			}
			for _, s := range steps {
				if problem = w.take(s); problem != nil {
					return
				}
			}
		})
		if problem != nil {
			rt.Fatal(problem)
		}
	})
}

// take lets time pass and then puts the configuration of s in force.
func (w *world) take(s step) error {
	w.pass(s.wait)
	w.forget()
	deps := *w.deps
	deps.Templates = rulestest.Templates{Version: s.templates}
	s.plan.Deps = &deps
	change, err := w.previewAndApply(s.plan)
	if err != nil {
		return err
	}
	if change.Refused && len(change.Groups)+change.Kept > 0 {
		return fmt.Errorf("a refused reload has done something: %+v", change)
	}
	// Until each group has been evaluated once.
	w.pass(10 * time.Second)
	resolved := 0
	for _, n := range w.notifier.Sent() {
		for _, a := range n.Alerts {
			if a.Resolved {
				resolved++
			}
		}
	}
	if want := foretold(change); resolved != want {
		return fmt.Errorf("%d alerts were resolved, the preview said %d: %+v", resolved, want, change)
	}
	return nil
}

// foretold returns how many alerts are told to be resolved by a change, given that
// a rule has one at most: those that end, and those that fire no more.
func foretold(c rules.Change) int {
	n := 0
	for _, g := range c.Groups {
		for _, r := range g.Rules {
			if r.Action == rules.Removed {
				n += r.Resolved
			} else {
				n += max(r.Resolved, r.Reset)
			}
		}
	}
	return n
}

// A plan is read by people: it names what is edited, and where things went.
func TestChangeNamesWhatIsEdited(t *testing.T) {
	labelled := func(r config.Rule) config.Rule {
		r.Labels = []config.Pair{{Name: "team", Value: "db"}}
		return r
	}
	g, h := usual(), group("h", alerting("H", "h", 0), alerting("I", "i", 0))
	edited := holding(g, g.Rules[1], labelled(alerting("F", "f > 1", time.Hour)), alerting("N", "n", 0))
	edited.Interval, edited.EvalOffset.Set = time.Minute, true
	moved := inFile("h.yml", holding(h, alerting("J", "h", 0), g.Rules[2]))

	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.datasource.Set("f", rulestest.Sample(1))
		w.datasource.Set("i", rulestest.Sample(1), rulestest.Sample(1, "x", "y"))
		w.apply(g, h, inFile("k.yml", group("k")), inFile("k.yml", group("l")))
		w.pass(time.Second)
		got := w.foresee(rules.Plan{Files: files(edited, moved, inFile("l.yml", group("l")), inFile("k.yml", group("k"))), Deps: w.deps})
		from := func(g config.Group) config.Key { return g.Key }
		want := rules.Change{Kept: 1, Groups: []rules.GroupChange{
			{
				Key: edited.Key, Action: rules.Changed, Fields: []string{"interval", "eval_offset", "order"}, Kept: 1,
				Rules: []rules.RuleChange{
					{
						Kind: config.Alerting, Name: "F", Action: rules.Changed,
						Fields: []string{"expr", "for", "labels"}, Resolved: 1, Reset: 1,
					},
					{Kind: config.Alerting, Name: "N", Action: rules.Added},
				},
			},
			{
				Key: moved.Key, Action: rules.Moved, From: from(h),
				Rules: []rules.RuleChange{
					{Kind: config.Alerting, Name: "J", Action: rules.Moved, Was: "H", From: from(h)},
					{Kind: config.Recording, Name: "r", Action: rules.Moved, From: from(g)},
					{Kind: config.Alerting, Name: "I", Action: rules.Removed, Resolved: 2},
				},
			},
			{Key: config.Key{File: "l.yml", Name: "l"}, Action: rules.Moved, From: config.Key{File: "k.yml", Name: "l"}},
		}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("change (-want +got):\n%s", diff)
		}
		totals := rules.Totals{
			Groups: rules.ActionCounts{Changed: 1, Moved: 2, Kept: 1},
			Rules:  rules.ActionCounts{Added: 1, Changed: 1, Moved: 2, Kept: 1, Removed: 1}, Resolved: 3, Reset: 1,
		}
		if diff := cmp.Diff(totals, got.Totals()); diff != "" {
			t.Errorf("totals (-want +got):\n%s", diff)
		}
	})
}

func TestRemovedGroupsAreToldAfterTheNewConfiguration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.apply(group("a"), group("b"), group("c"), group("d", recording("r", "x")))
		change := w.foresee(rules.Plan{Files: files(group("x", recording("x", "x")), group("c"), group("d", recording("r", "y"))), Deps: w.deps})
		if got, want := did(change), "added x, changed d, removed a, removed b, kept 1"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// A file that is refused keeps its place among the others.
func TestGroupsStandInTheOrderOfFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a, b, c := inFile("a.yml", group("g")), inFile("b.yml", group("g")), inFile("c.yml", group("g"))
		w.apply(a, b, c)
		plan := rules.Plan{Files: slices.Concat(files(c), []rules.PlanFile{bad("b.yml")}, files(a)), Deps: w.deps}
		w.foresee(plan)
		var order []string
		for _, g := range w.manager.Groups() {
			order = append(order, g.Group.Key.File)
		}
		if diff := cmp.Diff([]string{"c.yml", "b.yml", "a.yml"}, order); diff != "" {
			t.Errorf("files (-want +got):\n%s", diff)
		}
	})
}
