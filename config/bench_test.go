package config

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// manyFiles is how many files of ten groups with ten alerting rules each the
// benchmarks read, which is 10,000 rules.
const manyFiles = 100

// rulesOf returns the text of one file. Another edit alters one of its rules.
func rulesOf(file, edit int) string {
	var s strings.Builder
	s.WriteString("groups:\n")
	for g := range 10 {
		fmt.Fprintf(&s, "  - name: group-%d\n    interval: 10s\n    rules:\n", g)
		for r := range 10 {
			threshold := r
			if g == edit%10 && r == edit/10%10 {
				threshold += 10 * edit
			}
			fmt.Fprintf(&s, `      - alert: Alert%[1]d_%[2]d
        expr: sum(rate(http_requests_total{job="api", code=~"5..", rule="%[1]d_%[2]d"}[5m])) by (instance) > %[3]d
        for: 5m
        labels:
          severity: warning
          team: team-%[2]d
        annotations:
          summary: "Too many errors on {{ $labels.instance }}"
          description: "The error ratio is {{ $value | humanizePercentage }} for rule %[2]d"
          runbook: https://example.com/runbooks/%[2]d
`, file, r, threshold)
		}
	}
	return s.String()
}

// manyRules is a folder of rule files.
type manyRules string

func newManyRules(b *testing.B) manyRules {
	m := manyRules(b.TempDir())
	for file := range manyFiles {
		m.write(b, file, 0)
	}
	return m
}

func (m manyRules) write(b *testing.B, file, edit int) {
	name := filepath.Join(string(m), fmt.Sprintf("rules%03d.yml", file))
	if err := os.WriteFile(name, []byte(rulesOf(file, edit)), 0o644); err != nil {
		b.Fatal(err)
	}
}

// loader returns a loader that has loaded the files already.
func (m manyRules) loader(b *testing.B) *Loader {
	l := NewLoader(m.options())
	loadAll(b, l)
	return l
}

func (m manyRules) options() Options {
	return Options{Patterns: []string{filepath.Join(string(m), "*.yml")}, ValidateExpressions: true}
}

func loadAll(b *testing.B, l *Loader) {
	if _, err := l.Load(context.Background()); err != nil {
		b.Fatal(err)
	}
}

// What a reload costs follows the change: compare this with the benchmarks of
// reloads below, which read the same 10,000 rules.
func BenchmarkFirstLoad(b *testing.B) {
	m := newManyRules(b)
	b.ReportAllocs()
	for b.Loop() {
		loadAll(b, NewLoader(m.options()))
	}
}

func BenchmarkReloadUnchanged(b *testing.B) {
	l := newManyRules(b).loader(b)
	b.ReportAllocs()
	for b.Loop() {
		loadAll(b, l)
	}
}

func BenchmarkReloadOneOfManyFiles(b *testing.B) {
	m := newManyRules(b)
	l := m.loader(b)
	b.ReportAllocs()
	edit := 0
	for b.Loop() {
		edit++
		m.write(b, edit%manyFiles, edit)
		loadAll(b, l)
	}
}

// The usual worst case: one rule changed, but in every file.
func BenchmarkReloadOneRuleOfEachFile(b *testing.B) {
	m := newManyRules(b)
	l := m.loader(b)
	b.ReportAllocs()
	edit := 0
	for b.Loop() {
		edit++
		b.StopTimer()
		for file := range manyFiles {
			m.write(b, file, edit)
		}
		b.StartTimer()
		loadAll(b, l)
	}
}
