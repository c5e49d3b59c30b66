package config

import (
	"testing"
	"unsafe"
)

func TestRulesWithEqualLabelsShareThem(t *testing.T) {
	groups, problems := decodeFile("f.yml", []byte(`groups:
- name: g
  rules:
  - {alert: A, expr: up, labels: {severity: page, team: infra}}
  - {alert: B, expr: up, labels: {team: infra, severity: page}}
  - {alert: C, expr: up, labels: {severity: page, team: infrastructure}}
  - {alert: D, expr: up, labels: {severity: "page4:team5:infra"}}
`), &Options{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	rules := groups[0].Rules
	if unsafe.SliceData(rules[0].Labels) != unsafe.SliceData(rules[1].Labels) {
		t.Error("equal labels are kept twice")
	}
	if got := rules[2].Labels[1].Value; got != "infrastructure" {
		t.Errorf("the team of C is %q", got)
	}
	if got := len(rules[3].Labels); got != 1 {
		t.Errorf("D has %d labels, want 1", got)
	}
}
