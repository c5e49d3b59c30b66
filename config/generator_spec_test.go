package config

import (
	"testing"
	"time"
)

// The specification of alert generators takes rules as JSON too, has an interval of
// a minute where none is given, and lets alerts have any name that is a label value.
func TestSpecifiedRulesMayBeJSON(t *testing.T) {
	groups, problems := decodeFile("r.json", []byte(`{
	"groups": [
		{"name": "silent", "rules": [
			{"alert": "Höchste Latenz: p99 > 1s!", "expr": "up == 0", "labels": {"severity": "page"}, "annotations": {"summary": "\u00fcber {{ $value }}"}}
		]},
		{"name": "spoken", "interval": "30s", "rules": [
			{"alert": "B", "expr": "up", "for": "1h30m"}
		]}
	]
}`), &Options{Defaults: Defaults{}.orUsual()})
	if len(problems) > 0 || len(groups) != 2 {
		t.Fatalf("%d groups, problems %v", len(groups), problems)
	}
	silent, spoken := groups[0], groups[1]
	if silent.Interval != time.Minute || spoken.Interval != 30*time.Second {
		t.Errorf("intervals %s and %s, want 1m and 30s", silent.Interval, spoken.Interval)
	}
	a, b := silent.Rules[0], spoken.Rules[0]
	if a.Name != "Höchste Latenz: p99 > 1s!" || a.For != 0 || a.Annotations[0].Value != "über {{ $value }}" || a.Labels[0].Name != "severity" {
		t.Errorf("rule %+v", a)
	}
	if b.For != 90*time.Minute {
		t.Errorf("for %s, want 1h30m", b.For)
	}
}
