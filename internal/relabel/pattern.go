package relabel

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
)

// pattern is a regular expression for whole texts, line breaks included.
type pattern struct {
	match *labels.FastRegexMatcher // nil matches everything
	parts *regexp.Regexp           // the same, with its groups
}

func newPattern(expr string) (pattern, error) {
	if matchesAll(expr) {
		// As in VictoriaMetrics, the group of the usual expression is there even
		// when the brackets are not.
		return pattern{parts: regexp.MustCompile(`^(?s:(.*))$`)}, nil
	}
	parts, err := regexp.Compile(`^(?s:` + expr + `)$`)
	if err != nil {
		return pattern{}, exprError(expr, err)
	}
	match, err := labels.NewFastRegexMatcher(expr)
	if err != nil {
		return pattern{}, exprError(expr, err)
	}
	return pattern{match: match, parts: parts}, nil
}

// exprError leaves out the expression as it was wrapped for compiling.
func exprError(expr string, err error) error {
	text := err.Error()
	if cause, ok := err.(*syntax.Error); ok {
		text = cause.Code.String()
	}
	return fmt.Errorf("regex %q: %s", expr, text)
}

func (p *pattern) all() bool             { return p.match == nil }
func (p *pattern) matches(s string) bool { return p.match == nil || p.match.MatchString(s) }

// found is where a pattern and its groups are in a text.
type found struct {
	pattern *regexp.Regexp
	text    string
	at      []int
}

// find reports whether s matches.
func (p *pattern) find(s string) (found, bool) {
	at := p.parts.FindStringSubmatchIndex(s)
	return found{p.parts, s, at}, at != nil
}

// expand returns template with its groups put in, if it has any.
func (f found) expand(template string) string {
	if !hasGroup(template) {
		return template
	}
	return string(f.pattern.ExpandString(nil, template, f.text, f.at))
}

// matchesAll reports whether expr is .*, anchored or not, in brackets or not.
func matchesAll(expr string) bool {
	re, err := syntax.Parse(expr, syntax.Perl|syntax.DotNL)
	if err != nil {
		return false
	}
	for {
		switch {
		case re.Op == syntax.OpCapture:
			re = re.Sub[0]
		case re.Op == syntax.OpConcat && len(re.Sub) > 0 && re.Sub[0].Op == syntax.OpBeginText:
			re = rest(re, re.Sub[1:])
		case re.Op == syntax.OpConcat && len(re.Sub) > 0 && re.Sub[len(re.Sub)-1].Op == syntax.OpEndText:
			re = rest(re, re.Sub[:len(re.Sub)-1])
		default:
			return re.Op == syntax.OpStar && re.Flags&syntax.NonGreedy == 0 && re.Sub[0].Op == syntax.OpAnyChar
		}
	}
}

func rest(concat *syntax.Regexp, subs []*syntax.Regexp) *syntax.Regexp {
	if len(subs) == 1 {
		return subs[0]
	}
	concat.Sub = subs
	return concat
}

// hasGroup reports whether a template refers to groups.
func hasGroup(template string) bool { return strings.Contains(template, "$") }
