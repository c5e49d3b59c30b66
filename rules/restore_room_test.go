package rules_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/rules"
	"tocsin/rules/rulestest"
)

// restoresSlowly runs rules whose alerts are looked up in storage one after the
// other, each in d.
func (w *world) restoresSlowly(d time.Duration, names ...string) {
	w.restores()
	w.storage.Hook(func(context.Context, rules.Query) error {
		time.Sleep(d)
		return nil
	})
	w.datasource.Set("a", rulestest.Sample(1))
	g := group("g")
	for _, name := range names {
		g.Rules = append(g.Rules, alerting(name, "a", time.Hour))
	}
	w.apply(g)
}

// hasNoRoom has remote write wait for room between two times after start.
func (w *world) hasNoRoom(start time.Time, from, to time.Duration) {
	w.appender.OnAppend(func(ctx context.Context) error {
		if now := time.Since(start); now < from || now >= to {
			return nil
		}
		room := time.NewTimer(time.Until(start.Add(to)))
		defer room.Stop()
		select {
		case <-room.C:
			return nil
		case <-ctx.Done():
			return rules.ErrQueueFull
		}
	})
}

// What storage knew is often learned long after the round that asked for it.
func TestRestoredClockWaitsForRoomAsLongAsAQueryMayTake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, start := newWorld(t), time.Now()
		w.deps.Options.QueryTimeout = 2 * time.Second
		w.hasNoRoom(start, 2500*time.Millisecond, 4*time.Second)
		w.restoresSlowly(1500*time.Millisecond, "A", "B")
		w.pass(5 * time.Second)
		w.expect("written", w.written(start),
			"ALERTS{g A pending}=1@0s ALERTS{g B pending}=1@0s ALERTS_FOR_STATE{g A}=9.466848e+08@0s ALERTS_FOR_STATE{g B}=9.466848e+08@0s")
		if !w.metric("tocsin_rule_handover_errors_total 0") {
			t.Error("something was not taken, although there was room in time")
		}
	})
}

func TestRestoredClockThatWaitsForRoomHoldsUpNoRound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, start := newWorld(t), time.Now()
		w.deps.Options.QueryTimeout = 4 * time.Second
		w.hasNoRoom(start, 8*time.Second, time.Hour)
		w.restoresSlowly(3*time.Second, "A", "B", "C")
		w.pass(9900 * time.Millisecond)
		w.datasource.Asked()
		w.pass(200 * time.Millisecond)
		w.expect("asked when the next round is due", exprs(w.datasource.Asked()), "a")
	})
}

func TestRestoredClockThatWaitsForRoomHoldsUpAReloadNoLongerThanAQuery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, start := newWorld(t), time.Now()
		w.deps.Options.QueryTimeout = 2 * time.Second
		w.hasNoRoom(start, time.Second, time.Hour)
		w.restoresSlowly(1500*time.Millisecond, "A")
		w.pass(2 * time.Second)
		w.apply(group("g", alerting("A", "a", time.Minute)))
		if took := time.Since(start); took != 3500*time.Millisecond {
			t.Errorf("the reload is done after %s, want two seconds after storage has answered", took)
		}
	})
}
