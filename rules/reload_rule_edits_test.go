package rules_test

import (
	"testing"
	"time"

	"tocsin/config"
)

// The diary of the usual group after its reload, if nothing is changed that
// matters to what it asks and tells.
const undisturbed = `
	30s asked f p r; told {g F} firing 0s
	40s asked f p r; told {g F} firing 0s, {g P} firing 40s; ended ALERTS{g P pending}
	50s asked f p r; told {g F} firing 0s, {g P} firing 40s`

func TestUnchangedGroupGoesOnUndisturbed(t *testing.T) {
	after(usual()).expect(t, "25s kept 1"+undisturbed)
}

func TestEditedExpressionKeepsAlertsAndClock(t *testing.T) {
	g := usual()
	for i := range g.Rules {
		g.Rules[i].Expr = "new " + g.Rules[i].Expr
	}
	after(g).expect(t, `
		25s changed g
		30s asked new f new p new r; told {g F} firing 0s
		40s asked new f new p new r; told {g F} firing 0s, {g P} firing 40s; ended ALERTS{g P pending}
		50s asked new f new p new r; told {g F} firing 0s, {g P} firing 40s`)
}

// Under the new expression the alert does not fire: it ends as it would have by
// itself.
func TestEditedExpressionThatFindsNothingResolvesAtTheNextEvaluation(t *testing.T) {
	g := usual()
	g.Rules[0].Expr = "f > 100"
	after(g).expect(t, `
		25s changed g
		30s asked f > 100 p r; told {g F} resolved 0s-30s; ended ALERTS{g F firing}, ALERTS_FOR_STATE{g F}
		40s asked f > 100 p r; told {g F} resolved 0s-30s, {g P} firing 40s; ended ALERTS{g P pending}
		50s asked f > 100 p r; told {g F} resolved 0s-30s, {g P} firing 40s`)
}

func TestLongerForMakesAFiringAlertPendingAgain(t *testing.T) {
	g := usual()
	g.Rules[0].For = 50 * time.Second
	after(g).expect(t, `
		25s changed g, resets 1
		30s asked f p r; told {g F} resolved 0s-30s; ended ALERTS{g F firing}
		40s asked f p r; told {g P} firing 40s; ended ALERTS{g P pending}
		50s asked f p r; told {g F} firing 50s, {g P} firing 40s; ended ALERTS{g F pending}`)
}

func TestLongerForThatHasPassedAlreadyChangesNothing(t *testing.T) {
	g := usual()
	g.Rules[0].For = 30 * time.Second // which it is at the next evaluation
	after(g).expect(t, "25s changed g"+undisturbed)
}

func TestShorterForFiresAtTheNextEvaluation(t *testing.T) {
	g := usual()
	g.Rules[1].For = 5 * time.Second
	after(g).expect(t, `
		25s changed g
		30s asked f p r; told {g F} firing 0s, {g P} firing 30s; ended ALERTS{g P pending}
		40s asked f p r; told {g F} firing 0s, {g P} firing 30s
		50s asked f p r; told {g F} firing 0s, {g P} firing 30s`)
}

func TestEditedKeepFiringForHoldsAnAlertThatFiresAlready(t *testing.T) {
	g := usual()
	g.Rules[0].KeepFiringFor = 15 * time.Second
	e := after(g)
	e.meanwhile = func(w *world) { w.datasource.Set("f") }
	e.expect(t, `
		25s changed g
		30s asked f p r; told {g F} firing 0s
		40s asked f p r; told {g F} firing 0s, {g P} firing 40s; ended ALERTS{g P pending}
		50s asked f p r; told {g F} resolved 0s-50s, {g P} firing 40s; ended ALERTS{g F firing}, ALERTS_FOR_STATE{g F}`)
}

func TestRemovedKeepFiringForLetsGoAtTheNextEvaluation(t *testing.T) {
	g := usual()
	g.Rules[0].KeepFiringFor = time.Hour
	e := after(usual())
	e.before = []config.Group{g}
	e.meanwhile = func(w *world) { w.datasource.Set("f") }
	e.expect(t, `
		25s changed g
		30s asked f p r; told {g F} resolved 0s-30s; ended ALERTS{g F firing}, ALERTS_FOR_STATE{g F}
		40s asked f p r; told {g F} resolved 0s-30s, {g P} firing 40s; ended ALERTS{g P pending}
		50s asked f p r; told {g F} resolved 0s-30s, {g P} firing 40s`)
}

func TestEditedAnnotationIsInTheNextNotificationOfTheSameAlert(t *testing.T) {
	g := usual()
	g.Rules[0].Annotations = []config.Pair{{Name: "summary", Value: "new text"}}
	after(g).expect(t, `
		25s changed g
		30s asked f p r; told {g F} firing 0s "new text"
		40s asked f p r; told {g F} firing 0s "new text", {g P} firing 40s; ended ALERTS{g P pending}
		50s asked f p r; told {g F} firing 0s "new text", {g P} firing 40s`)
}

// Texts and labels are expanded anew, and alerts stay who they are.
func TestEditedTemplateFilesKeepAlerts(t *testing.T) {
	g := usual()
	g.Rules[0].Annotations = []config.Pair{{Name: "summary", Value: "{{value}}"}}
	g.Rules[0].Labels = []config.Pair{{Name: "level", Value: "{{value}}"}}
	e := after(g)
	e.before = []config.Group{g}
	e.templates = 1
	e.expect(t, `
		25s changed g
		30s asked f p r; told {g F 1} firing 0s "1"
		40s asked f p r; told {g F 1} firing 0s "1", {g P} firing 40s; ended ALERTS{g P pending}
		50s asked f p r; told {g F 1} firing 0s "1", {g P} firing 40s`)
}

// The clock goes to the new labels, and who knows the alert by its old ones sees
// it end.
func TestEditedRuleLabelMovesTheClock(t *testing.T) {
	g := usual()
	for i := range g.Rules {
		g.Rules[i].Labels = []config.Pair{{Name: "team", Value: "db"}}
	}
	after(g).expect(t, `
		25s changed g, resolves 1
		30s asked f p r; told {g F} resolved 0s-30s, {g F db} firing 0s; `+
		`ended ALERTS{g F firing}, ALERTS_FOR_STATE{g F}, ALERTS{g P pending}, ALERTS_FOR_STATE{g P}, r{}
		40s asked f p r; told {g F db} firing 0s, {g P db} firing 40s; ended ALERTS{g P pending db}
		50s asked f p r; told {g F db} firing 0s, {g P db} firing 40s`)
}

func TestRenamedAlertKeepsItsClockUnderTheNewName(t *testing.T) {
	g := usual()
	g.Rules[0].Name, g.Rules[1].Name = "G", "Q"
	e := after(g)
	e.was = map[string]string{"G": "F", "Q": "P"}
	e.expect(t, `
		25s changed g, resolves 1
		30s asked f p r; told {g F} resolved 0s-30s, {g G} firing 0s; `+
		`ended ALERTS{g F firing}, ALERTS_FOR_STATE{g F}, ALERTS{g P pending}, ALERTS_FOR_STATE{g P}
		40s asked f p r; told {g G} firing 0s, {g Q} firing 40s; ended ALERTS{g Q pending}
		50s asked f p r; told {g G} firing 0s, {g Q} firing 40s`)
}

func TestRenamedRecordingRuleEndsTheOldSeriesOnce(t *testing.T) {
	g := usual()
	g.Rules[2].Name = "s"
	e := after(g)
	e.was = map[string]string{"s": "r"}
	e.expect(t, `
		25s changed g
		30s asked f p r; told {g F} firing 0s; ended r{}
		40s asked f p r; told {g F} firing 0s, {g P} firing 40s; ended ALERTS{g P pending}
		50s asked f p r; told {g F} firing 0s, {g P} firing 40s`)
}

// Name and expression changed at once: it is another rule.
func TestRenamedAndEditedRuleStartsOver(t *testing.T) {
	g := usual()
	g.Rules[0].Name, g.Rules[0].Expr = "G", "new f"
	e := after(g)
	e.expect(t, `
		25s changed g, resolves 1; told {g F} resolved 0s-25s; ended ALERTS{g F firing} at 20.001s, ALERTS_FOR_STATE{g F} at 20.001s
		30s asked new f p r; told {g G} firing 30s
		40s asked new f p r; told {g G} firing 30s, {g P} firing 40s; ended ALERTS{g P pending}
		50s asked new f p r; told {g G} firing 30s, {g P} firing 40s`)
}

func TestRuleOfAnotherKindStartsOver(t *testing.T) {
	g := usual()
	g.Rules[0] = recording("F", "f")
	g.Rules[2] = alerting("r", "r", 0)
	e := after(g)
	e.was = map[string]string{"F": "", "r": ""}
	e.expect(t, `
		25s changed g, resolves 1; told {g F} resolved 0s-25s; `+
		`ended ALERTS{g F firing} at 20.001s, ALERTS_FOR_STATE{g F} at 20.001s, r{} at 10.001s
		30s asked f p r; told {g r} firing 30s
		40s asked f p r; told {g P} firing 40s, {g r} firing 30s; ended ALERTS{g P pending}
		50s asked f p r; told {g P} firing 40s, {g r} firing 30s`)
}
