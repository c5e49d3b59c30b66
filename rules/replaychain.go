package rules

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/config"
)

// Readings returns, for each rule of groups, the rules whose series it may read:
// by number, counted from 0 through all groups, and in order. Later rules and the
// rule itself may be among them. A rule whose labels ask something of the
// datasource is taken to read all that are before it. Tenants do not read each
// other's series.
func Readings(groups []*Group) [][]int {
	var all written
	var owners []config.Tenant // by number
	for _, g := range groups {
		for i := range g.cfg.Rules {
			all.add(&g.cfg.Rules[i], len(owners))
			owners = append(owners, g.cfg.Tenant)
		}
	}
	readings := make([][]int, 0, len(owners))
	for _, g := range groups {
		for i := range g.cfg.Rules {
			on := g.reading(i, &all, len(readings))
			on = slices.DeleteFunc(on, func(j int) bool { return owners[j] != g.cfg.Tenant })
			readings = append(readings, on)
		}
	}
	return readings
}

// reading returns the rules of all that rule i of the group, with the number given,
// may read.
func (g *Group) reading(i int, all *written, number int) []int {
	if g.cfg.Type != config.Prometheus {
		return nil // it reads another kind of storage
	}
	on := all.readBy(g.cfg.Rules[i].Expr)
	if r, ok := g.rules[i].(*alertingRule); ok && r.asksForLabels() {
		for j := range number {
			on = append(on, j)
		}
		slices.Sort(on)
		on = slices.Compact(on)
	}
	return on
}

// Probe returns a query, as the rule makes them, for when the latest sample of a
// series is that is not newer than s: once storage shows s, for its own time.
func (r *Replay) Probe(s *Series) RangeQuery {
	at := InstantOf(time.UnixMilli(s.T))
	q := r.Query(Times{span{from: at, to: at, interval: r.group.sched.interval}})
	q.Debug = false
	var matchers []string
	s.Range(func(l labels.Label) {
		if !slices.ContainsFunc(r.group.cfg.Tenant.Labels(), func(p config.Pair) bool { return p.Name == l.Name }) {
			matchers = append(matchers, matcherName(l.Name)+"="+strconv.Quote(l.Value))
		}
	})
	q.Expr = "timestamp({" + strings.Join(matchers, ",") + "})"
	return q
}
