package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// scenario is one kind of work and how far below vmalert tocsin is to stay.
type scenario struct {
	name   string
	groups []groupSpec
	// series is how many series an expression answers.
	series int
	kind   measurement
	budget budget
}

// budget is the highest ratio to vmalert allowed; 0 is not measured.
type budget struct{ cpu, memory, elapsed float64 }

// measurement is what of a scenario is measured.
type measurement int

const (
	steady  measurement = iota // rounds, for the time of -seconds
	startup                    // from the start until the API has all rules
	api                        // the latency of /api/v1/rules
)

// groupSpec is a number of equal groups, each in a file of its own.
type groupSpec struct {
	files, rules int
	interval     time.Duration
	rule         func(file, i int) string
}

var scenarios = []scenario{
	{
		name: "10,000 alerts firing", series: 1, kind: steady,
		groups: []groupSpec{{200, 50, 10 * time.Second, alertRule}},
		budget: budget{cpu: 0.3, memory: 0.4},
	},
	{
		name: "10,000 alerts, no series", series: 0, kind: steady,
		groups: []groupSpec{{200, 50, 10 * time.Second, alertRule}},
		budget: budget{cpu: 0.6, memory: 0.4},
	},
	{
		name: "one rule, 50,000 firing", series: 50_000, kind: steady,
		groups: []groupSpec{{1, 1, 10 * time.Second, annotatedRule}},
		budget: budget{cpu: 0.05, memory: 0.4},
	},
	{
		name: "4 recording rules of 50,000", series: 50_000, kind: steady,
		groups: []groupSpec{{4, 1, 10 * time.Second, recordRule}},
		budget: budget{cpu: 0.4, memory: 0.5},
	},
	{
		name: "start of 10,000 rules", series: 1, kind: startup,
		groups: []groupSpec{{200, 50, time.Hour, alertRule}},
		budget: budget{cpu: 0.3, memory: 0.4, elapsed: 0.3},
	},
	{
		name: "/api/v1/rules of 10,000 rules", series: 1, kind: api,
		groups: []groupSpec{{200, 50, 10 * time.Second, alertRule}},
		budget: budget{elapsed: 0.3},
	},
}

func (s *scenario) rules() int {
	n := 0
	for _, g := range s.groups {
		n += g.files * g.rules
	}
	return n
}

func alertRule(file, i int) string {
	return fmt.Sprintf(`  - alert: InstanceDown%d
    expr: avg_over_time(up{job="api-%d",shard="%d"}[5m]) < 0.5
    for: 0s
    labels: {severity: page, team: infra}
    annotations:
      summary: "Instance {{ $labels.instance }} is down"
      description: "{{ $labels.instance }} of job {{ $labels.job }} is down, value {{ $value }}"
`, i, file, i)
}

func annotatedRule(_, _ int) string {
	return `  - alert: HighLatency
    expr: latency_seconds > 0.5
    labels: {severity: page}
    annotations:
      summary: "Latency of {{ $labels.instance }} is {{ $value | humanizeDuration }}"
      description: "{{ $labels.job }} on {{ $labels.instance }} in {{ $labels.zone }} is slow"
      dashboard: "http://grafana/d/latency?var-instance={{ $labels.instance }}&var-job={{ $labels.job }}"
`
}

func recordRule(file, i int) string {
	return fmt.Sprintf("  - record: job:latency_%d_%d:rate5m\n    expr: rate(latency_seconds_%d[5m])\n", file, i, file)
}

// write writes the rule files below dir and returns the pattern for -rule.
func (s *scenario) write(dir string) (string, error) {
	n := 0
	for _, g := range s.groups {
		for f := range g.files {
			var b strings.Builder
			fmt.Fprintf(&b, "groups:\n- name: group-%d\n  interval: %s\n  rules:\n", f, g.interval)
			for i := range g.rules {
				b.WriteString(g.rule(f, i))
			}
			name := filepath.Join(dir, fmt.Sprintf("rules-%03d.yml", n))
			if err := os.WriteFile(name, []byte(b.String()), 0o644); err != nil {
				return "", err
			}
			n++
		}
	}
	return filepath.Join(dir, "rules-*.yml"), nil
}
