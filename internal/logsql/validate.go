// Package logsql checks the expressions of VictoriaLogs rules.
//
// A rule's query has to be one the stats endpoint can answer: a filter and,
// behind it, a stats pipe. The package checks that shape, that quotes and
// brackets are balanced, that the stats pipe calls a function, and that it does
// not group by _time: every evaluation would create new series. What the filters
// mean, which functions and pipes there are and what they take is for VictoriaLogs
// to say.
package logsql

import "strings"

// Validate returns nil if query may be a rule's. Otherwise the error says where
// and why, as "line:column: reason".
func Validate(query string) error {
	tokens, err := tokenize(query)
	if err != nil {
		return err
	}
	pipes, err := splitPipes(query, tokens)
	if err != nil {
		return err
	}
	if err := checkFilter(query, pipes[0]); err != nil {
		return err
	}
	var stats pipe
	for _, p := range pipes[1:] {
		if p[0].kind == end {
			return errorAt(query, p[0].at, "missing pipe after '|'")
		}
		if p.isStats() {
			stats = p
		}
	}
	if stats == nil {
		return errorAt(query, len(query), "missing '| stats ...': a rule needs numbers, which only a stats pipe yields")
	}
	return checkStats(query, stats)
}

// pipe is the tokens of the filter or of one pipe, with a last one of kind end.
type pipe []token

// splitPipes splits a query at the '|' outside of brackets. A range may mix round
// and square brackets, as in range(1, 5].
func splitPipes(query string, tokens []token) ([]pipe, error) {
	var pipes []pipe
	var open []token
	start := 0
	cut := func(i int) {
		p := append(pipe(nil), tokens[start:i]...)
		pipes = append(pipes, append(p, token{end, "", tokens[i].at}))
		start = i + 1
	}
	for i, t := range tokens {
		if t.kind == end {
			cut(i)
			break
		}
		if t.kind != punctuation {
			continue
		}
		switch t.text {
		case "(", "[", "{":
			open = append(open, t)
		case ")", "]", "}":
			if len(open) == 0 || (t.text == "}") != (open[len(open)-1].text == "{") {
				return nil, errorAt(query, t.at, "unexpected '%s'", t.text)
			}
			open = open[:len(open)-1]
		case "|":
			if len(open) == 0 {
				cut(i)
			}
		}
	}
	if len(open) > 0 {
		return nil, errorAt(query, open[0].at, "missing bracket that closes '%s'", open[0].text)
	}
	return pipes, nil
}

// checkFilter refuses a query that begins with a pipe. A field or a word that is
// named like one must be quoted, unless it is a field with its colon.
func checkFilter(query string, filter pipe) error {
	first := filter[0]
	if first.kind == end {
		return errorAt(query, first.at, "missing filter")
	}
	if first.is("stats") && !filter[1].is(":") {
		return errorAt(query, first.at, "missing filter before stats; '*' selects everything")
	}
	return nil
}

// isStats reports whether p is a stats pipe. The word stats may be left out
// before "by" and before a stats function.
func (p pipe) isStats() bool {
	if p[0].is("stats") || p[0].is("by") {
		return true
	}
	return p[0].kind == word && p[1].is("(") && isStatsFunction(p[0].text)
}

func isStatsFunction(name string) bool {
	switch strings.ToLower(name) {
	case "any", "avg", "count", "count_empty", "count_uniq", "count_uniq_hash", "field_max", "field_min",
		"histogram", "json_values", "max", "median", "min", "quantile", "rate", "rate_sum", "row_any",
		"row_max", "row_min", "stddev", "sum", "sum_len", "uniq_values", "values":
		return true
	}
	return false
}

// checkStats checks the fields that a stats pipe groups by, and that a function
// follows.
func checkStats(query string, p pipe) error {
	if p[0].is("stats") {
		p = p[1:]
	}
	grouped := p[0].is("by")
	if grouped {
		p = p[1:]
	}
	if p[0].is("(") {
		rest, err := checkGrouping(query, p)
		if err != nil {
			return err
		}
		p = rest
	} else if grouped {
		return errorAt(query, p[0].at, "missing '(' after by")
	}
	if p[0].kind != word || !p[1].is("(") {
		return errorAt(query, p[0].at, "missing function of the stats pipe, such as count()")
	}
	return nil
}

// checkGrouping checks the list of fields at the beginning of p and returns what
// follows it.
func checkGrouping(query string, p pipe) (pipe, error) {
	depth, first := 0, false
	for i, t := range p {
		switch {
		case t.kind != punctuation:
			if first && t.name() == "_time" {
				return nil, errorAt(query, t.at, "stats must not group by _time: every evaluation would create new series")
			}
			first = false
		case t.text == "(" || t.text == "[" || t.text == "{":
			depth++
			first = depth == 1
		case t.text == ")" || t.text == "]" || t.text == "}":
			if depth--; depth == 0 {
				return p[i+1:], nil
			}
		case t.text == ",":
			first = depth == 1
		}
	}
	return nil, errorAt(query, p[0].at, "missing ')'")
}
