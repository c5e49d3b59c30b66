//go:build !race

package relabel

import (
	"testing"

	"github.com/prometheus/prometheus/model/labels"
)

// Under the race detector a sync.Pool forgets things on purpose.
func TestWhatDoesNotChangeIsNotAllocated(t *testing.T) {
	r := mustCompile(t,
		Config{Action: "drop", SourceLabels: []string{"a", "b"}, Regex: text("one;three")},
		Config{Action: "keep", If: []string{`{a=~"o.+"}`}},
		Config{SourceLabels: []string{"none"}, TargetLabel: "nothing"},
		Config{SourceLabels: []string{"a", "b"}, TargetLabel: "both"},
		Config{Action: "labeldrop", Regex: text("none_.*")},
		Config{Action: "labelmap", Regex: text("meta_(.+)")},
	)
	in := labels.FromStrings("a", "one", "b", "two", "both", "one;two")
	if out, kept := r.Apply(in); !kept || !labels.Equal(in, out) {
		t.Fatalf("%s, %v", out, kept)
	}
	if n := testing.AllocsPerRun(200, func() { r.Apply(in) }); n >= 1 {
		t.Errorf("%v allocations", n)
	}
}
