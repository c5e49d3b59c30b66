package logsql

import "slices"

// Facts is what a client needs to know of a query. The zero value is that of a
// query that is not valid.
type Facts struct {
	// TimeFilter tells that the query itself bounds the time of the logs from both
	// sides, whatever else it says: with _time:5m, say, but not with _time:offset 1h
	// or as one of several alternatives.
	TimeFilter bool
	// Stepwise tells that for each step of a range query the result is the same as
	// that of a query for the logs of that step alone. Some queries of which this is
	// true are not recognized.
	Stepwise bool
}

// Describe returns the facts about query. The cost is one pass over its text.
func Describe(query string) Facts {
	tokens, err := tokenize(query)
	if err != nil {
		return Facts{}
	}
	pipes, err := splitPipes(query, tokens)
	if err != nil {
		return Facts{}
	}
	return Facts{TimeFilter: bounds(pipes) == bothBounds, Stepwise: isStepwise(query, tokens, pipes)}
}

// isStepwise refuses what looks at other logs than those of a step: a time filter,
// a query in brackets and options; what depends on how many results there are; and
// stats without grouping, which have a result where there is no log at all.
func isStepwise(query string, tokens []token, pipes []pipe) bool {
	depth := 0
	for i, t := range tokens {
		switch {
		case t.name() == "_time":
			return false
		case t.is("|") && depth > 0, t.is(";") && tokens[i+1].kind != end:
			return false
		}
		depth += t.depth()
	}
	if pipes[0][0].is("options") {
		return false
	}
	allowed, seen := perLog, false
	for _, p := range pipes[1:] {
		switch {
		case p.isStats():
			if fields, _, err := grouping(query, p); err != nil || len(fields) == 0 {
				return false
			}
			allowed, seen = perResult, true
		case p.filter() == nil && !slices.Contains(allowed, p[0].lower()):
			return false
		}
	}
	return seen
}
