package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestWhatGrewIsNamed(t *testing.T) {
	series := func(a, b int) map[string]int { return map[string]int{"a": a, "b": b} }
	early := held{objects: 1000, bytes: 50_000, goroutines: 100, connections: 4, series: series(2, 3)}
	for _, c := range []struct {
		late held
		want string // one failure a line
	}{
		{held{1010, 49_500, 100, 14, series(2, 3)}, ""},
		{held{1011, 50_000, 100, 4, series(2, 3)}, "heap objects: 1000 at reload 50, 1011 at reload 500; a difference of 10 is allowed"},
		{held{1000, 50_501, 100, 4, series(2, 3)}, "heap bytes: 50000 at reload 50, 50501 at reload 500; a difference of 500 is allowed"},
		{held{1000, 49_499, 100, 4, series(2, 3)}, "heap bytes: 50000 at reload 50, 49499 at reload 500; a difference of 500 is allowed"},
		{held{1000, 50_000, 101, 4, series(2, 3)}, "goroutines: 100 at reload 50, 101 at reload 500; a difference of 0 is allowed"},
		{held{1000, 50_000, 100, 25, series(2, 3)}, "of connections: 4 at reload 50, 25 at reload 500; a difference of 20 is allowed"},
		{held{1000, 50_000, 100, 4, series(2, 4)}, "series: 5 at reload 50, 6 at reload 500; a difference of 0 is allowed\n" +
			"series are not as many as before of: b"},
		{held{1000, 50_000, 100, 4, map[string]int{"b": 3, "c": 2}}, "series are not as many as before of: a, c"},
	} {
		s := soak{tolerance: 0.01, out: new(bytes.Buffer)}
		got := s.reportHeld(outcome{early: early, late: c.late, baseline: 50, reloads: 500})
		if strings.Join(got, "\n") != c.want {
			t.Errorf("%+v:\n got %q\nwant %q", c.late, got, c.want)
		}
	}
}

func TestExceededBudgetsAreNamed(t *testing.T) {
	var out bytes.Buffer
	s := soak{out: &out}
	theirs := costs{p50: 4 * time.Second, p99: 5 * time.Second, cpu: 4 * time.Second, memory: 100e6}
	good := costs{p50: 100 * time.Millisecond, p99: 499 * time.Millisecond, cpu: 399 * time.Millisecond, memory: 39e6}
	if got := s.reportCosts(good, theirs); len(got) > 0 {
		t.Errorf("within the budget: %q", got)
	}
	bad := costs{p50: 401 * time.Millisecond, p99: 500 * time.Millisecond, cpu: 4 * time.Second, memory: 40e6}
	got := s.reportCosts(bad, theirs)
	if len(got) != 4 || got[0] != "p50: 401.0 ms is 0.100 of vmalert's 4000.0 ms; less than 0.1 is allowed" {
		t.Errorf("got %q", got)
	}
	if got := s.reportCosts(bad, costs{}); len(got) > 0 {
		t.Errorf("without vmalert: %q", got)
	}
	if !strings.Contains(out.String(), "499.0 ms") || !strings.Contains(out.String(), "0.390 < 0.4") {
		t.Errorf("figures are missing:\n%s", out.String())
	}
}

func TestQuantileIsOneOfTheValues(t *testing.T) {
	var all []time.Duration
	for n := range 20 {
		all = append(all, time.Duration(20-n))
	}
	for q, want := range map[float64]time.Duration{0.5: 10, 0.99: 20, 0.01: 1} {
		if got := quantile(all, q); got != want {
			t.Errorf("quantile %g is %d, want %d", q, got, want)
		}
	}
	if got := quantile(nil, 0.5); got != 0 {
		t.Errorf("of nothing: %d", got)
	}
}
