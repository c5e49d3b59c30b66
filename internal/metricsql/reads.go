package metricsql

import (
	"fmt"
	"regexp"

	"github.com/VictoriaMetrics/metricsql"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

const nameLabel = model.MetricNameLabel

// Reads is what the selectors of one expression read. The zero value reads
// nothing.
type Reads struct {
	selectors []selector
}

// selector is the conditions that one selector puts on the metric name; all
// must hold. Without conditions it may read anything.
type selector []nameMatcher

// nameMatcher is one condition on the metric name.
type nameMatcher struct {
	name    string
	pattern *regexp.Regexp // used instead of name unless nil
	negated bool
}

// ReadsOf returns what expr reads, templates of MetricsQL expanded. The error is
// that of Validate.
func ReadsOf(expr string) (Reads, error) {
	if err := checkSize(expr); err != nil {
		return Reads{}, err
	}
	metricsExpr, metricsErr := metricsql.Parse(expr)
	if metricsErr == nil {
		return metricsReads(metricsExpr)
	}
	promExpr, promErr := parsePromQL(expr)
	if promErr == nil {
		return promReads(promExpr)
	}
	return Reads{}, clearer(expr, promErr, metricsErr)
}

// Metric reports whether a series of this metric name may be among what the
// expression reads.
func (r Reads) Metric(name string) bool {
	for _, s := range r.selectors {
		if s.matches(name) {
			return true
		}
	}
	return false
}

func (s selector) matches(name string) bool {
	for _, m := range s {
		if m.matches(name) == m.negated {
			return false
		}
	}
	return true
}

func (m *nameMatcher) matches(name string) bool {
	if m.pattern != nil {
		return m.pattern.MatchString(name)
	}
	return m.name == name
}

func newPattern(text string) (*regexp.Regexp, error) {
	re, err := regexp.Compile("^(?s:" + text + ")$")
	if err != nil {
		return nil, fmt.Errorf("compile metric name pattern %q: %w", text, err)
	}
	return re, nil
}

func metricsReads(e metricsql.Expr) (r Reads, err error) {
	metricsql.VisitAll(e, func(e metricsql.Expr) {
		metric, ok := e.(*metricsql.MetricExpr)
		if !ok || err != nil {
			return
		}
		for _, filters := range metric.LabelFilterss {
			var s selector
			if s, err = metricsSelector(filters); err != nil {
				return
			}
			r.selectors = append(r.selectors, s)
		}
		if len(metric.LabelFilterss) == 0 {
			r.selectors = append(r.selectors, selector{})
		}
	})
	if err != nil {
		return Reads{}, err
	}
	return r, nil
}

func metricsSelector(filters []metricsql.LabelFilter) (selector, error) {
	s := selector{}
	for _, f := range filters {
		if f.Label != nameLabel {
			continue
		}
		m := nameMatcher{name: f.Value, negated: f.IsNegative}
		if f.IsRegexp {
			var err error
			if m.pattern, err = newPattern(f.Value); err != nil {
				return nil, err
			}
		}
		s = append(s, m)
	}
	return s, nil
}

func promReads(e parser.Expr) (r Reads, err error) {
	parser.Inspect(e, func(node parser.Node, _ []parser.Node) error {
		switch n := node.(type) {
		case *parser.VectorSelector:
			var s selector
			if s, err = promSelector(n.LabelMatchers); err != nil {
				return err
			}
			r.selectors = append(r.selectors, s)
		case *parser.Call:
			// Without a second argument info() joins the labels of this metric.
			if n.Func != nil && n.Func.Name == infoFunction {
				r.selectors = append(r.selectors, selector{{name: infoMetric}})
			}
		}
		return nil
	})
	if err != nil {
		return Reads{}, err
	}
	return r, nil
}

// info() of PromQL is the one function that reads a metric the expression does
// not mention.
const (
	infoFunction = "info"
	infoMetric   = "target_info"
)

func promSelector(matchers []*labels.Matcher) (selector, error) {
	s := selector{}
	for _, lm := range matchers {
		if lm.Name != nameLabel {
			continue
		}
		m := nameMatcher{
			name:    lm.Value,
			negated: lm.Type == labels.MatchNotEqual || lm.Type == labels.MatchNotRegexp,
		}
		if lm.Type == labels.MatchRegexp || lm.Type == labels.MatchNotRegexp {
			var err error
			if m.pattern, err = newPattern(lm.Value); err != nil {
				return nil, err
			}
		}
		s = append(s, m)
	}
	return s, nil
}
