package config

import (
	"strings"

	"tocsin/internal/graphiteql"
	"tocsin/internal/logsql"
	"tocsin/internal/metricsql"
)

// checkName requires a name that no other group of the file has.
func (d *decoder) checkName(g *Group) {
	if g.Key.Name == "" {
		d.problem(g.Line, "", "a group needs a name")
		return
	}
	if line, taken := d.names[g.Key.Name]; taken {
		d.problem(g.Line, "names of groups are unique within a file", "the group at line %d has the same name", line)
		return
	}
	d.names[g.Key.Name] = g.Line
}

// checkTiming checks how interval, offset and delay go together, and puts the
// default and the meaning of a negative offset in force.
func (d *decoder) checkTiming(g *Group) {
	own := g.Interval
	if own < 0 {
		d.problem(g.Line, "", "interval must not be negative, but is %s", own)
		own = 0
	}
	g.Interval = own
	if own == 0 {
		g.Interval = d.defaults.Interval
	}
	if !g.EvalOffset.Set {
		return
	}
	if g.EvalDelay.Set {
		d.problem(g.Line, "remove one of them", "eval_offset and eval_delay exclude each other")
	}
	offset := g.EvalOffset.Duration
	switch {
	case offset == 0:
	case own == 0:
		d.problem(g.Line, "", "eval_offset %s requires an interval in the group itself", offset)
	case offset.Abs() > own:
		d.problem(g.Line, "", "eval_offset %s is greater than the interval %s", offset, own)
	case offset < 0:
		g.EvalOffset.Duration = own + offset
	}
}

// checkExpr checks an expression in the language of its group.
func (d *decoder) checkExpr(language Type, expr string, line int) {
	if expr == "" {
		d.problem(line, "", "expr must not be empty")
		return
	}
	if !d.validate || d.valid[expression{language, expr}] {
		return
	}
	var err error
	switch language {
	case Prometheus:
		err = metricsql.Validate(expr)
	case Graphite:
		err = graphiteql.Validate(expr)
	case VLogs:
		err = logsql.Validate(expr)
	}
	if err == nil {
		return
	}
	hint := ""
	if strings.Contains(expr, "{{") {
		hint = "expressions are not templates"
	}
	d.problem(line, hint, "invalid expression: %v", err)
}
