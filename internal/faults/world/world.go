// Package world is what the rules of a run are about: data that is a function of
// time alone, the rules that read it, and a datasource that answers from it. So
// what must be recorded and whom the daemon must page, and when, is known without
// asking the daemon.
package world

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"time"
)

// Options says how much there is in a world. It decides the world, together with
// Start.
type Options struct {
	Seed     uint64
	Start    time.Time     // alerts begin after it; whole seconds
	Duration time.Duration // in which they begin
	Interval time.Duration // of the groups; that of every third is twice as long; whole seconds
	Pairs    int           // of groups: one of recording rules and one of alerting rules
	PerGroup int           // rules of each group
	Series   int           // of each rule
	// Steady is the least time for which an alert is on, or off, unless it is on
	// for too short a time to fire.
	Steady time.Duration
	For    time.Duration // of the alerting rules
	// Lag is how much data may be late. An alert that is not to fire is on for so
	// short a time that it would not even then.
	Lag time.Duration
}

// World is the data and the rules. It is never modified.
type World struct {
	Options
	Groups []Group
	alerts map[string][]wave // by rule; one wave per instance
}

// Group is one group of rules, all of one kind.
type Group struct {
	Name     string
	Interval time.Duration
	Records  []string
	Alerts   []string
}

// New returns the world of o.
func New(o Options) *World {
	w := &World{Options: o, alerts: map[string][]wave{}}
	r := rand.New(rand.NewPCG(o.Seed, hash("waves")))
	for g := range o.Pairs {
		interval := o.Interval
		if g%3 == 2 {
			interval *= 2
		}
		records := Group{Name: fmt.Sprintf("records-%d", g), Interval: interval}
		alerts := Group{Name: fmt.Sprintf("alerts-%d", g), Interval: interval}
		for i := range o.PerGroup {
			records.Records = append(records.Records, fmt.Sprintf("faults:r%d_%d", g, i))
			alert := fmt.Sprintf("Alert%dx%d", g, i)
			alerts.Alerts = append(alerts.Alerts, alert)
			for range o.Series {
				w.alerts[alert] = append(w.alerts[alert], newWave(r, &o))
			}
		}
		w.Groups = append(w.Groups, records, alerts)
	}
	return w
}

// End returns when all alerts are off for good.
func (w *World) End() time.Time { return w.Start.Add(w.Duration + w.Steady) }

// Value returns the value of a series of a recording rule at a time, and whether
// it has one: the last series comes and goes. It changes with whole seconds.
func (w *World) Value(rule string, series int, at time.Time) (v float64, ok bool) {
	const prime, block = 999_983, 7
	h := hash(rule) + uint64(series)*7919
	sec := uint64(at.Unix())
	if series == w.Series-1 && (h+sec/block*2654435761)>>7%3 == 0 {
		return 0, false
	}
	return float64((h + sec*uint64(31+series)) % prime), true
}

// On reports whether an instance of an alert is on at a time.
func (w *World) On(alert string, instance int, at time.Time) bool {
	return w.alerts[alert][instance].on(at)
}

func hash(s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s)) // never fails
	return h.Sum64()
}
