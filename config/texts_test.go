package config

import (
	"strings"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
)

func TestTextsOfRulesAreKeptInOnePiece(t *testing.T) {
	rules := []Rule{{Name: "first", Expr: "up == 0"}, {Name: "", Expr: "é > 1"}, {Name: "third", Expr: ""}, {Name: "last", Expr: "up"}}
	want := append([]Rule(nil), rules...)
	for i := range want {
		want[i].Name, want[i].Expr = strings.Clone(want[i].Name), strings.Clone(want[i].Expr)
	}
	joinTexts(rules)
	if diff := cmp.Diff(want, rules); diff != "" {
		t.Errorf("rules (-before +after):\n%s", diff)
	}
	end := unsafe.Add(unsafe.Pointer(unsafe.StringData(rules[0].Name)), len("firstup == 0é > 1third"))
	if end != unsafe.Pointer(unsafe.StringData(rules[3].Name)) {
		t.Error("the last name does not lie behind what comes before it")
	}
	joinTexts(nil)
}
