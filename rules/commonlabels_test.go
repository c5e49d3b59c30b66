package rules

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"tocsin/config"
)

func pairs(namesAndValues ...string) []config.Pair {
	var all []config.Pair
	for i := 0; i < len(namesAndValues); i += 2 {
		all = append(all, config.Pair{Name: namesAndValues[i], Value: namesAndValues[i+1]})
	}
	return all
}

func TestLabelsAreMergedByRank(t *testing.T) {
	c := newCommonLabels(pairs("a", "external", "b", "external", "c", "external", "d", "external"),
		pairs("b", "group", "c", "group", "d", "group"), pairs("d", "tenant"))
	for name, step := range map[string]struct{ own, want []config.Pair }{
		"with own":    {pairs("c", "rule", "d", "rule"), pairs("a", "external", "b", "group", "c", "rule", "d", "tenant")},
		"without own": {nil, pairs("a", "external", "b", "group", "c", "group", "d", "tenant")},
	} {
		if diff := cmp.Diff(step.want, c.with(step.own)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// Lists that begin at the same place are the same only if they end there as well.
func TestOnlyTheSameListOfLabelsIsShared(t *testing.T) {
	c := newCommonLabels(nil, pairs("g", "group"), nil)
	list := pairs("a", "1", "b", "2")
	whole, again, short := c.with(list), c.with(list), c.with(list[:1])
	if &whole[0] != &again[0] {
		t.Error("rules with the same labels do not share what they are merged to")
	}
	if diff := cmp.Diff(pairs("a", "1", "g", "group"), short); diff != "" {
		t.Errorf("the first label alone (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(pairs("a", "1", "b", "2", "g", "group"), whole); diff != "" {
		t.Errorf("both (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(pairs("a", "other", "g", "group"), c.with(pairs("a", "other"))); diff != "" {
		t.Errorf("another list (-want +got):\n%s", diff)
	}
}
