package config

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// decode reads one file of this content, which must be without problems.
func decode(t *testing.T, content string) []Group {
	t.Helper()
	return decodeWith(t, testOptions(), content)
}

func decodeWith(t *testing.T, o *Options, content string) []Group {
	t.Helper()
	groups, problems := decodeFile("r.yml", []byte(content), o)
	if len(problems) > 0 {
		t.Fatalf("problems: %v", problems)
	}
	return groups
}

func testOptions() *Options {
	return &Options{ValidateExpressions: true, Defaults: Defaults{}.orUsual()}
}

func TestEveryKeyIsRead(t *testing.T) {
	got := decodeWith(t, withTenants(Tenants{}), `
groups:
  - name: all
    interval: 1h30m
    eval_offset: 5
    eval_alignment: no
    limit: 10
    concurrency: 3
    type: prometheus
    params:
      nocache: ["1"]
      extra_label: [a=b, c=d]
    headers:
      - "Authorization: Basic abc:def"
      - 'X-Empty:'
    notifier_headers: ["X-Scope: team"]
    labels: {zone: eu, area: 51}
    debug: true
    tenant: 1:2
    rules:
      - record: job:up:sum
        expr: sum(up) by (job)
        labels: {recording: true}
        annotations: {note: kept}
      - alert: Down
        expr: up == 0
        for: 1.5d
        keep_firing_for: 90s
        labels:
          severity: page
        annotations:
          summary: "{{ $labels.instance }} is down"
        debug: false
        update_entries_limit: 40
`)
	want := []Group{{
		Key: Key{"r.yml", "all"}, Line: 3, Type: Prometheus,
		Interval: 90 * time.Minute, EvalOffset: Duration{5 * time.Second, true},
		Limit: 10, Concurrency: 3,
		Params:          map[string][]string{"nocache": {"1"}, "extra_label": {"a=b", "c=d"}},
		Headers:         []Pair{{"Authorization", "Basic abc:def"}, {"X-Empty", ""}},
		NotifierHeaders: []Pair{{"X-Scope", "team"}},
		Labels:          []Pair{{"area", "51"}, {"zone", "eu"}},
		Debug:           true, Tenant: "1:2",
		Rules: []Rule{
			{
				Line: 21, Kind: Recording, Name: "job:up:sum", Expr: "sum(up) by (job)",
				Labels: []Pair{{"recording", "true"}}, Annotations: []Pair{{"note", "kept"}},
				Debug: true, UpdateEntries: 1,
			},
			{
				Line: 25, Kind: Alerting, Name: "Down", Expr: "up == 0", For: 36 * time.Hour, KeepFiringFor: 90 * time.Second,
				Labels: []Pair{{"severity", "page"}}, Annotations: []Pair{{"summary", "{{ $labels.instance }} is down"}},
				UpdateEntries: 40,
			},
		},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestDefaultsAreInForceWhereNothingIsSaid(t *testing.T) {
	o := &Options{Defaults: Defaults{
		Interval: 15 * time.Second, EvalDelay: 30 * time.Second, Type: Graphite, Limit: 7, UpdateEntries: 20,
	}.orUsual()}
	groups, problems := decodeFile("r.yml", []byte(`
groups:
  - name: silent
    rules:
      - {alert: A, expr: a.b, update_entries_limit: -1}
      - {record: b, expr: a.b}
  - name: null values
    interval:
    limit: ~
    type:
    eval_delay:
    eval_alignment:
    concurrency: 0
    rules:
  - name: zeros
    interval: 0
    limit: 0
    eval_delay: 0
    rules: []
`), o)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	silent := Group{
		Key: Key{"r.yml", "silent"}, Type: Graphite, Interval: 15 * time.Second,
		EvalDelay: Duration{30 * time.Second, false}, EvalAlignment: true, Limit: 7, Concurrency: 1,
	}
	nulls, zeros := silent, silent
	nulls.Key.Name, zeros.Key.Name = "null values", "zeros"
	zeros.Limit, zeros.EvalDelay = 0, Duration{0, true}
	silent.Rules = []Rule{
		{Kind: Alerting, Name: "A", Expr: "a.b", UpdateEntries: 1},
		{Kind: Recording, Name: "b", Expr: "a.b", UpdateEntries: 20},
	}
	for i, want := range []Group{silent, nulls, zeros} {
		if !groups[i].Equal(&want) {
			t.Errorf("group %d: %s", i, cmp.Diff(want, groups[i]))
		}
	}
}

func TestEmptyFilesAndGroupsAreValid(t *testing.T) {
	for _, content := range []string{
		"", "# nothing\n", "---\n---\n", "groups:\n", "groups: []\n", "{}",
	} {
		if groups := decode(t, content); len(groups) != 0 {
			t.Errorf("%q: got %d groups", content, len(groups))
		}
	}
	groups := decode(t, "groups:\n- name: no rules\n- name: empty rules\n  rules:\n")
	if len(groups) != 2 || len(groups[0].Rules)+len(groups[1].Rules) != 0 {
		t.Errorf("got %+v", groups)
	}
}

func TestNegativeOffsetCountsFromTheEnd(t *testing.T) {
	groups := decode(t, `groups: [
		{name: a, interval: 1m, eval_offset: -10s}, {name: b, interval: 1m, eval_offset: -1m},
		{name: c, interval: 1m, eval_offset: 1m}, {name: d, eval_offset: 0}]`)
	for i, want := range []time.Duration{50 * time.Second, 0, time.Minute, 0} {
		if got := groups[i].EvalOffset; got != (Duration{want, true}) {
			t.Errorf("group %d: got %v, want %v", i, got, want)
		}
	}
}

func TestAllDocumentsOfAFileAreRead(t *testing.T) {
	groups := decode(t, "groups: [{name: a}]\n---\n# nothing\n---\ngroups: [{name: b}]\n")
	if len(groups) != 2 || groups[0].Key.Name != "a" || groups[1].Key.Name != "b" || groups[1].Line != 5 {
		t.Errorf("got %+v", groups)
	}
}

func TestAliasesAndMergedKeys(t *testing.T) {
	groups := decode(t, `
groups:
  - name: &name shared
    labels: &labels {team: a, zone: b}
    rules:
      - &rule {alert: A, expr: &expr up == 0, for: 5m, labels: {<<: *labels, team: c}}
      - {<<: *rule, alert: B}
      - {<<: [{for: 1m}, *rule], record: "", alert: C, expr: *expr}
`)
	want := []Rule{
		{Kind: Alerting, Name: "A", Expr: "up == 0", For: 5 * time.Minute, Labels: []Pair{{"team", "c"}, {"zone", "b"}}, UpdateEntries: 1},
		{Kind: Alerting, Name: "B", Expr: "up == 0", For: 5 * time.Minute, Labels: []Pair{{"team", "c"}, {"zone", "b"}}, UpdateEntries: 1},
		{Kind: Alerting, Name: "C", Expr: "up == 0", For: time.Minute, Labels: []Pair{{"team", "c"}, {"zone", "b"}}, UpdateEntries: 1},
	}
	got := unplaced(groups[0].Rules)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAliasBombIsRefused(t *testing.T) {
	var b strings.Builder
	b.WriteString("x: &l [")
	b.WriteString(strings.Repeat("{alert: A, expr: a},", 1000))
	b.WriteString("]\ny: &g {rules: *l}\ngroups: [")
	b.WriteString(strings.Repeat("*g,", 1000))
	b.WriteString("]\n")
	_, problems := decodeFile("r.yml", []byte(b.String()), testOptions())
	if len(problems) != 1 || problems[0].Message != "aliases make the file too large to read" {
		t.Errorf("got %d problems, the first is %v", len(problems), problems[0])
	}
}

func TestRulesOfKubernetesObjectsAreRead(t *testing.T) {
	groups := decodeWith(t, withTenants(Tenants{Prometheus: "7"}), `
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {name: x, labels: {prometheus: k8s}}
spec:
  groups:
    - name: a
      query_offset: 1m
      partial_response_strategy: abort
      rules: [{alert: A, expr: up == 0}]
---
apiVersion: operator.victoriametrics.com/v1beta1
kind: VMRule
spec: {groups: [{name: b, concurrency: 2, tenant: "1"}]}
status: {updateStatus: operational}
---
apiVersion: v1
kind: List
items:
  - kind: PrometheusRule
    spec: {groups: [{name: c}]}
  - kind: VMRule
    apiVersion: operator.victoriametrics.com/v1
    spec:
      groups: [{name: d}]
`)
	var names []string
	for _, g := range groups {
		names = append(names, g.Key.Name)
	}
	if diff := cmp.Diff([]string{"a", "b", "c", "d"}, names); diff != "" {
		t.Fatal(diff)
	}
	if got := groups[0].EvalDelay; got != (Duration{time.Minute, true}) {
		t.Errorf("query_offset: got %v", got)
	}
	if len(groups[0].Rules) != 1 || groups[1].Concurrency != 2 || groups[1].Tenant != "1" {
		t.Errorf("got %+v", groups)
	}
}

// Each file of testdata/problems ends in comments that say, line by line, what
// loading it reports.
func TestProblemsAreAllReported(t *testing.T) {
	files, err := filepath.Glob("testdata/problems/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yml"), func(t *testing.T) {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, wanted, found := strings.Cut(string(content), "\n# problems:\n")
			if !found {
				t.Fatal("the file does not say what its problems are")
			}
			var want []string
			for line := range strings.Lines(wanted) {
				want = append(want, strings.TrimSuffix(strings.TrimPrefix(line, "# "), "\n"))
			}
			_, err = Load(context.Background(), Options{Patterns: []string{file}, StripPath: true, ValidateExpressions: true})
			var problems Problems
			if !errors.As(err, &problems) {
				t.Fatalf("got %v", err)
			}
			if diff := cmp.Diff(want, strings.Split(problems.Error(), "\n")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestExpressionsAreNotCheckedUnlessAsked(t *testing.T) {
	o := testOptions()
	o.ValidateExpressions = false
	if _, problems := decodeFile("r.yml", []byte(`groups: [{name: a, rules: [{record: a, expr: "up{"}]}]`), o); len(problems) > 0 {
		t.Error(problems)
	}
}

func TestDurations(t *testing.T) {
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"5": 5 * time.Second, "0": 0, "0.5": 500 * time.Millisecond, "-5": -5 * time.Second, "1e3": 1000 * time.Second,
		"10ms": 10 * time.Millisecond, "90s": 90 * time.Second, "5m": 5 * time.Minute, "1h30m": 90 * time.Minute,
		"1.5h": 90 * time.Minute, "1d": day, "1w": 7 * day, "1y": 365 * day, "1d12h": 36 * time.Hour,
		"-1h30m": -90 * time.Minute, "5S": 5 * time.Second, "1h-30m": 30 * time.Minute,
	} {
		if got, err := parseDuration(text); err != nil || got != want {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", "s", "5M", "1i", "$__interval", "5 m", "1:30", "five", "5mi", "inf", "NaN", "9999y", "-9999y", "1e300", "0x10", "1_000", "1h 30m",
	} {
		if got, err := parseDuration(text); err == nil {
			t.Errorf("%q: got %v, want an error", text, got)
		}
	}
}
