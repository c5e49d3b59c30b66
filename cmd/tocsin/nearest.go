package main

import "strings"

// nearest returns the candidate that name was most likely meant to be, or "" if
// none is near. Case counts less than letters: a name that differs in case only
// is always near. Among equally near candidates the first one wins.
func nearest(name string, candidates []string) string {
	lower := strings.ToLower(name)
	best, bestDistance := "", max(2, len(name)/3)+1
	for _, candidate := range candidates {
		distance := editDistance(lower, strings.ToLower(candidate))
		if distance < bestDistance {
			best, bestDistance = candidate, distance
		}
	}
	return best
}

// editDistance counts the letters to insert, delete, replace or swap with their
// neighbour that turn a into b.
func editDistance(a, b string) int {
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
