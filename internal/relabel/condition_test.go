package relabel

import (
	"strings"
	"testing"
)

func TestConditions(t *testing.T) {
	in := []string{"__name__", "up", "a", "one", "b", "two"}
	for selector, want := range map[string]bool{
		`up`:                          true,
		`down`:                        false,
		`{}`:                          false,
		`up{a="one"}`:                 true,
		`up{a="one",b="x"}`:           false,
		`{a!="one"}`:                  false,
		`{a=~"o.*"}`:                  true,
		`{a=~"n"}`:                    false,
		`{a!~"o.*"}`:                  false,
		`{none=""}`:                   true,
		`{none!=""}`:                  false,
		`{none=~"x|"}`:                true,
		`{none!~"x|"}`:                false,
		`{a="x" or b="two"}`:          true,
		`{a="x" or b="x"}`:            false,
		`{__name__=~"u.",a=~"one|1"}`: true,
	} {
		r := mustCompile(t, Config{Action: "drop", If: []string{selector}})
		if got := applied(t, r, in...) == dropped; got != want {
			t.Errorf("%s matches: %v", selector, got)
		}
	}
}

func TestSelectorsOfAConditionAreAlternatives(t *testing.T) {
	r := mustCompile(t, Config{If: []string{`{a="1"}`, `up{b="2"}`}, TargetLabel: "z", Replacement: text("v")})
	for in, want := range map[[2]string]bool{{"a", "1"}: true, {"b", "2"}: true, {"c", "3"}: false} {
		got := applied(t, r, "__name__", "up", in[0], in[1])
		if strings.Contains(got, `z="v"`) != want {
			t.Errorf("%v: %s", in, got)
		}
	}
}

// As in VictoriaMetrics, what has no metric name does not have an empty one.
func TestConditionOnAMetricNameThatIsNotThere(t *testing.T) {
	for selector, want := range map[string]bool{`{__name__=""}`: false, `{__name__!="up"}`: true, `{__name__=~".*"}`: true} {
		r := mustCompile(t, Config{Action: "drop", If: []string{selector}})
		if got := applied(t, r, "a", "one") == dropped; got != want {
			t.Errorf("%s matches: %v", selector, got)
		}
	}
}
