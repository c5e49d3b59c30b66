package config

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTargetGroups(t *testing.T) {
	got, err := ParseTargetGroups("t.yml", []byte(`---
- targets: [am-1:9093, "http://am-2:9093/x"]
  labels: {zone: b, env: prod}
- targets: []
- labels: {a: "1"}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []TargetGroup{
		{Targets: []string{"am-1:9093", "http://am-2:9093/x"}, Labels: []Pair{{"env", "prod"}, {"zone", "b"}}},
		{},
		{Labels: []Pair{{"a", "1"}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTargetGroupsWithProblems(t *testing.T) {
	for text, want := range map[string]string{
		"":                                      "t.yml: file is empty",
		"# nothing yet\n":                       "t.yml: file is empty",
		"targets: [a]\n":                        "t.yml:1: file: expected a list of groups of targets, found a mapping",
		"- targets: [a]\n  lables: {}\n":        `t.yml:2: unknown key "lables" (did you mean "labels"?)`,
		"- targets: a\n- targets: {b: c}\n":     "t.yml:1: targets: expected a list of texts, found the text \"a\"\nt.yml:2: targets: expected a list of texts, found a mapping",
		"-\n":                                   "t.yml:1: a group of targets is empty",
		"- [a]\n":                               "t.yml:1: group of targets: expected a mapping of keys to values",
		"- targets: [a]\n---\n- targets: [b]\n": "t.yml:2: a second document, where one is expected",
		"- targets: [\n":                        "t.yml:1: not valid YAML: did not find expected node content (the fault may be further down, in what begins here)",
	} {
		_, err := ParseTargetGroups("t.yml", []byte(text))
		if err == nil || err.Error() != want {
			t.Errorf("%q: error is\n%v\nwant\n%s", text, err, want)
		}
	}
}

func FuzzTargetGroups(f *testing.F) {
	f.Add("- targets: [a]\n  labels: {b: c}\n")
	f.Add("&a [*a]")
	f.Fuzz(func(t *testing.T, text string) {
		groups, err := ParseTargetGroups("t.yml", []byte(text))
		if (err != nil) && groups != nil {
			t.Errorf("groups %v beside the error %v", groups, err)
		}
	})
}
