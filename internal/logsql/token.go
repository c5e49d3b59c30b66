package logsql

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// kind tells what a token is.
type kind uint8

const (
	end kind = iota
	word
	quoted
	punctuation // one byte: brackets, '|', ',', ':' and operators
)

// token is one token of a query.
type token struct {
	kind kind
	text string // as written; quotes included
	at   int    // byte offset
}

func (t token) is(text string) bool { return t.kind != quoted && strings.EqualFold(t.text, text) }

// lower returns the text in lower case, as keywords are written; "" if it is quoted.
func (t token) lower() string {
	if t.kind == quoted {
		return ""
	}
	return strings.ToLower(t.text)
}

// depth is by how many brackets the nesting is deeper behind t than before it.
func (t token) depth() int {
	if t.kind != punctuation {
		return 0
	}
	switch t.text {
	case "(", "[", "{":
		return 1
	case ")", "]", "}":
		return -1
	}
	return 0
}

// touches reports whether there is nothing between t and next.
func (t token) touches(next token) bool { return t.at+len(t.text) == next.at }

// name returns the text without its quotes.
func (t token) name() string {
	if t.kind == quoted {
		return t.text[1 : len(t.text)-1]
	}
	return t.text
}

// tokenize splits a query into tokens, the last of which is of kind end.
// Comments, from '#' to the end of the line, are left out.
func tokenize(query string) ([]token, error) {
	var tokens []token
	for i := 0; i < len(query); {
		c := query[i]
		switch {
		case isSpace(c):
			i++
		case c == '#':
			i += lineLength(query[i:])
		case c == '"' || c == '\'' || c == '`':
			n := quotedLength(query[i:])
			if n < 0 {
				return nil, errorAt(query, i, "missing closing %c", c)
			}
			tokens = append(tokens, token{quoted, query[i : i+n], i})
			i += n
		case isPunctuation(c):
			tokens = append(tokens, token{punctuation, query[i : i+1], i})
			i++
		default:
			n := wordLength(query[i:])
			tokens = append(tokens, token{word, query[i : i+n], i})
			i += n
		}
	}
	return append(tokens, token{end, "", len(query)}), nil
}

func lineLength(s string) int {
	if n := strings.IndexByte(s, '\n'); n >= 0 {
		return n
	}
	return len(s)
}

// quotedLength returns the length of the quoted text at the beginning of s, or
// -1 if it does not end. Nothing is escaped between backticks.
func quotedLength(s string) int {
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && s[0] != '`':
			i++
		case s[i] == s[0]:
			return i + 1
		}
	}
	return -1
}

func wordLength(s string) int {
	for i := range len(s) {
		if isSpace(s[i]) || isPunctuation(s[i]) || strings.IndexByte("#\"'`", s[i]) >= 0 {
			return i
		}
	}
	return len(s)
}

// isPlain reports whether all of s is letters, digits and '_', as the names of
// pipes are.
func isPlain(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c != '_' && c < 0x80 && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	return true
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

func isPunctuation(c byte) bool { return strings.IndexByte("()[]{}|,:=!~<>;", c) >= 0 }

// errorAt returns an error that begins with the line and the column, from 1, of
// a byte of the query.
func errorAt(query string, at int, format string, args ...any) error {
	before := query[:at]
	line := 1 + strings.Count(before, "\n")
	column := 1 + utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
	return fmt.Errorf("%d:%d: %s", line, column, fmt.Sprintf(format, args...))
}
