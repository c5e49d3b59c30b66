// Package typo guesses which of the names that exist is meant by one that does not,
// for messages to whoever mistyped it.
package typo

import "strings"

// Nearest returns the candidate that name was most likely meant to be, or "" if none
// is near. Case counts for nothing. Among equally near candidates the first one wins.
func Nearest(name string, candidates []string) string {
	lower := strings.ToLower(name)
	best, fewest := "", 0
	for _, candidate := range candidates {
		other := strings.ToLower(candidate)
		most := forgiven(lower, other)
		if gap := len(lower) - len(other); max(gap, -gap) > most {
			continue // and a long text is not worth its square
		}
		if n := mistakes(lower, other); n <= most && (best == "" || n < fewest) {
			best, fewest = candidate, n
		}
	}
	return best
}

// forgiven returns how many mistakes name may have if it was meant to be candidate:
// one in three letters. Few get the beginning wrong, so short names with the same one
// may have two.
func forgiven(name, candidate string) int {
	most := max(1, len(name)/3)
	if len(name) >= 2 && strings.HasPrefix(candidate, name[:2]) {
		most = max(2, most)
	}
	return most
}

// mistakes counts the letters to insert, delete, replace or swap with their neighbour
// that turn a into b.
func mistakes(a, b string) int {
	var before []int // the row before the previous one
	prev := make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := range len(a) {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			replace := prev[j]
			if a[i] != b[j] {
				replace++
			}
			row[j+1] = min(replace, prev[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, prev = prev, row
	}
	return prev[len(b)]
}
