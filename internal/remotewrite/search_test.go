package remotewrite

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// hunt runs a search over a block of rows whose bad ones storage refuses.
type hunt struct {
	search
	requests int
	written  []int // rows, in order of arrival
	alone    []int // rows that were dropped on their own
	together [][2]int
}

func newHunt(rows int, bad []int, limit, effort int) *hunt {
	h := &hunt{search: search{limit: limit, effort: effort}}
	for first := 0; first < rows; {
		n := min(h.next(), rows-first)
		h.requests++
		begin, found := slices.BinarySearch(bad, first)
		refused := found || begin < len(bad) && bad[begin] < first+n
		switch {
		case !refused:
			h.accepted(n)
			for i := range n {
				h.written = append(h.written, first+i)
			}
		case !h.refused(n):
			continue
		case n == 1:
			h.alone = append(h.alone, first)
		default:
			h.together = append(h.together, [2]int{first, first + n})
		}
		first += n
	}
	return h
}

func TestSearchFindsAFewBadRowsAmongMany(t *testing.T) {
	for _, bad := range [][]int{{0}, {9999}, {5000}, {1234, 1235}, {0, 4999, 9999}} {
		h := newHunt(10_000, bad, 10_000, maxEffort)
		if !slices.Equal(h.alone, bad) || len(h.together) != 0 || len(h.written) != 10_000-len(bad) {
			t.Errorf("bad rows %v: dropped %v and %v, %d written", bad, h.alone, h.together, len(h.written))
		}
		if most := 1 + 16*len(bad); h.requests > most {
			t.Errorf("bad rows %v: %d requests, want at most %d", bad, h.requests, most)
		}
	}
}

func TestSearchGivesUpOnManyBadRowsButSavesWhatItCan(t *testing.T) {
	var bad []int
	for i := range 20 {
		bad = append(bad, i*500+250)
	}
	h := newHunt(10_000, bad, 10_000, maxEffort)
	if len(h.together) == 0 {
		t.Error("nothing was dropped together: too much effort")
	}
	if len(h.written) < 6000 {
		t.Errorf("%d of 9980 good rows are written", len(h.written))
	}
	if h.requests > 2*maxEffort+2 {
		t.Errorf("%d requests", h.requests)
	}
}

func TestStorageThatRefusesEverythingIsAskedLess(t *testing.T) {
	all := make([]int, 1000)
	for i := range all {
		all[i] = i
	}
	effort := maxEffort
	var requests []int
	for range 8 {
		h := newHunt(1000, all, 1000, effort)
		requests = append(requests, h.requests)
		effort = h.nextEffort()
	}
	for i := 1; i < len(requests); i++ {
		if requests[i] > requests[i-1] {
			t.Errorf("requests for each block: %v", requests)
		}
	}
	if requests[7] != 1 || requests[0] > 2*maxEffort+2 {
		t.Errorf("requests for each block: %v, want 1 in the end", requests)
	}
	h := newHunt(1000, nil, 1000, effort)
	if h.nextEffort() != maxEffort {
		t.Error("storage that takes rows again is not given the benefit of the doubt")
	}
}

func TestSearchDropsNothingGoodUnlessItMust(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.IntRange(1, 500).Draw(t, "rows")
		limit := rapid.IntRange(1, 300).Draw(t, "limit")
		effort := rapid.IntRange(1, maxEffort).Draw(t, "effort")
		bad := rapid.SliceOfNDistinct(rapid.IntRange(0, rows-1), 0, min(rows, 12), rapid.ID[int]).Draw(t, "bad")
		slices.Sort(bad)
		h := newHunt(rows, bad, limit, effort)
		isBad := func(i int) bool { _, found := slices.BinarySearch(bad, i); return found }
		if !slices.IsSorted(h.written) || slices.ContainsFunc(h.written, isBad) {
			t.Fatalf("written: %v", h.written)
		}
		dropped := len(h.alone)
		for _, i := range h.alone {
			if !isBad(i) {
				t.Fatalf("row %d is dropped alone and not bad", i)
			}
		}
		for _, piece := range h.together {
			dropped += piece[1] - piece[0]
			if !slices.ContainsFunc(bad, func(i int) bool { return piece[0] <= i && i < piece[1] }) {
				t.Fatalf("rows %v are dropped and none is bad", piece)
			}
		}
		if len(h.written)+dropped != rows {
			t.Fatalf("%d rows are written, %d dropped, of %d", len(h.written), dropped, rows)
		}
		if !h.exhausted() && len(h.together) > 0 {
			t.Fatal("rows were dropped together although there was effort left")
		}
		// Beside the search there is one request for each full piece of the block,
		// or, once the effort is spent, for each of as many smaller ones.
		full := rows/limit + 1
		if most := full + effort + rows/h.piece() + 1; h.requests > most {
			t.Fatalf("%d requests, want at most %d", h.requests, most)
		}
	})
}
