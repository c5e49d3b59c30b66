package rules_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/config"
	"tocsin/rules"
	"tocsin/rules/rulestest"
)

// album keeps snapshots with what they showed when they were published.
type album struct {
	mu        sync.Mutex // guards the fields below
	snapshots []*rules.Snapshot
	showed    []string
}

// add takes up what the groups of w show now.
func (a *album) add(w *world) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, s := range w.manager.Groups() {
		a.snapshots = append(a.snapshots, s)
		a.showed = append(a.showed, rules.ContentForTest(s))
	}
}

// follow adds what is shown in each second of d.
func (a *album) follow(w *world, d time.Duration) {
	for range d / time.Second {
		w.pass(time.Second)
		a.add(w)
	}
}

// check reports the first snapshot that shows something else now.
func (a *album) check(t *testing.T) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, s := range a.snapshots {
		if got := rules.ContentForTest(s); got != a.showed[i] {
			t.Fatalf("snapshot %d of %d has changed from\n%s to\n%s", i, len(a.snapshots), a.showed[i], got)
		}
	}
}

// What is published is shared by readers, the rounds to come, successors and the
// state that is stored, so nobody may write to it. Here is all that replaces it:
// rounds, restored clocks, failing queries, edited labels, catching up, restarts.
func TestSnapshotsAreNotChangedByWhatComesAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, shelf := newWorld(t), new(album)
		j := w.journaled()
		w.catchesUp(100 * time.Second)
		w.restores()
		w.deps.Settled = func(int) { shelf.add(w) } // at the end of a round, before clocks are restored
		w.deps.Options.ResendDelay = 20 * time.Second
		w.storage.Hook(func(context.Context, rules.Query) error { time.Sleep(1500 * time.Millisecond); return nil })
		w.storage.Set(`default_rollup(ALERTS_FOR_STATE{alertname="P",alertgroup="g"}[3600s])`,
			rulestest.Sample(float64(time.Now().Add(-time.Minute).Unix()), "alertname", "P", "alertgroup", "g", "instance", "i"))
		for _, expr := range []string{"f", "p", "cleared", "e"} {
			w.datasource.Set(expr, rulestest.Sample(7, "instance", "i"), rulestest.Sample(8, "instance", "k"))
		}
		g := eventful()
		w.apply(g)
		shelf.follow(w, 35*time.Second)
		w.datasource.Set("cleared")
		w.datasource.Set("p", rulestest.Sample(9, "instance", "k"))
		shelf.follow(w, 25*time.Second)

		// Of two outages, one is too old once the datasource tells of the past again.
		w.datasource.HookRange(func(context.Context, rules.RangeQuery) error { return errors.New("no answer") })
		for range 2 {
			w.datasource.Hook(func(context.Context, rules.Query) error { return errors.New("no answer") })
			shelf.follow(w, 25*time.Second)
			w.datasource.Hook(nil)
			w.datasource.Set("f", rulestest.Sample(1, "instance", "k"), rulestest.Sample(2, "instance", "l"))
			shelf.follow(w, 35*time.Second)
		}
		w.datasource.HookRange(nil)
		shelf.follow(w, 45*time.Second)
		if s := w.manager.Groups()[0].Stats; s.Filled == 0 || s.Unfilled == 0 {
			t.Errorf("%d evaluations were made up for and %d given up, want some of both", s.Filled, s.Unfilled)
		}
		if !w.metric("tocsin_restored_alerts_total 1") {
			t.Error("no clock was restored")
		}

		g.Labels = []config.Pair{{Name: "team", Value: "db"}}
		w.apply(g, group("new", g.Rules[1]))
		shelf.follow(w, 25*time.Second)
		w.down(j, 45*time.Second)
		w.apply(g)
		shelf.follow(w, 25*time.Second)
		shelf.check(t)
	})
}
