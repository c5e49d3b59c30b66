package verdict

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// at returns a moment of a story, in seconds.
func at(seconds float64) time.Time {
	return epoch.Add(time.Duration(seconds * float64(time.Second)))
}

func window(from, to float64) Window { return Window{at(from), at(to)} }

func TestWindowsMerge(t *testing.T) {
	got := Merge([]Window{window(5, 6), window(1, 3)}, nil, []Window{window(3, 4), window(1.5, 2)})
	if diff := cmp.Diff(Blind{window(1, 4), window(5, 6)}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestQuietIsTheFirstStretchLongEnough(t *testing.T) {
	b := Blind{window(10, 20), window(23, 30)}
	for _, c := range []struct{ from, length, want float64 }{
		{0, 10, 10},   // just fits before
		{0, 11, 41},   // fits nowhere between
		{0, 3, 3},     // at once
		{12, 3, 23},   // between
		{12, 4, 34},   // after all
		{31, 1, 32},   // long after
		{20, 0, 20},   // no time at all
		{9, 0.5, 9.5}, // in part
	} {
		want := at(c.want)
		if got := b.Quiet(at(c.from), time.Duration(c.length*float64(time.Second))); !got.Equal(want) {
			t.Errorf("%gs of quiet from %g on are over after %s, want %g", c.length, c.from, got.Sub(epoch), c.want)
		}
	}
}

func TestOverlapsMeansWithin(t *testing.T) {
	b := Blind{window(10, 20)}
	for _, c := range []struct {
		from, to float64
		want     bool
	}{{0, 10, false}, {0, 11, true}, {15, 16, true}, {19, 30, true}, {20, 30, false}} {
		if got := b.Overlaps(at(c.from), at(c.to)); got != c.want {
			t.Errorf("from %g to %g: %t", c.from, c.to, got)
		}
	}
}
