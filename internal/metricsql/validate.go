// Package metricsql answers what the expressions of rules say: whether they are
// valid, and which metrics they read. It understands PromQL and MetricsQL alike,
// by the parsers of Prometheus and VictoriaMetrics, and evaluates nothing.
package metricsql

import (
	"errors"
	"fmt"

	"github.com/VictoriaMetrics/metricsql"
	"github.com/prometheus/prometheus/promql/parser"
)

// Bounds on an expression, so that no rule file can exhaust the stack of the
// recursive parsers, nor much time: Prometheus' takes the square of the number
// of operators. Expressions that people or generators write stay far below.
const (
	maxBytes   = 128 << 10
	maxNesting = 500
)

// Validate returns nil if PromQL or MetricsQL accepts expr. Otherwise the error
// says where and why, as "line:column: reason" when the place is known, in the
// words of whichever parser understood more of it.
func Validate(expr string) error {
	if err := checkSize(expr); err != nil {
		return err
	}
	// Prometheus' parser goes first because it is the faster one, and because
	// nearly every expression is PromQL.
	_, promErr := parsePromQL(expr)
	if promErr == nil {
		return nil
	}
	_, metricsErr := metricsql.Parse(expr)
	if metricsErr == nil {
		return nil
	}
	return clearer(expr, promErr, metricsErr)
}

// parsePromQL accepts everything Prometheus may have switched on: whether the
// datasource has is for the datasource to say.
func parsePromQL(expr string) (parser.Expr, error) {
	return parser.NewParser(parser.Options{
		EnableExperimentalFunctions:  true,
		ExperimentalDurationExpr:     true,
		EnableExtendedRangeSelectors: true,
		EnableBinopFillModifiers:     true,
	}).ParseExpr(expr)
}

// checkSize refuses what the parsers could not descend into safely: too many
// bytes, brackets or signs in a row. It looks into strings as well, where
// hundreds of unbalanced brackets do not occur in practice.
func checkSize(expr string) error {
	if len(expr) > maxBytes {
		return fmt.Errorf("%d bytes are too many for an expression (at most %d)", len(expr), maxBytes)
	}
	depth, signs := 0, 0
	for i := range len(expr) {
		switch c := expr[i]; {
		case c == '(' || c == '[' || c == '{':
			depth++
			signs = 0
		case c == ')' || c == ']' || c == '}':
			depth--
			signs = 0
		case c == '+' || c == '-':
			signs++
		case !isSpace(c):
			signs = 0
		}
		if depth > maxNesting || signs > maxNesting {
			return errors.New("expression is nested too deeply")
		}
	}
	return nil
}

func isSpace(c byte) bool {
	return c == ' ' || c >= '\t' && c <= '\r'
}
