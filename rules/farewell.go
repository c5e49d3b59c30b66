package rules

import (
	"context"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"
)

// farewell tells the world that rules of the group are gone: their alerts are
// resolved and their series end. What another rule of the group tells of under
// the same labels, and will go on telling, stays.
func (g *Group) farewell(ctx context.Context, m Memory, gone []int) {
	if len(gone) == 0 || g.deps.Options.SilentRemoval {
		return
	}
	now := InstantOf(time.Now())
	others := told(m.rules, gone)
	var all output
	for _, i := range gone {
		rm := m.rules[i]
		if rm.lastAt == 0 {
			continue
		}
		rm.alerts = slices.DeleteFunc(slices.Clone(rm.alerts), func(a Instance) bool { return others[a.Labels] })
		rm.series = slices.DeleteFunc(slices.Clone(rm.series), func(l labels.Labels) bool { return others[l] })
		out := g.rules[i].farewell(rm, now)
		all.series = append(all.series, out.series...)
		all.alerts = append(all.alerts, out.alerts...)
	}
	l := loop{Group: g}
	if err := l.handOver(ctx, all); err != nil {
		g.log.Warn("end of removed rules was not told", "error", err)
	}
}

// told returns the label sets of what the rules that are not gone keep alive.
func told(rules []ruleMemory, gone []int) map[labels.Labels]bool {
	all := make(map[labels.Labels]bool)
	for i := range rules {
		if slices.Contains(gone, i) {
			continue
		}
		for j := range rules[i].alerts {
			if a := &rules[i].alerts[j]; a.State != Inactive {
				all[a.Labels] = true
			}
		}
		for _, l := range rules[i].series {
			all[l] = true
		}
	}
	return all
}
