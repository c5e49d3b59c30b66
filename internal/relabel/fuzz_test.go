package relabel

import (
	"testing"

	"github.com/prometheus/prometheus/model/labels"
)

// Whatever compiles can be applied, gives labels in order without empty ones, and
// leaves what it was given alone.
func FuzzRules(f *testing.F) {
	f.Add("replace", "(.+)-(.*)", "$2{{a}}", "z$1", `{a="x"}`, "x-y", "v")
	f.Add("labelmap", "a(.*)", "$1", "", "", "", "")
	f.Add("labelmap_all", "a", "", "", "", "v", "w")
	f.Add("replace_all", "", "-", "a", "", "v", "w")
	f.Add("graphite", "*.b*", "${1}$0$", "", "", "x.bc", "w")
	f.Add("hashmod", "", "", "z", `{a="1" or b="2"}`, "x", "y")
	f.Add("drop", ".*", "", "", "up", "x", "y")
	f.Fuzz(func(t *testing.T, action, regex, replacement, target, selector, a, b string) {
		c := Config{Action: action, SourceLabels: []string{"a", "b"}, TargetLabel: target, Modulus: 7, Replacement: &replacement}
		if regex != "" {
			c.Regex = &regex
		}
		if selector != "" {
			c.If = []string{selector}
		}
		if action == "graphite" {
			c = Config{Action: action, If: c.If, Match: regex, Labels: map[string]string{"a": replacement, "c": target}}
		}
		rules, err := Compile([]Config{c, c})
		if err != nil {
			return
		}
		in := labels.FromStrings("__name__", a, "a", a, "b", b)
		before := in.String()
		out, kept := rules.Apply(in)
		if kept == out.IsEmpty() {
			t.Fatalf("kept %v: %s", kept, out)
		}
		last := ""
		out.Range(func(l labels.Label) {
			if l.Name <= last || l.Value == "" {
				t.Fatalf("%q=%q after %q", l.Name, l.Value, last)
			}
			last = l.Name
		})
		if in.String() != before {
			t.Fatalf("%s became %s", before, in)
		}
	})
}
