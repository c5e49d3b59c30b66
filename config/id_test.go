package config

import (
	"testing"
	"time"
)

// The numbers are those a running vmalert v1.150 gave the same rules.
func TestIDsAreVmalerts(t *testing.T) {
	demo := &Group{Key: Key{"rules.yml", "demo"}, Type: Prometheus, Interval: 2 * time.Second}
	if got, want := demo.ID(), uint64(3282191581672841545); got != want {
		t.Errorf("group demo: got %d, want %d", got, want)
	}
	second := &Group{
		Key: Key{"rules.yml", "second"}, Type: Prometheus, Interval: 5 * time.Second,
		EvalOffset: Duration{time.Second, true},
	}
	if got, want := second.ID(), uint64(15973307743224645709); got != want {
		t.Errorf("group second: got %d, want %d", got, want)
	}
	for _, c := range []struct {
		rule Rule
		want uint64
	}{
		{Rule{Kind: Recording, Name: "demo:up:sum", Expr: "sum(up) by (job)", Labels: []Pair{{"kind", "rec"}}}, 249344001989226996},
		{Rule{Kind: Alerting, Name: "AlwaysFiring", Expr: "vector(1) > 0", Labels: []Pair{{"severity", "page"}}}, 5278699922878458567},
		{Rule{Kind: Alerting, Name: "Pending", Expr: "vector(2)"}, 17462511755522982148},
	} {
		if got := c.rule.ID(); got != c.want {
			t.Errorf("rule %s: got %d, want %d", c.rule.Name, got, c.want)
		}
	}
}
