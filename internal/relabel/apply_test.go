package relabel

import (
	"sync"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
)

func TestRulesSeeWhatEarlierOnesMade(t *testing.T) {
	r := mustCompile(t,
		Config{SourceLabels: []string{"a"}, TargetLabel: "b"},
		Config{SourceLabels: []string{"b"}, Regex: text("(.).*"), TargetLabel: "c"},
		Config{TargetLabel: "a", Replacement: text("")},
		Config{If: []string{`{a="",c="o"}`}, TargetLabel: "d", Replacement: text("{{c}}k")},
	)
	if got := applied(t, r, "a", "one"); got != `{b="one", c="o", d="ok"}` {
		t.Error(got)
	}
}

func TestRulesAfterTheLastLabelAreNotApplied(t *testing.T) {
	r := mustCompile(t,
		Config{Action: "labeldrop", Regex: text("a")},
		Config{TargetLabel: "z", Replacement: text("v")},
	)
	if got := applied(t, r, "a", "one"); got != dropped {
		t.Error(got)
	}
	if got := applied(t, r, "a", "one", "b", "two"); got != `{b="two", z="v"}` {
		t.Error(got)
	}
}

func TestLabelsWithoutValueAreRemoved(t *testing.T) {
	unrelated := mustCompile(t, Config{Action: "drop", SourceLabels: []string{"none"}, Regex: text("x")})
	b := labels.NewScratchBuilder(2)
	b.Add("a", "")
	b.Add("b", "two")
	if out, kept := unrelated.Apply(b.Labels()); !kept || out.String() != `{b="two"}` {
		t.Errorf("%s, %v", out, kept)
	}
	all := mustCompile(t, Config{TargetLabel: "a", Replacement: text("")})
	if got := applied(t, all, "a", "one"); got != dropped {
		t.Error(got)
	}
}

func TestNamesWithoutTextAreRemoved(t *testing.T) {
	r := mustCompile(t, Config{Action: "labelmap", Regex: text("a"), Replacement: text("")})
	if got := applied(t, r, "a", "one"); got != `{a="one"}` {
		t.Error(got)
	}
}

func TestCopiesOfNamesDoNotDependOnTheirOrder(t *testing.T) {
	r := mustCompile(t, Config{Action: "labelmap", Regex: text("x(.+)")})
	if got := applied(t, r, "xxx1", "far", "xx1", "near"); got != `{x1="near", xx1="far", xxx1="far"}` {
		t.Error(got)
	}
}

func TestDotMatchesLineBreaks(t *testing.T) {
	r := mustCompile(t, Config{SourceLabels: []string{"a"}, Regex: text("(.+)two"), TargetLabel: "b", Replacement: text("<$1>")})
	if got := applied(t, r, "a", "one\ntwo"); got != `{a="one\ntwo", b="<one\n>"}` {
		t.Error(got)
	}
}

func TestDollarInAQuotedLabelIsNoGroup(t *testing.T) {
	r := mustCompile(t, Config{SourceLabels: []string{"a"}, Regex: text("(.+)"), TargetLabel: "b", Replacement: text("{{price}} $1")})
	if got := applied(t, r, "a", "one", "price", "$1"); got != `{a="one", b="$1 one", price="$1"}` {
		t.Error(got)
	}
}

func TestNoRulesKeepEverything(t *testing.T) {
	r, err := Compile(nil)
	if err != nil || r != nil || r.Len() != 0 {
		t.Fatalf("%v, %v", r, err)
	}
	if got := applied(t, r, "a", "one"); got != `{a="one"}` {
		t.Error(got)
	}
	if got := applied(t, r); got != dropped {
		t.Error("what has no labels is kept")
	}
	if n := mustCompile(t, Config{TargetLabel: "a"}).Len(); n != 1 {
		t.Errorf("Len = %d", n)
	}
}

// The result must not change when the buffers are used again.
func TestResultsStayAsTheyAre(t *testing.T) {
	r := mustCompile(t, Config{SourceLabels: []string{"a", "b"}, TargetLabel: "c"}, Config{Action: "uppercase", SourceLabels: []string{"b", "a"}, TargetLabel: "d"})
	first, _ := r.Apply(labels.FromStrings("a", "ONE", "b", "TWO"))
	r.Apply(labels.FromStrings("a", "xxx", "b", "yyy"))
	if got := first.String(); got != `{a="ONE", b="TWO", c="ONE;TWO", d="TWO;ONE"}` {
		t.Error(got)
	}
}

func TestRulesMayBeAppliedFromManyGoroutines(t *testing.T) {
	r := mustCompile(t, Config{SourceLabels: []string{"a", "b"}, TargetLabel: "c"})
	var all sync.WaitGroup
	for _, value := range []string{"1", "2", "3", "4"} {
		all.Go(func() {
			for range 200 {
				if out, _ := r.Apply(labels.FromStrings("a", value, "b", value)); out.Get("c") != value+";"+value {
					t.Errorf("c = %q for %s", out.Get("c"), value)
				}
			}
		})
	}
	all.Wait()
}
