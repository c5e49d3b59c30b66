package logsql

import "strings"

// limits tells from which sides a filter bounds the time of logs.
type limits uint8

const (
	lowerBound limits = 1 << iota
	upperBound
	bothBounds = lowerBound | upperBound
)

// meaning is what a filter and the opposite of it say of time.
type meaning struct{ is, not limits }

// bounds returns how the filter of a query bounds the time. Filter pipes that
// follow it directly are part of it.
func bounds(pipes []pipe) limits {
	r := filterReader{pipe: pipes[0]}
	found := r.options() | r.alternatives().is
	for _, p := range pipes[1:] {
		f := p.filter()
		if f == nil {
			break
		}
		r = filterReader{pipe: f}
		found |= r.alternatives().is
	}
	return found
}

// filterReader reads a filter and keeps only what it says of time. Every method
// consumes at least one token unless it is at the end.
type filterReader struct {
	pipe pipe
	at   int
}

func (r *filterReader) peek() token { return r.pipe[r.at] }

func (r *filterReader) next() token {
	t := r.pipe[r.at]
	if t.kind != end {
		r.at++
	}
	return t
}

func (r *filterReader) take(text string) bool {
	if !r.peek().is(text) || r.peek().kind == end {
		return false
	}
	r.at++
	return true
}

// glued reports whether the next token touches the one before it.
func (r *filterReader) glued() bool {
	return r.at > 0 && r.peek().kind != end && r.pipe[r.at-1].touches(r.peek())
}

// options reads options(...) at the beginning of a query. The global_filter among
// them is part of the filter.
func (r *filterReader) options() limits {
	if !r.peek().is("options") || !r.pipe[r.at+1].is("(") {
		return 0
	}
	r.at += 2
	var found limits
	for t := r.next(); t.kind != end && !t.is(")"); t = r.next() {
		switch {
		case t.is("global_filter") && r.take("=") && r.take("("):
			found |= r.alternatives().is
			r.take(")")
		case t.is("("):
			r.skipBrackets()
		}
	}
	return found
}

// alternatives reads filters joined by "or", up to a closing bracket or the end.
// One of several bounds nothing.
func (r *filterReader) alternatives() meaning {
	found := r.all()
	for r.take("or") {
		r.all()
		found = meaning{}
	}
	return found
}

// all reads filters joined by "and", which may be left out. The opposite of
// several bounds nothing.
func (r *filterReader) all() meaning {
	var found meaning
	for n := 0; ; {
		t := r.peek()
		if t.kind == end || t.is("or") || t.is(")") || t.is(";") || t.is("|") {
			return found
		}
		if r.take("and") {
			continue
		}
		f := r.filter()
		if n++; n > 1 {
			f.not, found.not = 0, 0
		}
		found = meaning{found.is | f.is, found.not | f.not}
	}
}

// filter reads one filter with what turns it around.
func (r *filterReader) filter() meaning {
	negated := false
	for {
		t := r.peek()
		switch {
		case r.take("not"), r.take("!"), r.take("-"):
		case t.kind == word && strings.HasPrefix(t.text, "-"):
			r.pipe[r.at] = token{word, t.text[1:], t.at + 1} // the pipe is the reader's own
		default:
			found := r.positive()
			if negated {
				found.is, found.not = found.not, found.is
			}
			return found
		}
		negated = !negated
	}
}

func (r *filterReader) positive() meaning {
	switch {
	case r.take("("):
		found := r.alternatives()
		r.take(")")
		return found
	case r.take("{"):
		r.skipBrackets()
		return meaning{}
	}
	first := r.next()
	switch {
	case first.isOperator():
		r.operators()
		r.value()
	case !r.take(":"):
		r.rest()
	case first.name() == "_time":
		return meaning{is: r.time()}
	default:
		r.operators()
		r.value()
	}
	return meaning{}
}

// isOperator reports whether t may stand before a value.
func (t token) isOperator() bool {
	return t.kind == punctuation && strings.IndexByte("=!~<>", t.text[0]) >= 0
}

func (r *filterReader) operators() {
	for r.peek().isOperator() {
		r.next()
	}
}

// value skips a value: a list in brackets, or a word or text with what is glued to it.
func (r *filterReader) value() {
	switch t := r.peek(); {
	case t.kind == end, t.is(")"), t.is(";"):
	case t.depth() > 0:
		r.next()
		r.skipBrackets()
	default:
		r.next()
		r.rest()
	}
}

// rest skips what is glued to the token consumed last: the arguments of a function,
// or more of a text with colons in it.
func (r *filterReader) rest() {
	for r.glued() {
		switch t := r.peek(); {
		case t.depth() > 0:
			r.next()
			r.skipBrackets()
		case t.kind == word, t.is(":"):
			r.next()
		default:
			return
		}
	}
}

// skipBrackets skips to behind the bracket that closes the one consumed last. Round
// and square ones may close each other, as in range(1, 5].
func (r *filterReader) skipBrackets() {
	for depth := 1; depth > 0 && r.peek().kind != end; {
		depth += r.next().depth()
	}
}

// time reads the value of _time.
func (r *filterReader) time() limits {
	t := r.peek()
	var found limits
	switch {
	case t.is("day_range"), t.is("week_range"):
		r.next()
		r.next()
		r.skipBrackets()
	case t.is("offset"):
		found = upperBound
	case r.take(">"):
		r.take("=")
		if found = upperBound; r.instant() {
			found = lowerBound
		}
		r.moment()
	case r.take("<"):
		r.take("=")
		if found = bothBounds; r.instant() {
			found = upperBound
		}
		r.moment()
	case r.take("["), r.take("("):
		found = bothBounds
		r.skipBrackets()
	default:
		found = bothBounds
		r.take("=")
		r.moment()
	}
	if r.take("offset") {
		r.moment()
	}
	return found
}

// instant reports whether a point in time comes next, and not a duration.
func (r *filterReader) instant() bool {
	text := r.peek().lower()
	if text == "now" || strings.HasPrefix(text, "now-") || strings.HasPrefix(text, "now+") {
		return true
	}
	year := 0
	for year < len(text) && text[year] >= '0' && text[year] <= '9' {
		year++
	}
	return year == 4 && (len(text) == 4 || strings.IndexByte("-+z", text[4]) >= 0)
}

// moment skips a point in time or a duration. Its colons are tokens of their own.
func (r *filterReader) moment() {
	r.next()
	for r.glued() && (r.peek().kind == word || r.peek().is(":")) {
		r.next()
	}
}
