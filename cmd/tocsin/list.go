package main

import (
	"strconv"
	"strings"
)

// splitList cuts the value of an array flag at its commas. A comma inside
// quotes or brackets does not cut; an opening quote or bracket without its
// partner is an ordinary character. Quotes around a whole item are taken away
// and the backslashes inside them undone. Items may be empty, so every value has
// at least one.
func splitList(value string) []string {
	closedAt := partners(value)
	var items []string
	start := 0
	for i := 0; i < len(value); i++ {
		switch {
		case value[i] == ',':
			items = append(items, unquoteItem(value[start:i]))
			start = i + 1
		case closedAt[i] > 0:
			i = closedAt[i]
		}
	}
	return append(items, unquoteItem(value[start:]))
}

// joinList is the inverse of splitList for a list of at least one item.
func joinList(items []string) string {
	quoted := make([]string, len(items))
	for i, item := range items {
		quoted[i] = quoteItem(item)
	}
	return strings.Join(quoted, ",")
}

// quoteItem writes item so that splitList reads it back as one item.
func quoteItem(item string) string {
	if strings.ContainsAny(item, ",'\"{[(\n") {
		return strconv.Quote(item)
	}
	return item
}

// partners returns for every opening quote or bracket of s where it is closed,
// and 0 for every other character. A bracket is closed only if all quotes and
// brackets within are. Going from right to left keeps the work proportional to
// the length of s.
func partners(s string) []int {
	closedAt := make([]int, len(s))
	var double, single int // the next quotes that can close
	for i := len(s) - 1; i >= 0; i-- {
		switch s[i] {
		case '"':
			closedAt[i] = double
			if !isEscaped(s, i) {
				double = i
			}
		case '\'':
			closedAt[i] = single
			if !isEscaped(s, i) {
				single = i
			}
		case '(':
			closedAt[i] = bracketEnd(s, i, ')', closedAt)
		case '[':
			closedAt[i] = bracketEnd(s, i, ']', closedAt)
		case '{':
			closedAt[i] = bracketEnd(s, i, '}', closedAt)
		}
	}
	return closedAt
}

// bracketEnd returns where the bracket at open is closed, or 0, if closedAt is
// known for what follows it.
func bracketEnd(s string, open int, closing byte, closedAt []int) int {
	for i := open + 1; i < len(s); i++ {
		switch c := s[i]; c {
		case closing:
			return i
		case ')', ']', '}':
			return 0
		case '"', '\'', '(', '[', '{':
			if closedAt[i] == 0 {
				return 0
			}
			i = closedAt[i]
		}
	}
	return 0
}

// isEscaped reports whether an odd number of backslashes stands before s[i].
func isEscaped(s string, i int) bool {
	before := strings.TrimRight(s[:i], `\`)
	return (i-len(before))%2 == 1
}

// unquoteItem takes the quotes from an item that is in quotes.
func unquoteItem(item string) string {
	if len(item) < 2 || item[0] != item[len(item)-1] {
		return item
	}
	switch item[0] {
	case '"':
		if plain, err := strconv.Unquote(item); err == nil {
			return plain
		}
	case '\'':
	default:
		return item
	}
	// Not a Go string: windows paths and regular expressions keep the
	// backslashes that escape neither a quote nor a backslash.
	quote := item[:1]
	plain := item[1 : len(item)-1]
	plain = strings.ReplaceAll(plain, `\`+quote, quote)
	return strings.ReplaceAll(plain, `\\`, `\`)
}
