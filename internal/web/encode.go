package web

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"tocsin/config"
	"tocsin/internal/httpx"
	"tocsin/internal/jsontext"
	"tocsin/rules"
)

// encoder writes the objects of the API. Keys come in vmalert's order; what is
// ours follows its fields, so that readers of either find theirs.
type encoder struct {
	out      *body
	state    State
	extended bool // rule states
	noAlerts bool // leave the alerts of rules out
	// uncounted leaves the states of a group empty, as vmalert has them where it
	// answers with one group.
	uncounted bool

	linked *config.Group // whose alerts link gives their addresses
	link   rules.GroupLinker
}

// group writes s with the rules that m selects of it.
func (e *encoder) group(m match) {
	dst := append(e.out.buf, `{"name":`...)
	dst = jsontext.AppendString(dst, m.group.Group.Key.Name)
	e.out.buf = append(dst, `,"rules":[`...)
	var states [stateCount]int
	for i := range m.len() {
		if i > 0 {
			e.out.buf = append(e.out.buf, ',')
		}
		states[e.rule(m.group, m.rule(i))]++
		e.out.buf = append(e.out.buf, '}')
		if !e.out.flush() {
			return
		}
	}
	if e.uncounted {
		states = [stateCount]int{}
	}
	e.out.buf = appendGroupTail(e.out.buf, m.group, &states)
}

// appendGroupTail appends what follows the rules of a group.
func appendGroupTail(dst []byte, s *rules.Snapshot, states *[stateCount]int) []byte {
	g := s.Group
	dst = append(dst, `],"interval":`...)
	dst = appendSeconds(dst, g.Interval)
	dst = append(dst, `,"lastEvaluation":`...)
	dst = appendTime(dst, s.LastEvaluation)
	dst = append(dst, `,"type":`...)
	dst = jsontext.AppendString(dst, string(g.Type))
	dst = append(dst, `,"id":`...)
	dst = appendID(dst, s.ID)
	dst = append(dst, `,"file":`...)
	dst = jsontext.AppendString(dst, g.Key.File)
	dst = append(dst, `,"concurrency":`...)
	dst = strconv.AppendInt(dst, int64(g.Concurrency), 10)
	dst = appendGroupOptions(dst, g)
	dst = append(dst, `,"states":`...)
	dst = appendStates(dst, states)
	dst = append(dst, `,"limit":`...)
	dst = strconv.AppendInt(dst, int64(g.Limit), 10)
	dst = append(dst, `,"evaluationTime":`...)
	dst = appendSeconds(dst, roundDuration(s))
	dst = appendGaps(dst, s.Stats.Gaps)
	return append(dst, '}')
}

// appendGaps appends the times for which evaluations were missing, if there were
// any.
func appendGaps(dst []byte, gaps []rules.Gap) []byte {
	for i, g := range gaps {
		if i == 0 {
			dst = append(dst, `,"gaps":[`...)
		} else {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"from":`...)
		dst = appendTime(dst, g.From)
		dst = append(dst, `,"to":`...)
		dst = appendTime(dst, g.To)
		dst = append(dst, `,"filled":`...)
		dst = strconv.AppendInt(dst, int64(g.Filled), 10)
		dst = append(dst, `,"unfilled":`...)
		dst = strconv.AppendInt(dst, int64(g.Unfilled), 10)
		dst = append(dst, '}')
	}
	if len(gaps) > 0 {
		dst = append(dst, ']')
	}
	return dst
}

// appendGroupOptions appends the fields that are there only when the group has
// them.
func appendGroupOptions(dst []byte, g *config.Group) []byte {
	if len(g.Params) > 0 {
		dst = append(dst, `,"params":`...)
		dst = appendStrings(dst, paramLines(g.Params))
	}
	if len(g.Headers) > 0 {
		dst = append(dst, `,"headers":`...)
		dst = appendStrings(dst, headerLines(g.Headers))
	}
	if len(g.NotifierHeaders) > 0 {
		dst = append(dst, `,"notifier_headers":`...)
		dst = appendStrings(dst, headerLines(g.NotifierHeaders))
	}
	if len(g.Labels) > 0 {
		dst = append(dst, `,"labels":`...)
		dst = appendPairs(dst, g.Labels)
	}
	if g.EvalOffset.Set && g.EvalOffset.Duration != 0 {
		dst = append(dst, `,"eval_offset":`...)
		dst = appendSeconds(dst, g.EvalOffset.Duration)
	}
	if g.EvalDelay.Set && g.EvalDelay.Duration != 0 {
		dst = append(dst, `,"eval_delay":`...)
		dst = appendSeconds(dst, g.EvalDelay.Duration)
	}
	return dst
}

func appendStates(dst []byte, states *[stateCount]int) []byte {
	dst = append(dst, '{')
	first := true
	for state, n := range states {
		if n == 0 {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(jsontext.AppendString(dst, ruleStateNames[state]), ':')
		dst = strconv.AppendInt(dst, int64(n), 10)
	}
	return append(dst, '}')
}

// roundDuration returns how long the last round of a group took.
func roundDuration(s *rules.Snapshot) time.Duration {
	var longest time.Duration
	for i := range s.Rules {
		if u, ok := s.Rules[i].History.Last(); ok && u.Began >= s.LastEvaluation {
			longest = max(longest, u.Began.Add(u.Duration).Sub(s.LastEvaluation))
		}
	}
	return longest
}

// paramLines returns query arguments as lines sorted by name; values that may be
// credentials are hidden.
func paramLines(params map[string][]string) []string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(params)) {
		for _, v := range params[name] {
			lines = append(lines, name+"="+visible(name, v))
		}
	}
	return lines
}

// headerLines returns headers as lines sorted by name; values that may be
// credentials are hidden.
func headerLines(headers []config.Pair) []string {
	lines := make([]string, 0, len(headers))
	for _, h := range headers {
		lines = append(lines, h.Name+": "+visible(h.Name, h.Value))
	}
	slices.Sort(lines)
	return lines
}

// visible returns the value as it may be shown.
func visible(name, value string) string {
	if httpx.IsSensitiveName(name) {
		return "<secret>"
	}
	return value
}
