package rules_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/rules"
	"tocsin/rules/rulestest"
)

// fullQueue is an appender that waits for room in vain.
type fullQueue struct{ rulestest.Appender }

func (*fullQueue) Append(ctx context.Context, _ []rules.Series) error {
	<-ctx.Done()
	return rules.ErrQueueFull
}

func TestWaitForRoomInRemoteWriteDelaysNoNotification(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.deps.Appender = &fullQueue{}
		w.datasource.Set("a", rulestest.Sample(1))
		w.apply(group("g", alerting("A", "a", 0)))
		w.pass(time.Second)
		if got, want := told(w.notifier.Sent()), "A firing"; got != want {
			t.Errorf("told %q while remote write has no room, want %q", got, want)
		}
	})
}

func TestRoundCutShortDoesNotCountAsSlowStorage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.appender.OnFlush(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		w.datasource.Set("a", rulestest.Sample(1))
		w.apply(group("g", recording("r", "a"), recording("s", "r")))
		w.pass(time.Second)
		w.manager.CutShort()
		synctest.Wait()
		if !w.metric("tocsin_chain_waits_total 1") || !w.metric("tocsin_chain_wait_timeouts_total 0") {
			t.Error("the wait that was cut short is counted as one that took too long")
		}
	})
}
