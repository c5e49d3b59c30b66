package rules_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"tocsin/config"
	"tocsin/rules"
)

// bad is a file that cannot be used.
func bad(name string) rules.PlanFile { return rules.PlanFile{Name: name, Bad: true} }

func TestBrokenFileKeepsItsLastGoodVersion(t *testing.T) {
	e := edit{after: []rules.PlanFile{bad("f.yml")}}
	e.expect(t, "25s kept 1"+undisturbed)
}

// The rest of the edit is put in force.
func TestBrokenFileDoesNotStopTheOthers(t *testing.T) {
	h := inFile("h.yml", group("h", alerting("H", "h", 0)))
	i := inFile("i.yml", group("i", recording("i", "h")))
	edited := inFile("h.yml", group("h", alerting("H", "new f", 0)))
	e := edit{after: append([]rules.PlanFile{bad("f.yml")}, files(edited)...)}
	e.before = []config.Group{usual(), h, i}
	e.expect(t, `
		25s changed h, removed i, kept 1; ended i{} at 20.001s
		30s asked f new f p r; told {g F} firing 0s, {h H} firing 0s
		40s asked f new f p r; told {g F} firing 0s, {g P} firing 40s, {h H} firing 0s; ended ALERTS{g P pending}
		50s asked f new f p r; told {g F} firing 0s, {g P} firing 40s, {h H} firing 0s`)
}

// Once it is mended, it goes on from what it remembered all along.
func TestMendedFileGoesOnFromBefore(t *testing.T) {
	g := usual()
	g.Rules[0].Expr = "new f"
	e := after(g)
	e.meanwhile = func(w *world) {
		if _, err := w.manager.Apply(rules.Plan{Files: []rules.PlanFile{bad("f.yml")}, Deps: w.deps}); err != nil {
			w.t.Fatal(err)
		}
		synctest.Wait()
	}
	e.expect(t, `
		25s changed g
		30s asked new f p r; told {g F} firing 0s
		40s asked new f p r; told {g F} firing 0s, {g P} firing 40s; ended ALERTS{g P pending}
		50s asked new f p r; told {g F} firing 0s, {g P} firing 40s`)
}

// A rule whose templates do not parse makes its file a broken one: what is good
// of it waits too.
func TestFileWithABadTemplateKeepsItsLastGoodVersion(t *testing.T) {
	g := usual()
	g.Rules[0].Expr = "new f"
	g.Rules[1].Annotations = []config.Pair{{Name: "summary", Value: "{{bad}}"}}
	h := inFile("h.yml", group("h", recording("h", "h")))
	e := after(g, inFile("f.yml", group("new", recording("n", "h"))), h)
	e.due = true // the new group is
	e.expect(t, `
		25s added h, kept 1; asked h for 20s
		30s asked f p r; told {g F} firing 0s
		35s asked h for 30s
		40s asked f p r; told {g F} firing 0s, {g P} firing 40s; ended ALERTS{g P pending}
		45s asked h for 40s
		50s asked f p r; told {g F} firing 0s, {g P} firing 40s
		55s asked h for 50s`)
}

func TestProblemsOfABrokenFileAreReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		g := usual()
		for i := range 2 {
			g.Rules[i].Annotations = []config.Pair{{Name: "summary", Value: "{{bad}}"}}
		}
		change, err := w.manager.Apply(rules.Plan{Files: files(g, inFile("h.yml", group("h"))), Deps: w.deps})
		if err != nil || change.Refused || did(change) != "added h" {
			t.Fatalf("got %q, %+v, %v; want the good file put in force", did(change), change, err)
		}
		var said []string
		for _, p := range change.Problems {
			said = append(said, p.Error())
		}
		want := `group "g": rule "F": summary: bad template, group "g": rule "P": summary: bad template`
		if got := strings.Join(said, ", "); got != want {
			t.Errorf("problems: %s; want %s", got, want)
		}
	})
}

// Two files that are shown by one name are one to whoever keeps a last good
// version.
func TestFilesOfOneNameKeepTheirGroupsOnce(t *testing.T) {
	e := edit{after: []rules.PlanFile{bad("f.yml"), bad("f.yml")}}
	e.expect(t, "25s kept 1"+undisturbed)
}

// What is moved out of a file that is broken at the same time runs twice until it
// is mended. It is removed then, and the alert that its copy fires goes on.
func TestGroupMovedOutOfABrokenFileIsNotResolvedWhenThatIsMended(t *testing.T) {
	moved := inFile("new.yml", group("g", alerting("F", "f", 0)))
	e := after(group("left", recording("l", "h")), moved)
	e.before = []config.Group{group("g", alerting("F", "f", 0))}
	e.meanwhile = func(w *world) {
		broken := rules.Plan{Files: append([]rules.PlanFile{bad("f.yml")}, files(moved)...), Deps: w.deps}
		if change, err := w.manager.Apply(broken); err != nil || did(change) != "added g, kept 1" {
			w.t.Fatal(did(change), err)
		}
		synctest.Wait()
	}
	e.due = true
	e.expect(t, `
		25s added left, removed g, kept 1; asked h for 20s
		35s asked f for 30s h for 30s; told {g F} firing 20s
		45s asked f for 40s h for 40s; told {g F} firing 20s
		55s asked f for 50s h for 50s; told {g F} firing 20s`)
}
