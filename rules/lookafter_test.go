package rules_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/config"
	"tocsin/rules"
	"tocsin/rules/rulestest"
)

// inbox is what an Alertmanager believes that fires.
type inbox map[labels.Labels]time.Time // until when

// read takes in what was sent since, and returns what fires.
func (b inbox) read(w *world) (firing []labels.Labels) {
	for _, n := range w.notifier.Sent() {
		for _, a := range n.Alerts {
			b[a.Labels] = a.EndsAt
		}
	}
	for alert, until := range b {
		if until.After(time.Now()) {
			firing = append(firing, alert)
		}
	}
	return firing
}

// manyFiring returns a group of n rules that all fire in w.
func (w *world) manyFiring(n, concurrency int) config.Group {
	w.datasource.Set("f", rulestest.Sample(1))
	g := group("g")
	g.Concurrency = concurrency
	for i := range n {
		g.Rules = append(g.Rules, alerting(fmt.Sprintf("A%d", i), "f", 0))
	}
	return g
}

// A datasource that hangs costs each rule the whole deadline of a query, so a round
// lasts far longer than alerts live that nobody tells again.
func TestAlertsDoNotExpireWhileTheDatasourceHangs(t *testing.T) {
	for _, concurrency := range []int{1, 2} {
		for _, journaled := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d at once, journal %t", concurrency, journaled), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w, b := newWorld(t), inbox{}
					if journaled {
						w.journaled()
					}
					w.apply(w.manyFiring(20, concurrency))
					w.pass(15 * time.Second)
					w.datasource.Hang()
					for range 300 {
						w.pass(time.Second)
						if got := b.read(w); len(got) != 20 {
							t.Fatalf("at %s only %d of 20 alerts fire", time.Now().Format("04:05"), len(got))
						}
					}
				})
			})
		}
	}
}

// Alerts whose rules are evaluated in time are not told more often than they are due.
func TestAlertsAreNotToldAgainInShortRounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.deps.Options.ResendDelay = time.Minute
		w.slow(1500 * time.Millisecond)
		w.apply(w.manyFiring(5, 1))
		w.pass(59 * time.Second)
		if sent := w.notifier.Sent(); len(sent) != 5 {
			t.Errorf("%d notifications in the first minute, want one of each alert", len(sent))
		}
	})
}

// What nobody has been able to evaluate for long is told no more, be it in one round
// or in several.
func TestAlertsAreToldInALongRoundAsLongAsOnErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, b := newWorld(t), inbox{}
		w.deps.Options.ErrorResend = time.Minute
		w.apply(w.manyFiring(40, 1))
		w.pass(15 * time.Second)
		w.datasource.Hang()
		w.pass(time.Minute)
		if got := b.read(w); len(got) != 40 {
			t.Errorf("%d of 40 alerts fire after a minute without answers", len(got))
		}
		// From 80s on a round begins of which nothing is known.
		w.pass(500 * time.Second)
		if got := b.read(w); len(got) == 40 {
			t.Error("all alerts fire after ten minutes without answers")
		}
	})
}

func TestNothingIsToldInALongRoundIfErrorsAreToTellNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, b := newWorld(t), inbox{}
		w.deps.Options.ErrorResend = 0
		w.apply(w.manyFiring(20, 1))
		w.pass(15 * time.Second)
		w.datasource.Hang()
		b.read(w)
		w.pass(time.Minute)
		if got := b.read(w); len(got) != 0 {
			t.Errorf("%v fire still", got)
		}
	})
}

// An alert that the long round has seen end is not told to fire again.
func TestAlertThatEndedInALongRoundIsNotToldAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		g := w.manyFiring(10, 1)
		w.datasource.Set("first", rulestest.Sample(1))
		g.Rules[0].Expr = "first"
		w.apply(g)
		w.pass(15 * time.Second)
		w.datasource.Set("first")
		w.datasource.Hook(func(ctx context.Context, q rules.Query) error {
			if q.Expr == "first" {
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		})
		w.notifier.Sent()
		w.pass(80 * time.Second)
		again, ended := 0, 0
		for _, n := range w.notifier.Sent() {
			for _, a := range n.Alerts {
				switch {
				case a.Labels.Get("alertname") != "A0":
					again++
				case a.Resolved:
					ended++
				default:
					t.Errorf("A0 is told to fire until %s", a.EndsAt)
				}
			}
		}
		if again == 0 || ended != 1 {
			t.Errorf("the end of A0 is told %d times, want once, and other alerts %d times", ended, again)
		}
	})
}

// After a restart nobody knows whether what fired before still does.
func TestAlertsOfLongAgoAreNotToldInTheFirstRound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		j := w.journaled()
		g := w.manyFiring(5, 1)
		w.apply(g)
		w.pass(15 * time.Second)
		w.down(j, time.Hour)
		w.notifier.Sent()
		w.datasource.Set("f")
		w.slow(4 * time.Second)
		w.apply(g)
		w.pass(30 * time.Second)
		for _, n := range w.notifier.Sent() {
			for _, a := range n.Alerts {
				if !a.Resolved {
					t.Errorf("%s is told to fire until %s", a.Labels, a.EndsAt)
				}
			}
		}
	})
}

// With a journal, results wait for one another, but not for a query that lasts.
func TestResultIsRecordedWhileAnotherRuleIsSlow(t *testing.T) {
	for _, concurrency := range []int{1, 2} {
		t.Run(fmt.Sprintf("%d at once", concurrency), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				j := w.journaled()
				w.datasource.Set("f", rulestest.Sample(1))
				w.datasource.Hook(func(_ context.Context, q rules.Query) error {
					if q.Expr == "slow" {
						time.Sleep(8 * time.Second)
					}
					return nil
				})
				g := group("g", alerting("F", "f", 0), alerting("S", "slow", 0))
				g.Concurrency = concurrency
				w.apply(g)
				w.pass(2500 * time.Millisecond)
				records := j.kept()
				if len(records) != 1 || told(records[0].Told) != "F firing" || len(records[0].States) != 1 {
					t.Errorf("records %+v, want one of F with the state", records)
				}
			})
		})
	}
}

// That another alert of the rule is told does not bring it back.
func TestAlertThatHasExpiredIsNotToldInALongRound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, b := newWorld(t), inbox{}
		w.deps.Options.ResendDelay = time.Minute
		j := w.journaled()
		g := group("g")
		for i := range 20 {
			g.Rules = append(g.Rules, recording(fmt.Sprintf("r%d", i), "slow"))
		}
		g.Rules = append(g.Rules, alerting("A", "f", 0))
		early, late := rulestest.Sample(1, "i", "early"), rulestest.Sample(1, "i", "late")
		w.datasource.Set("f", early)
		w.apply(g)
		w.pass(35 * time.Second)
		w.datasource.Set("f", early, late)
		w.pass(80 * time.Second)
		if got := b.read(w); len(got) != 2 {
			t.Fatalf("%v fire, want both", got)
		}
		w.down(j, 195*time.Second)
		if got := b.read(w); len(got) != 1 {
			t.Fatalf("%v fire, want one", got)
		}
		w.datasource.Hang()
		w.apply(g)
		for range 190 {
			w.pass(time.Second)
			if got := b.read(w); len(got) != 1 || got[0].Get("i") != "late" {
				t.Fatalf("at %s %v fire", time.Now().Format("04:05"), got)
			}
		}
	})
}

// A round that waits for room keeps nobody from noticing that the group is to end.
func TestGroupThatWaitsForRoomEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, start := newWorld(t), time.Now()
		w.datasource.Set("f", rulestest.Sample(1))
		w.datasource.Hook(func(ctx context.Context, q rules.Query) error {
			if q.Expr == "slow" {
				<-ctx.Done()
			}
			return ctx.Err()
		})
		w.appender.OnAppend(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		w.deps.Options.SilentRemoval = true
		w.apply(group("g", recording("r", "f"), recording("s", "slow"), recording("s2", "slow")))
		w.pass(2500 * time.Millisecond)
		w.apply()
		if took := time.Since(start); took > 12500*time.Millisecond {
			t.Errorf("the group is gone after %s, 10s after the reload at the latest", took)
		}
	})
}
