package app

import (
	"fmt"

	"github.com/VictoriaMetrics/metrics"

	notifierconfig "tocsin/config/notifiers"
	"tocsin/internal/alertmanager"
	"tocsin/internal/web"
)

// discoveryKinds returns the ways to find Alertmanagers, in the order in which they
// are shown.
func discoveryKinds() []notifierconfig.Kind {
	return []notifierconfig.Kind{
		notifierconfig.ConsulKind, notifierconfig.DNSKind, notifierconfig.FileKind, notifierconfig.HTTPKind,
	}
}

// notifierGroups returns who is told of alerts, by the way they were found. A way
// that the notifier file has is there even if it finds nobody.
func (a *App) notifierGroups() []web.NotifierGroup {
	if a.notifiers == nil {
		return nil
	}
	statuses := a.notifiers.Targets()
	var groups []web.NotifierGroup
	for _, kind := range append([]notifierconfig.Kind{notifierconfig.StaticKind}, discoveryKinds()...) {
		g := web.NotifierGroup{Kind: string(kind)}
		for _, s := range statuses {
			if s.Kind == g.Kind {
				g.Targets = append(g.Targets, notifierTarget(s))
			}
		}
		tried := false
		if a.notifierFile != nil {
			tried, g.LastError = a.notifierFile.state(kind)
		}
		if tried || len(g.Targets) > 0 {
			groups = append(groups, g)
		}
	}
	return groups
}

func notifierTarget(s alertmanager.Status) web.NotifierTarget {
	return web.NotifierTarget{
		Address: s.Address, Labels: s.Labels.Map(), LastError: s.LastError,
		LastSuccess: s.LastSuccess, Queued: s.Queued, Oldest: s.Oldest,
	}
}

// waitingAlerts returns how many alerts wait for an Alertmanager to be found.
func (a *App) waitingAlerts() int {
	if a.notifiers == nil {
		return 0
	}
	return a.notifiers.Waiting()
}

// state returns whether the file in force has blocks of that kind, and why discovery
// by them fails, a line each.
func (f *follower) state(kind notifierconfig.Kind) (has bool, lastError string) {
	blocks, _ := f.inForce()
	for _, b := range blocks {
		if b.Kind != kind {
			continue
		}
		has = true
		if err := b.finder.Found().Err; err != nil {
			if lastError != "" {
				lastError += "\n"
			}
			lastError += err.Error()
		}
	}
	return has, lastError
}

// observe shows in m what is found, and how many blocks fail.
func (f *follower) observe(m *metrics.Set) {
	count := func(kind notifierconfig.Kind, of func(*block) int) func() float64 {
		return func() float64 {
			n := 0
			blocks, _ := f.inForce()
			for _, b := range blocks {
				if b.Kind == kind {
					n += of(b)
				}
			}
			return float64(n)
		}
	}
	for _, kind := range discoveryKinds() { // which need no escaping
		m.NewGauge(fmt.Sprintf("tocsin_discovery_targets{kind=\"%s\"}", kind), count(kind, func(b *block) int {
			return len(b.finder.Found().Targets)
		}))
		m.NewGauge(fmt.Sprintf("tocsin_discovery_failing{kind=\"%s\"}", kind), count(kind, func(b *block) int {
			if b.finder.Found().Err != nil {
				return 1
			}
			return 0
		}))
	}
}
