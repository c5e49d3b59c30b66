package world

import (
	"fmt"
	"strings"
)

// The names of the metrics that the expressions read and of the labels that tell
// series apart.
const (
	sourceMetric  = "faults_source"
	alertMetric   = "faults_alert"
	RuleLabel     = "rule"
	SeriesLabel   = "series"
	InstanceLabel = "instance"
)

// RecordPattern matches the names of all recorded metrics and no other.
const RecordPattern = "faults:r.*"

// AlertPattern matches the names of all alerts.
const AlertPattern = "Alert[0-9]+x[0-9]+"

// RuleFile returns the rule file of a group. Editions differ in what changes neither
// what is recorded nor who is paged.
func (w *World) RuleFile(g *Group, edition int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "groups:\n- name: %s\n  interval: %s\n", g.Name, g.Interval)
	if edition%2 == 1 {
		b.WriteString("  concurrency: 2\n")
	}
	b.WriteString("  rules:\n")
	for _, name := range g.Records {
		fmt.Fprintf(&b, "  - record: %s\n    expr: %s{rule=%q}\n", name, sourceMetric, name)
	}
	for _, name := range g.Alerts {
		fmt.Fprintf(&b, "  - alert: %s\n    expr: %s{rule=%q}\n    for: %s\n", name, alertMetric, name, w.For)
		fmt.Fprintf(&b, "    annotations:\n      summary: '{{ $labels.instance }} is at {{ $value }}'\n      edition: '%d'\n", edition)
	}
	return b.String()
}
