package relabel

import (
	"fmt"
	"slices"

	"github.com/VictoriaMetrics/metricsql"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
)

// condition is the "if" of a rule.
type condition struct {
	given bool // else it always matches
	// alternatives are lists of filters which must all match. There are none in the
	// selector {}, which as in VictoriaMetrics matches nothing.
	alternatives [][]filter
}

// newCondition reads series selectors, each of which may have alternatives of its
// own.
func newCondition(selectors []string) (condition, error) {
	c := condition{given: len(selectors) > 0}
	for _, s := range selectors {
		expr, err := metricsql.Parse(s)
		if err != nil {
			return c, fmt.Errorf("if %q: %w", s, err)
		}
		series, ok := expr.(*metricsql.MetricExpr)
		if !ok {
			return c, fmt.Errorf("if %q: not a series selector", s)
		}
		for _, written := range series.LabelFilterss {
			filters := make([]filter, len(written))
			for i := range written {
				if filters[i], err = newFilter(&written[i]); err != nil {
					return c, fmt.Errorf("if %q: %w", s, err)
				}
			}
			c.alternatives = append(c.alternatives, filters)
		}
	}
	return c, nil
}

func (c *condition) matches(w *work) bool {
	return !c.given || slices.ContainsFunc(c.alternatives, func(filters []filter) bool {
		for i := range filters {
			if !filters[i].matches(w) {
				return false
			}
		}
		return true
	})
}

// filter is one comparison within a selector.
type filter struct {
	label   string
	value   string
	regex   *labels.FastRegexMatcher // nil compares with value
	negated bool
}

func newFilter(written *metricsql.LabelFilter) (filter, error) {
	f := filter{label: written.Label, value: written.Value, negated: written.IsNegative}
	if written.IsRegexp {
		var err error
		if f.regex, err = labels.NewFastRegexMatcher(written.Value); err != nil {
			return filter{}, exprError(written.Value, err)
		}
	}
	return f, nil
}

func (f *filter) matches(w *work) bool { return f.equals(w) != f.negated }

// equals looks at every label of the name, as there may be several.
func (f *filter) equals(w *work) bool {
	found := false
	for i := range w.list {
		if w.list[i].Name == f.label {
			found = true
			if f.equalsValue(w.list[i].Value) {
				return true
			}
		}
	}
	// A metric without a name does not have the empty one, unlike other labels.
	if !found && f.label == model.MetricNameLabel && f.regex == nil {
		return false
	}
	return !found && f.equalsValue("")
}

func (f *filter) equalsValue(value string) bool {
	if f.regex != nil {
		return f.regex.MatchString(value)
	}
	return value == f.value
}
