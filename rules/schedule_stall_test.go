package rules_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/config"
	"tocsin/rules"
)

// A datasource that hangs and then answers everybody at once must not leave all
// groups in step: each goes back to its own place in the interval.
func TestGroupsKeepTheirPlaceAfterAStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.deps.Options.MaxStartDelay = time.Minute
		var mu sync.Mutex
		last := map[string]time.Time{}
		var stall chan struct{}
		w.datasource.Hook(func(ctx context.Context, q rules.Query) error {
			mu.Lock()
			last[q.Expr] = time.Now()
			wait := stall
			mu.Unlock()
			if wait == nil {
				return nil
			}
			select {
			case <-wait:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		var groups []config.Group
		for _, name := range []string{"a", "b", "c", "d", "e"} {
			g := group(name, alerting("A", name, 0))
			g.Interval = time.Minute
			groups = append(groups, g)
		}
		phases := func() map[string]time.Duration {
			mu.Lock()
			defer mu.Unlock()
			all := map[string]time.Duration{}
			for expr, at := range last {
				all[expr] = at.Sub(at.Truncate(time.Minute))
			}
			return all
		}
		setStall := func(c chan struct{}) {
			mu.Lock()
			defer mu.Unlock()
			stall = c
		}

		w.apply(groups...)
		w.pass(2 * time.Minute)
		before := phases()
		distinct := map[time.Duration]bool{}
		for _, phase := range before {
			distinct[phase] = true
		}
		if len(before) != 5 || len(distinct) != 5 {
			t.Fatalf("groups begin %v into the minute, want five different moments", before)
		}
		release := make(chan struct{})
		setStall(release)
		w.pass(3*time.Minute + 30*time.Second)
		setStall(nil)
		close(release)
		w.pass(2 * time.Minute)
		for expr, phase := range phases() {
			if phase != before[expr] {
				t.Errorf("group %s is evaluated %s into the minute after the stall, %s before", expr, phase, before[expr])
			}
		}
	})
}
