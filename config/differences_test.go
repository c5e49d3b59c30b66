package config

import (
	"reflect"
	"slices"
	"testing"
	"time"
)

// A field that is forgotten here would be an edit of which nobody is told.
func TestEveryFieldHasASettingOrIsComparedElsewhere(t *testing.T) {
	for _, c := range []struct {
		typ      reflect.Type
		settings map[string]string
		others   []string
	}{
		{reflect.TypeFor[Group](), groupSettings, []string{"Key", "Line", "Rules"}},
		{reflect.TypeFor[Rule](), ruleSettings, []string{"Line", "Kind", "Name"}},
	} {
		for f := range c.typ.Fields() {
			if c.settings[f.Name] == "" && !slices.Contains(c.others, f.Name) {
				t.Errorf("%s.%s has no setting", c.typ, f.Name)
			}
		}
		if want := c.typ.NumField() - len(c.others); len(c.settings) != want {
			t.Errorf("%s: %d settings, want %d", c.typ, len(c.settings), want)
		}
	}
}

func TestDifferencesAreNamedAsInRuleFiles(t *testing.T) {
	a := Group{Interval: time.Minute, Headers: []Pair{{"A", "b"}}, Rules: []Rule{{Expr: "a"}}}
	b := Group{Interval: time.Hour, Line: 3, EvalOffset: Duration{Set: true}, Headers: []Pair{{"A", "b"}}}
	if got, want := a.Differences(&b), []string{"interval", "eval_offset"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	r := Rule{Name: "r", Expr: "a", Annotations: []Pair{{"summary", "x"}}}
	s := Rule{Name: "s", Expr: "b", Line: 2, For: time.Minute, Annotations: []Pair{{"summary", "y"}}}
	if got, want := r.Differences(&s), []string{"expr", "for", "annotations"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := r.Differences(&r); got != nil {
		t.Errorf("a rule differs from itself by %q", got)
	}
}
