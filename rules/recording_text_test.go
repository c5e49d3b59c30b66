package rules_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/prometheus/model/value"

	"tocsin/config"
	"tocsin/rules/rulestest"
)

func TestLabelsOfRecordingRulesAreText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.datasource.Set("up", rulestest.Sample(7, "job", "node"))
		r := recording("r", "up")
		r.Labels = []config.Pair{{Name: "text", Value: `{{value}} {{ $labels.job }}`}}
		w.apply(group("g", r))
		w.pass(time.Second)
		got := w.appender.Appended()
		if len(got) != 1 || got[0].Labels.Get("text") != `{{value}} {{ $labels.job }}` {
			t.Errorf("written %v, want the label as it is in the file", got)
		}
	})
}

// What ends while evaluations fail is ended by the next good one.
func TestRecordedSeriesThatVanishesBehindAFailureIsEndedLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.datasource.Set("up", rulestest.Sample(1, "host", "a"), rulestest.Sample(2, "host", "b"))
		w.apply(group("g", recording("r", "up")))
		w.pass(time.Second)
		w.appender.Appended()
		w.datasource.Set("up", rulestest.Sample(1, "__name__", "m", "host", "b"), rulestest.Sample(2, "__name__", "n", "host", "b"))
		w.pass(10 * time.Second)
		if got := w.appender.Appended(); len(got) != 0 {
			t.Errorf("written %v by an evaluation that failed", got)
		}
		w.datasource.Set("up", rulestest.Sample(2, "host", "b"))
		w.pass(10 * time.Second)
		var ended []string
		for _, s := range w.appender.Appended() {
			if value.IsStaleNaN(s.V) {
				ended = append(ended, s.Labels.Get("host"))
			}
		}
		if !slices.Equal(ended, []string{"a"}) {
			t.Errorf("ended %q, want a alone", ended)
		}
	})
}
