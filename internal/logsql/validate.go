// Package logsql checks the expressions of VictoriaLogs rules.
//
// A rule's query has to be one the stats endpoint can answer: a filter and,
// behind it, a stats pipe. The package checks that shape, that quotes and
// brackets are balanced, that the last stats pipe calls a function, that it does
// not group by _time, as every evaluation would create new series, and that no
// pipe follows it which cannot. What the filters mean, which functions and pipes
// there are and what they take is for VictoriaLogs to say. Describe tells what a
// client needs to know of a query to ask it.
package logsql

import "slices"

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
	if first := pipes[0][0]; first.kind == end {
		return errorAt(query, first.at, "missing filter")
	}
	last := 0 // the last stats pipe
	for i, p := range pipes[1:] {
		if err := checkPipe(query, p); err != nil {
			return err
		}
		if p.isStats() {
			last = i + 1
		}
	}
	if last == 0 {
		return errNoStats(query, pipes[0])
	}
	return checkResults(query, pipes[last:])
}

// errNoStats says what to do about a query without a stats pipe. A query that
// begins with one has it for a filter.
func errNoStats(query string, filter pipe) error {
	if filter[0].is("stats") && !filter[1].is(":") {
		return errorAt(query, filter[0].at, "missing filter before stats; '*' selects everything")
	}
	return errorAt(query, len(query), "missing '| stats ...': a rule needs numbers, which only a stats pipe yields")
}

// checkPipe refuses a pipe that does not exist, and checks the functions of a
// stats pipe.
func checkPipe(query string, p pipe) error {
	switch {
	case p[0].kind == end:
		return errorAt(query, p[0].at, "missing pipe after '|'")
	case p.isStats():
		return checkStats(query, p)
	case p.filter() == nil && !slices.Contains(pipeNames, p[0].lower()):
		return errorAt(query, p[0].at, "unknown pipe %s; a filter needs the word filter before it", p[0].text)
	}
	return nil
}

// checkStats checks the functions that a stats pipe calls.
func checkStats(query string, p pipe) error {
	_, p, err := grouping(query, p)
	if err != nil {
		return err
	}
	for depth, first := 0, true; ; p = p[1:] {
		t := p[0]
		switch {
		case first && (t.kind != word || !p[1].is("(")):
			return errorAt(query, t.at, "missing function of the stats pipe, such as count()")
		case first && !slices.Contains(statsFunctions, t.lower()):
			return errorAt(query, t.at, "unknown function %s of the stats pipe", t.text)
		case t.kind == end, t.is(";") && depth == 0:
			return nil
		}
		first = depth == 0 && t.is(",")
		depth += t.depth()
	}
}

// grouping returns the fields by which the stats pipe p groups, and what follows.
func grouping(query string, p pipe) (fields []token, rest pipe, err error) {
	if p[0].is("stats") || p[0].is("stats_remote") {
		p = p[1:]
	}
	named := p[0].is("by")
	if named {
		p = p[1:]
	}
	if !p[0].is("(") {
		if named {
			return nil, nil, errorAt(query, p[0].at, "missing '(' after by")
		}
		return nil, p, nil
	}
	depth, first := 0, false
	for i, t := range p {
		if t.kind != punctuation && first {
			fields = append(fields, t)
		}
		depth += t.depth()
		if depth == 0 {
			return fields, p[i+1:], nil
		}
		first = depth == 1 && (t.is("(") || t.is(","))
	}
	return nil, nil, errorAt(query, p[0].at, "missing ')'")
}

// checkResults checks that what the last stats pipe yields, and the pipes behind
// it make of that, can be the results of a rule.
func checkResults(query string, pipes []pipe) error {
	fields, _, err := grouping(query, pipes[0])
	if err != nil {
		return err
	}
	i := slices.IndexFunc(fields, func(t token) bool { return t.name() == "_time" })
	dropped := false
	for _, p := range pipes[1:] {
		if p.filter() == nil && slices.Contains(unfitBehindStats, p[0].lower()) {
			return errorAt(query, p[0].at, "pipe %s must not follow the last stats pipe", p[0].text)
		}
		dropped = dropped || p.dropsTime()
	}
	if i >= 0 && !dropped {
		return errorAt(query, fields[i].at, "stats must not group by _time: every evaluation would create new series")
	}
	return nil
}
