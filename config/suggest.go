package config

import "strings"

// nearest returns the candidate that text was probably meant to be, or "".
func nearest(text string, candidates []string) string {
	best, fewest := "", max(1, len(text)/3)+1
	for _, c := range candidates {
		if n := editDistance(strings.ToLower(text), c); n < fewest {
			best, fewest = c, n
		}
	}
	return best
}

// editDistance counts the bytes to insert, delete or replace to turn a into b.
func editDistance(a, b string) int {
	if len(a) > 2*len(b)+2 {
		return len(a) // hopeless, and not worth the square of a long text
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
