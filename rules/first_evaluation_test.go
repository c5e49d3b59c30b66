package rules_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/config"
	"tocsin/rules/rulestest"
)

// The evaluation after an edit is the one that computes every text anew. If it
// fails, that falls to the next.
func TestEditedAnnotationIsToldThoughTheFirstEvaluationFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		text := func(s string) config.Group {
			r := alerting("A", "a", 0)
			r.Annotations = []config.Pair{{Name: "summary", Value: s}}
			return group("g", r)
		}
		w.datasource.Set("a", rulestest.Sample(1))
		w.apply(text("old"))
		w.pass(time.Second)
		w.datasource.Fail("a", errors.New("no answer"))
		w.apply(text("new"))
		w.pass(10 * time.Second)
		w.datasource.Set("a", rulestest.Sample(1))
		w.notifier.Sent()
		w.pass(10 * time.Second)
		sent := w.notifier.Sent()
		if len(sent) != 1 || sent[0].Alerts[0].Annotations.Get("summary") != "new" {
			t.Errorf("told %+v, want the new text", sent)
		}
	})
}
