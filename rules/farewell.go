package rules

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/prometheus/model/labels"
)

// farewells sees to it that the end of an alert or series is told once, and not
// while another rule goes on telling of it.
type farewells struct {
	mu   sync.Mutex
	said map[Series]bool // without time and value; guarded by mu
}

// first reports whether nobody has asked for s before.
func (f *farewells) first(s Series) bool {
	s.T, s.V = 0, 0
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.said[s] {
		return false
	}
	f.said[s] = true
	return true
}

// spare has nothing said of the end of what a rule with these alerts tells of.
func (f *farewells) spare(alerts []Instance) {
	for i := range alerts {
		a := &alerts[i]
		if a.State == Inactive {
			continue
		}
		f.first(alertSeries(a.Labels, a.State))
		f.first(clockSeries(a.Labels))
		if a.State == Firing {
			f.first(page(a.Labels))
		}
	}
}

// page stands for what Alertmanager believes of a firing alert.
func page(alert labels.Labels) Series { return Series{Labels: alert, Alert: Firing} }

// clone returns farewells that may be asked without consequences.
func (f *farewells) clone() *farewells { return &farewells{said: maps.Clone(f.said)} }

// spareOthers notes the alerts and series of rules that are gone which other
// rules, of whatever group, tell of as well.
func (sw *swap) spareOthers() {
	sw.farewells = &farewells{said: make(map[Series]bool)}
	gone := make(map[labels.Labels]bool)
	for _, l := range sw.leavers {
		for _, i := range l.left {
			shown := &l.Snapshot().Rules[i]
			for _, a := range shown.Alerts() {
				gone[a.Labels] = true
			}
			for _, recorded := range shown.heard().series {
				gone[recorded] = true
			}
		}
	}
	if len(gone) == 0 {
		return
	}
	spare := func(r *RuleSnapshot) {
		for i, a := range r.Alerts() {
			if gone[a.Labels] {
				sw.farewells.spare(r.Alerts()[i : i+1])
			}
		}
		for _, recorded := range r.heard().series {
			if gone[recorded] {
				sw.farewells.first(Series{Labels: recorded})
			}
		}
	}
	for i := range sw.slots {
		if kept := sw.slots[i].kept; kept != nil {
			shown := kept.Snapshot().Rules
			for j := range shown {
				spare(&shown[j])
			}
		}
	}
	for _, l := range sw.leavers {
		shown := l.Snapshot().Rules
		for j := range shown {
			if !slices.Contains(l.left, j) {
				spare(&shown[j])
			}
		}
	}
}

// farewell tells the world that rules of the group are gone: their alerts are
// resolved and their series end.
func (g *Group) farewell(ctx context.Context, m Memory, gone []int, f *farewells) {
	if len(gone) == 0 || g.deps.Options.SilentRemoval {
		return
	}
	// The last round may have come after others were looked at.
	for i := range m.rules {
		if !slices.Contains(gone, i) {
			f.spare(m.rules[i].Alerts())
			for _, l := range m.rules[i].heard().series {
				f.first(Series{Labels: l})
			}
		}
	}
	now := InstantOf(time.Now())
	var all output
	for _, i := range gone {
		if m.rules[i].lastAt == 0 {
			continue
		}
		out := g.rules[i].farewell(*m.rules[i], now)
		all.series = append(all.series, slices.DeleteFunc(out.series, func(s Series) bool { return !f.first(s) })...)
		all.alerts = append(all.alerts, slices.DeleteFunc(out.alerts, func(a Alert) bool { return !f.first(page(a.Labels)) })...)
	}
	l := loop{Group: g}
	if err := errors.Join(l.handOver(ctx, all), l.keep(ctx)); err != nil {
		g.log.Warn("end of removed rules was not told", "error", err)
	}
}
