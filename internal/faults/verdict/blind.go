// Package verdict compares what was seen of a daemon with what its world demands,
// and says what was lost. It knows when the daemon could not have done better:
// nobody is told in time while there is nobody to tell.
package verdict

import (
	"slices"
	"time"
)

// Window is a time in which something did not work.
type Window struct{ From, To time.Time }

// Blind is windows in order; they do not touch.
type Blind []Window

// Merge returns the times in which any of the windows lies.
func Merge(lists ...[]Window) Blind {
	all := slices.Concat(lists...)
	slices.SortFunc(all, func(a, b Window) int { return a.From.Compare(b.From) })
	var merged Blind
	for _, w := range all {
		if n := len(merged); n > 0 && !w.From.After(merged[n-1].To) {
			if w.To.After(merged[n-1].To) {
				merged[n-1].To = w.To
			}
			continue
		}
		merged = append(merged, w)
	}
	return merged
}

// after returns the windows that end after a moment.
func (b Blind) after(t time.Time) Blind {
	i, _ := slices.BinarySearchFunc(b, t, func(w Window, t time.Time) int {
		if w.To.After(t) {
			return 1
		}
		return -1
	})
	return b[i:]
}

// Quiet returns the end of the first stretch of that length, not before from, in
// which everything worked.
func (b Blind) Quiet(from time.Time, length time.Duration) time.Time {
	for _, w := range b.after(from) {
		if end := from.Add(length); !end.After(w.From) {
			return end
		}
		from = w.To
	}
	return from.Add(length)
}

// Overlaps reports whether anything did not work within [from, to].
func (b Blind) Overlaps(from, to time.Time) bool {
	later := b.after(from)
	return len(later) > 0 && later[0].From.Before(to)
}

// Lag is a time in which data of the last By was not there yet.
type Lag struct {
	Window
	By time.Duration
}

// lag returns how late data may have been when it was asked for within [from, to].
func lag(late []Lag, from, to time.Time) time.Duration {
	var most time.Duration
	for _, l := range late {
		if l.From.Before(to) && l.To.After(from) {
			most = max(most, l.By)
		}
	}
	return most
}
