package rules

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// unpacked returns the updates of h, oldest first.
func unpacked(h History) []Update {
	var all []Update
	for u := range h.All() {
		all = append(all, *u)
	}
	slices.Reverse(all)
	return all
}

func TestHistoryKeepsTheLastUpdatesExactly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 6).Draw(t, "limit")
		var h History
		var want []Update
		for range rapid.IntRange(0, 15).Draw(t, "evaluations") {
			u := Update{
				Began:         Instant(rapid.Int64Range(1, 1<<62).Draw(t, "began")),
				At:            Instant(rapid.Int64Range(1, 1<<62).Draw(t, "at")),
				Duration:      time.Duration(rapid.Int64Range(0, 1<<50).Draw(t, "duration")),
				Error:         rapid.StringN(0, 5, 10).Draw(t, "error"),
				Samples:       rapid.IntRange(0, 1<<30).Draw(t, "samples"),
				SeriesFetched: rapid.IntRange(-1, 1<<30).Draw(t, "fetched"),
			}
			before := unpacked(h)
			next := h.with(&u, limit)
			if diff := cmp.Diff(before, unpacked(h)); diff != "" {
				t.Fatalf("adding changed what was there:\n%s", diff)
			}
			h = next
			want = append(want, u)
			want = want[max(len(want)-limit, 0):]
			if diff := cmp.Diff(want, unpacked(h)); diff != "" {
				t.Fatalf("history (-want +got):\n%s", diff)
			}
			if last, ok := h.Last(); !ok || last != u {
				t.Fatalf("last is %+v, want %+v", last, u)
			}
		}
	})
}

func TestHistoryFollowsALowerLimit(t *testing.T) {
	h := HistoryOf(Update{Began: 1}, Update{Began: 2}, Update{Began: 3})
	h = h.with(&Update{Began: 4}, 2)
	if got := unpacked(h); len(got) != 2 || got[0].Began != 3 || got[1].Began != 4 {
		t.Errorf("got %+v, want the updates of 3 and 4", got)
	}
}

func BenchmarkHistory(b *testing.B) {
	b.ReportAllocs()
	var h History
	for i := range b.N {
		began := Instant(i) * Instant(10*time.Second)
		h = h.with(&Update{Began: began + 12345678, At: began, Duration: 1234567, Samples: 1, SeriesFetched: 10}, 20)
	}
}
