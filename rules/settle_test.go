package rules_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/rules"
	"tocsin/rules/rulestest"
)

// Some storages show a sample only a while after they have accepted it.
func TestChainedRuleWaitsUntilStorageShowsTheEarlierResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.deps.Options.ChainDelay = 2 * time.Second
		w.datasource.Set("up", rulestest.Sample(1))
		var accepted, asked time.Time
		w.appender.OnFlush(func(context.Context) error {
			accepted = time.Now()
			return nil
		})
		w.datasource.Hook(func(_ context.Context, q rules.Query) error {
			if q.Expr == "sum(r)" {
				asked = time.Now()
			}
			return nil
		})
		w.apply(group("g", recording("r", "up"), recording("s", "sum(r)")))
		w.pass(5 * time.Second)
		if got := asked.Sub(accepted); got != 2*time.Second {
			t.Errorf("asked %s after storage had taken r, want 2s", got)
		}
		if !w.metric("tocsin_chain_waits_total 1") || !w.metric("tocsin_chain_wait_timeouts_total 0") {
			t.Error("want one wait, and none in vain")
		}
	})
}

// What storage takes to show a sample is part of what a round may wait.
func TestWaitUntilStorageShowsIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.deps.Options.ChainDelay = time.Minute
		w.datasource.Set("up", rulestest.Sample(1))
		w.apply(group("g", recording("r", "up"), recording("s", "sum(r)")))
		w.pass(2400 * time.Millisecond)
		if got, want := exprs(w.datasource.Asked()), "up"; got != want {
			t.Errorf("asked %q within a quarter of the interval, want %q", got, want)
		}
		w.pass(200 * time.Millisecond)
		if got, want := exprs(w.datasource.Asked()), "sum(r)"; got != want {
			t.Errorf("asked %q afterwards, want %q", got, want)
		}
		if !w.metric("tocsin_chain_wait_timeouts_total 1") {
			t.Error("the bound that was hit is not counted")
		}
	})
}

func TestStopDoesNotWaitUntilStorageShows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.deps.Options.ChainDelay = 2 * time.Second
		w.datasource.Set("up", rulestest.Sample(1))
		w.apply(group("g", recording("r", "up"), recording("s", "sum(r)")))
		synctest.Wait() // r is written, and s waits
		cut, cancel := context.WithCancel(context.Background())
		cancel()
		start := time.Now()
		if err := w.manager.Close(cut); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("stopping took %s, want no time", took)
		}
		if got := w.metric("tocsin_chain_wait_timeouts_total 0"); !got {
			t.Error("a round that was cut short is counted as a wait in vain")
		}
	})
}
