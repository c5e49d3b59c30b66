package relabel

import (
	"testing"

	"github.com/prometheus/prometheus/model/labels"
)

func BenchmarkApply(b *testing.B) {
	in := labels.FromStrings(
		"alertname", "InstanceDown", "alertgroup", "availability", "cluster", "eu-1", "instance", "10.0.0.1:9100",
		"job", "node", "severity", "critical", "team", "infra", "replica", "a",
	)
	for _, c := range []struct {
		name  string
		rules []Config
	}{
		{"dropped", []Config{{Action: "drop", SourceLabels: []string{"severity"}, Regex: text("info|critical")}}},
		{"unchanged", []Config{{Action: "drop", SourceLabels: []string{"cluster", "severity"}, Regex: text("us-.*;info")}, {Action: "keep", If: []string{`{team=~"infra|web"}`}}}},
		{"labeldrop", []Config{{Action: "labeldrop", Regex: text("replica|replica_.*")}}},
		{"replace", []Config{{SourceLabels: []string{"instance"}, Regex: text("([^:]+):.*"), TargetLabel: "host"}}},
	} {
		b.Run(c.name, func(b *testing.B) {
			rules := mustCompile(b, c.rules...)
			b.ReportAllocs()
			for b.Loop() {
				rules.Apply(in)
			}
		})
	}
}
