package config

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// manyRules writes 200 files of one group with 50 alerting rules each.
func manyRules(b *testing.B) string {
	dir := b.TempDir()
	for f := range 200 {
		var s strings.Builder
		fmt.Fprintf(&s, "groups:\n  - name: group-%d\n    interval: 10s\n    rules:\n", f)
		for r := range 50 {
			fmt.Fprintf(&s, `      - alert: Alert%[1]d_%[2]d
        expr: sum(rate(http_requests_total{job="api", code=~"5..", rule="%[1]d_%[2]d"}[5m])) by (instance) > 0.%[2]d
        for: 5m
        labels:
          severity: warning
          team: team-%[3]d
        annotations:
          summary: "Too many errors on {{ $labels.instance }}"
          description: "The error ratio is {{ $value | humanizePercentage }} for rule %[2]d"
          runbook: https://example.com/runbooks/%[2]d
`, f, r, r%7)
		}
		name := filepath.Join(dir, fmt.Sprintf("rules%03d.yml", f))
		if err := os.WriteFile(name, []byte(s.String()), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	return filepath.Join(dir, "*.yml")
}

func BenchmarkLoad(b *testing.B) {
	o := Options{Patterns: []string{manyRules(b)}, ValidateExpressions: true}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Load(context.Background(), o); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReloadUnchanged(b *testing.B) {
	l := NewLoader(Options{Patterns: []string{manyRules(b)}, ValidateExpressions: true})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := l.Load(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}
