package logsql

import (
	"slices"
	"strings"
)

// maxNesting bounds how deep brackets may nest, so that no rule file can exhaust
// the stack.
const maxNesting = 500

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
		switch {
		case t.depth() > 0:
			if len(open) == maxNesting {
				return nil, errorAt(query, t.at, "brackets are nested too deeply")
			}
			open = append(open, t)
		case t.depth() < 0:
			if len(open) == 0 || (t.text == "}") != (open[len(open)-1].text == "{") {
				return nil, errorAt(query, t.at, "unexpected '%s'", t.text)
			}
			open = open[:len(open)-1]
		case t.text == "|" && len(open) == 0:
			cut(i)
		}
	}
	if len(open) > 0 {
		return nil, errorAt(query, open[0].at, "missing bracket that closes '%s'", open[0].text)
	}
	return pipes, nil
}

// isStats reports whether p is a stats pipe. The word stats may be left out
// before "by", before the bracket that follows it and before a stats function.
func (p pipe) isStats() bool {
	if p[0].is("stats") || p[0].is("stats_remote") || p[0].is("by") || p[0].is("(") {
		return true
	}
	return p[0].kind == word && p[1].is("(") && slices.Contains(statsFunctions, p[0].lower())
}

// filter returns the tokens of the filter that p is, nil if it is another pipe.
// The word filter may be left out before what cannot be the name of a pipe.
func (p pipe) filter() pipe {
	first := p[0]
	switch {
	case first.is("filter"), first.is("where"):
		return p[1:]
	case first.kind == end, p.isStats(), slices.Contains(pipeNames, first.lower()):
		return nil
	case first.kind != word, first.is("not"), !isPlain(first.text[:1]), p[1].is(":"):
		return p
	}
	return nil
}

// dropsTime reports whether there is no field _time behind the pipe p.
func (p pipe) dropsTime() bool {
	listed := slices.ContainsFunc(p[1:], func(t token) bool {
		return t.name() == "_time" || t.kind == word && strings.HasSuffix(t.text, "*") && strings.HasPrefix("_time", t.text[:len(t.text)-1])
	})
	switch p[0].lower() {
	case "fields", "keep":
		return !listed
	case "del", "delete", "drop", "rm":
		return listed
	}
	return false
}

// statsFunctions are the functions of stats pipes.
var statsFunctions = []string{
	"any", "avg", "count", "count_empty", "count_uniq", "count_uniq_hash", "field_max", "field_min",
	"histogram", "json_values", "max", "median", "min", "quantile", "rate", "rate_sum", "row_any",
	"row_max", "row_min", "stddev", "sum", "sum_len", "uniq_values", "values",
}

// pipeNames are the pipes, but for stats.
var pipeNames = slices.Concat(unfitBehindStats, fitBehindStats)

// fitBehindStats are the pipes that may follow the last stats pipe of a rule.
var fitBehindStats = []string{
	"copy", "cp", "del", "delete", "drop", "eval", "fields", "filter", "first", "format", "head", "keep", "last",
	"limit", "math", "mv", "offset", "order", "rename", "rm", "running_stats", "skip", "sort", "total_stats",
	"unpack_json", "where",
}

// unfitBehindStats are the pipes that VictoriaLogs refuses behind the last stats
// pipe of a rule, because it could not tell labels from results any more.
var unfitBehindStats = []string{
	"block_stats", "blocks_count", "coalesce", "collapse_nums", "decolorize", "drop_empty_fields", "extract",
	"extract_regexp", "facets", "field_names", "field_values", "generate_sequence", "hash", "join",
	"json_array_concat", "json_array_len", "len", "pack_json", "pack_logfmt", "query_stats", "replace",
	"replace_regexp", "sample", "set_stream_fields", "split", "stream_context", "time_add", "top", "union",
	"uniq", "unpack_logfmt", "unpack_syslog", "unpack_words", "unroll",
}

// perLog are the pipes, besides filters, whose result for one log depends on no
// other log and leaves its time alone.
var perLog = []string{
	"collapse_nums", "decolorize", "eval", "extract", "extract_regexp", "format", "hash", "len", "math",
	"replace", "replace_regexp", "unpack_json", "unpack_logfmt", "unpack_syslog", "unpack_words",
}

// perResult are the pipes that may follow the stats pipe where perLog may precede it.
var perResult = []string{
	"copy", "cp", "del", "delete", "drop", "eval", "fields", "format", "keep", "math", "mv", "rename", "rm",
}
