package web

import (
	"fmt"
	"slices"

	"github.com/VictoriaMetrics/metricsql"
	"github.com/prometheus/prometheus/model/labels"

	"tocsin/config"
)

// selectors are the series selectors of match[]: label sets match when one of
// them does. Without any, all match.
type selectors [][]*labels.Matcher

// parseSelectors reads selectors in the syntax of MetricsQL, in which one text
// may hold several joined by "or".
func parseSelectors(texts []string) (selectors, error) {
	var list selectors
	for _, text := range texts {
		sets, err := parseSelector(text)
		if err != nil {
			return nil, badParam("match[]", "%q: %s", text, err)
		}
		list = append(list, sets...)
	}
	return list, nil
}

func parseSelector(text string) ([][]*labels.Matcher, error) {
	expr, err := metricsql.Parse(text)
	if err != nil {
		return nil, err
	}
	selector, ok := expr.(*metricsql.MetricExpr)
	if !ok || len(selector.LabelFilterss) == 0 {
		return nil, fmt.Errorf("it is not a series selector")
	}
	var sets [][]*labels.Matcher
	for _, filters := range selector.LabelFilterss {
		var set []*labels.Matcher
		for _, f := range filters {
			m, err := labels.NewMatcher(matchType(f), f.Label, f.Value)
			if err != nil {
				return nil, err
			}
			set = append(set, m)
		}
		sets = append(sets, set)
	}
	return sets, nil
}

func matchType(f metricsql.LabelFilter) labels.MatchType {
	switch {
	case f.IsRegexp && f.IsNegative:
		return labels.MatchNotRegexp
	case f.IsRegexp:
		return labels.MatchRegexp
	case f.IsNegative:
		return labels.MatchNotEqual
	}
	return labels.MatchEqual
}

// match reports whether one of s selects the labels that value looks up; a label
// that is not there is empty.
func (s selectors) match(value func(name string) string) bool {
	return slices.ContainsFunc(s, func(set []*labels.Matcher) bool {
		for _, m := range set {
			if !m.Matches(value(m.Name)) {
				return false
			}
		}
		return true
	})
}

func (s selectors) matchPairs(pairs []config.Pair) bool {
	return len(s) == 0 || s.match(func(name string) string {
		for _, p := range pairs {
			if p.Name == name {
				return p.Value
			}
		}
		return ""
	})
}

func (s selectors) matchLabels(l labels.Labels) bool {
	return len(s) == 0 || s.match(l.Get)
}
