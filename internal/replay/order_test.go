package replay_test

import (
	"slices"
	"testing"
)

// Groups and rules are replayed in the order in which files have them.
func TestGroupsAndRulesAreReplayedInFileOrder(t *testing.T) {
	w := newWorld(t)
	w.mustReplay(
		group("z", recording("r1", "b"), alerting("A", "a", 0), recording("r2", "d")),
		group("a", recording("r3", "c"), recording("r4", "e")),
	)
	var asked []string
	for _, q := range w.datasource.AskedRanges() {
		asked = append(asked, q.Expr)
	}
	if want := []string{"b", "a", "d", "c", "e"}; !slices.Equal(asked, want) {
		t.Errorf("asked %q, want %q", asked, want)
	}
}
