package config

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metricsql"
)

// Whatever a file holds, decoding it ends, and what it accepts keeps the promises
// of Group and Rule.
func FuzzDecodeFile(f *testing.F) {
	seeds, _ := filepath.Glob("testdata/problems/*.yml")
	for _, seed := range seeds {
		content, err := os.ReadFile(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	f.Add([]byte("groups:\n- name: a\n  labels: &l {a: b}\n  rules:\n  - &r {alert: A, expr: up, labels: {<<: *l}}\n  - {<<: *r, alert: B}\n"))
	f.Add([]byte("kind: List\nitems: [{kind: VMRule, spec: {groups: [{name: a}]}}]\n---\ngroups: []\n"))
	f.Add([]byte("groups: &g [{<<: *g}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		groups, problems := decodeFile("r.yml", data, testOptions())
		for _, p := range problems {
			if p.File != "r.yml" || p.Message == "" || p.Line > 1+strings.Count(string(data), "\n")+strings.Count(string(data), "\r") {
				t.Errorf("problem %+v", p)
			}
		}
		if len(problems) > 0 {
			return
		}
		names := map[string]bool{}
		for i := range groups {
			checkPromises(t, &groups[i])
			if name := groups[i].Key.Name; name == "" || names[name] {
				t.Errorf("group name %q is empty or used twice", name)
			}
			names[groups[i].Key.Name] = true
		}
	})
}

func checkPromises(t *testing.T, g *Group) {
	if g.Interval <= 0 || g.Concurrency < 1 || g.Limit < 0 || g.Line < 1 ||
		g.EvalOffset.Duration < 0 || g.EvalOffset.Duration > g.Interval || g.EvalOffset.Set && g.EvalDelay.Set ||
		!slices.Contains([]Type{Prometheus, Graphite, VLogs}, g.Type) || !sortedNames(g.Labels) {
		t.Errorf("group %+v", g)
	}
	for _, r := range g.Rules {
		if r.Name == "" || r.Expr == "" || r.For < 0 || r.KeepFiringFor < 0 || r.UpdateEntries < 1 || r.Line < 1 ||
			!sortedNames(r.Labels) || !sortedNames(r.Annotations) {
			t.Errorf("rule %+v", r)
		}
		for _, l := range r.Labels {
			if l.Name == "__name__" {
				t.Errorf("rule %+v", r)
			}
		}
	}
}

// sortedNames reports whether names ascend and none occurs twice.
func sortedNames(pairs []Pair) bool {
	for i := 1; i < len(pairs); i++ {
		if pairs[i-1].Name >= pairs[i].Name {
			return false
		}
	}
	return true
}

// A duration is what MetricsQL says it is, without steps, and survives being
// written again.
func FuzzParseDuration(f *testing.F) {
	for _, s := range []string{"5", "1h30m", "1.5d", "-5m", "1i", "5M", "1e9", "99999999y", "10ms", "0x1p5"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parseDuration(text)
		if err != nil {
			return
		}
		ms, oracleErr := metricsql.DurationValue(text, 1)
		if oracleErr != nil || ms > math.MaxInt64/int64(time.Millisecond) || time.Duration(ms)*time.Millisecond != got {
			t.Errorf("%q: got %s, MetricsQL says %d ms, %v", text, got, ms, oracleErr)
		}
		if again, err := parseDuration(got.String()); err != nil || again.Round(time.Second) != got.Round(time.Second) && got.Abs() < 1e6*time.Hour {
			t.Errorf("%q is %s, which reads %s, %v", text, got, again, err)
		}
	})
}
