package main

import (
	"fmt"
	"strings"
	"time"
)

// allowedConnections is how many more or less goroutines of connections are no
// leak: at most one connection for each that sends is kept.
const allowedConnections = 20

// reportHeld prints what tocsin held on to early and late, and returns what
// changed too much.
func (s *soak) reportHeld(o outcome) (failures []string) {
	part := func(n int) int { return int(s.tolerance * float64(n)) }
	fmt.Fprintf(s.out, "%-16s %14s %14s %9s %9s\n", "held by tocsin",
		fmt.Sprintf("at reload %d", o.baseline), fmt.Sprintf("at reload %d", o.reloads), "change", "allowed")
	for _, f := range []struct {
		name                 string
		early, late, allowed int
	}{
		{"heap objects", o.early.objects, o.late.objects, part(o.early.objects)},
		{"heap bytes", o.early.bytes, o.late.bytes, part(o.early.bytes)},
		{"goroutines", o.early.goroutines, o.late.goroutines, 0},
		{"of connections", o.early.connections, o.late.connections, allowedConnections},
		{"series", o.early.seriesCount(), o.late.seriesCount(), 0},
	} {
		change := f.late - f.early
		fmt.Fprintf(s.out, "%-16s %14d %14d %+9d %9d\n", f.name, f.early, f.late, change, f.allowed)
		if max(change, -change) > f.allowed {
			failures = append(failures, fmt.Sprintf("%s: %d at reload %d, %d at reload %d; a difference of %d is allowed",
				f.name, f.early, o.baseline, f.late, o.reloads, f.allowed))
		}
	}
	if other := o.early.otherSeries(o.late); len(other) > 0 {
		failures = append(failures, "series are not as many as before of: "+strings.Join(other, ", "))
	}
	return failures
}

// Budgets of tocsin as a part of what vmalert needs.
const (
	budgetTime   = 0.1
	budgetCPU    = 0.1
	budgetMemory = 0.4
)

// reportCosts prints what reloads cost and returns which budgets are exceeded.
// Without figures of vmalert there are no budgets.
func (s *soak) reportCosts(ours, theirs costs) (failures []string) {
	fmt.Fprintf(s.out, "%-16s %14s %14s %9s %s\n", "reload", "tocsin", "vmalert", "ratio", "budget")
	for _, f := range []struct {
		name, unit   string
		ours, theirs float64
		budget       float64
	}{
		{"p50", "ms", ms(ours.p50), ms(theirs.p50), budgetTime},
		{"p99", "ms", ms(ours.p99), ms(theirs.p99), budgetTime},
		{"CPU", "ms", ms(ours.cpu), ms(theirs.cpu), budgetCPU},
		{"memory after", "MB", ours.memory / 1e6, theirs.memory / 1e6, budgetMemory},
	} {
		if f.theirs == 0 {
			fmt.Fprintf(s.out, "%-16s %11.1f %s\n", f.name, f.ours, f.unit)
			continue
		}
		ratio := f.ours / f.theirs
		fmt.Fprintf(s.out, "%-16s %11.1f %s %11.1f %s %9.3f < %g\n", f.name, f.ours, f.unit, f.theirs, f.unit, ratio, f.budget)
		if ratio >= f.budget {
			failures = append(failures, fmt.Sprintf("%s: %.1f %s is %.3f of vmalert's %.1f %s; less than %g is allowed",
				f.name, f.ours, f.unit, ratio, f.theirs, f.unit, f.budget))
		}
	}
	return failures
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
