package rules_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/prometheus/model/value"

	"tocsin/config"
	"tocsin/rules"
	"tocsin/rules/rulestest"
)

func TestGroupEvaluatesEveryInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.apply(group("g", alerting("A", "a", 0), recording("r", "b")))
		w.pass(25 * time.Second)
		asked := w.datasource.Asked()
		if got, want := exprs(asked), "a b a b a b"; got != want {
			t.Errorf("asked %q, want %q", got, want)
		}
		for i, q := range asked {
			if want := time.Date(2000, 1, 1, 0, 0, 10*(i/2), 0, time.UTC); !q.Time.Equal(want) {
				t.Errorf("query %d is for %s, want %s", i, q.Time, want)
			}
		}
	})
}

func TestMissedRoundsAreCountedExactly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var took atomic.Int64
		w.datasource.Hook(func(context.Context, rules.Query) error {
			time.Sleep(time.Duration(took.Load()))
			return nil
		})
		w.apply(group("g", alerting("A", "a", 0), alerting("B", "b", 0), alerting("C", "c", 0)))
		took.Store(int64(3 * time.Second))
		w.pass(39 * time.Second)
		if !w.metric(`vmalert_iteration_missed_total{group="g",file="f.yml"} 0`) {
			t.Error("a round shorter than the interval counts as missed")
		}
		// The round of 40s takes 27 seconds: the slots of 50s and 60s begin
		// meanwhile, and the earlier one is lost.
		took.Store(int64(9 * time.Second))
		w.pass(29 * time.Second)
		if !w.metric(`vmalert_iteration_missed_total{group="g",file="f.yml"} 1`) {
			t.Error("want one missed round")
		}
	})
}

func TestQueryHasADeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.datasource.Hook(func(ctx context.Context, _ rules.Query) error { <-ctx.Done(); return ctx.Err() })
		w.apply(group("g", alerting("A", "a", 0)))
		w.pass(11 * time.Second)
		u, ok := w.manager.Groups()[0].Rules[0].History.Last()
		if !ok || u.Error != "no answer within 10s: context deadline exceeded" {
			t.Errorf("got update %+v, want a deadline of the interval", u)
		}
	})
}

func TestConcurrentRulesAreHandedOverInFileOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		delay := map[string]time.Duration{"a": 3 * time.Second, "b": time.Second, "c": 2 * time.Second}
		w.datasource.Hook(func(_ context.Context, q rules.Query) error { time.Sleep(delay[q.Expr]); return nil })
		for expr := range delay {
			w.datasource.Set(expr, rulestest.Sample(1))
		}
		g := group("g", recording("ra", "a"), recording("rb", "b"), recording("rc", "c"))
		g.Concurrency = 3
		w.apply(g)
		w.pass(4 * time.Second)
		var names []string
		for _, s := range w.appender.Appended() {
			names = append(names, s.Labels.Get("__name__"))
		}
		if len(names) != 3 || names[0] != "ra" || names[1] != "rb" || names[2] != "rc" {
			t.Errorf("written in order %v, want ra rb rc", names)
		}
		if u, _ := w.manager.Groups()[0].Rules[0].History.Last(); u.Duration != 3*time.Second {
			t.Errorf("rule a took %s, want 3s", u.Duration)
		}
	})
}

func TestChainedRuleWaitsUntilStorageHasTheEarlierResult(t *testing.T) {
	for _, concurrency := range []int{1, 4} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.datasource.Set("up", rulestest.Sample(1))
			taken := false
			w.appender.OnFlush(func(context.Context) error {
				time.Sleep(2 * time.Second)
				taken = true
				return nil
			})
			w.datasource.Hook(func(_ context.Context, q rules.Query) error {
				if q.Expr == "sum(r)" && !taken {
					t.Error("queried before storage had taken r")
				}
				return nil
			})
			g := group("g", recording("r", "up"), recording("s", "sum(r)"), recording("u", "sum(other)"))
			g.Concurrency = concurrency
			w.apply(g)
			w.pass(5 * time.Second)
			if got := w.appender.Flushes(); got != 1 {
				t.Errorf("storage was waited for %d times, want once", got)
			}
		})
	}
}

func TestChainedRuleReadsAlerts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.datasource.Set("a", rulestest.Sample(1))
		w.apply(group("g", alerting("A", "a", 0), alerting("B", `ALERTS{alertname="A"}`, 0)))
		w.pass(time.Second)
		if got := w.appender.Flushes(); got != 1 {
			t.Errorf("storage was waited for %d times, want once", got)
		}
	})
}

func TestRuleThatReadsNothingOfItsGroupDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.datasource.Set("up", rulestest.Sample(1))
		w.apply(group("g", recording("r", "up"), recording("s", "sum(r_other)"), alerting("A", "up == 0", 0)))
		w.pass(5 * time.Second)
		if got := w.appender.Flushes(); got != 0 {
			t.Errorf("storage was waited for %d times, want never", got)
		}
	})
}

func TestWaitForStorageIsBoundedAndCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.datasource.Set("up", rulestest.Sample(1))
		w.datasource.Set("sum(r)", rulestest.Sample(1))
		w.appender.OnFlush(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		w.apply(group("g", recording("r", "up"), recording("s", "sum(r)"), recording("u", "sum(s)")))
		w.pass(2400 * time.Millisecond)
		if got, want := exprs(w.datasource.Asked()), "up"; got != want {
			t.Errorf("asked %q within a quarter of the interval, want %q", got, want)
		}
		w.pass(200 * time.Millisecond)
		if got, want := exprs(w.datasource.Asked()), "sum(r) sum(s)"; got != want {
			t.Errorf("asked %q afterwards, want %q: one wait a round", got, want)
		}
		if !w.metric("tocsin_chain_wait_timeouts_total 1") {
			t.Error("the bound that was hit is not counted")
		}
	})
}

func TestFailingRemoteWriteDoesNotSuppressNotification(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.datasource.Set("a", rulestest.Sample(1))
		w.appender.Fail(rules.ErrQueueFull)
		w.apply(group("g", alerting("A", "a", 0)))
		w.pass(time.Second)
		if got, want := told(w.notifier.Sent()), "A firing"; got != want {
			t.Errorf("told %q, want %q", got, want)
		}
		u, _ := w.manager.Groups()[0].Rules[0].History.Last()
		if want := "remote write of 2 samples: queue is full"; u.Error != want {
			t.Errorf("error %q, want %q", u.Error, want)
		}
	})
}

func TestErrorOfOneRuleDoesNotStopTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.datasource.Fail("a", errors.New("boom"))
		w.datasource.Set("b", rulestest.Sample(1))
		w.apply(group("g", alerting("A", "a", 0), alerting("B", "b", 0)))
		w.pass(time.Second)
		if got, want := told(w.notifier.Sent()), "B firing"; got != want {
			t.Errorf("told %q, want %q", got, want)
		}
		if !w.metric("vmalert_execution_errors_total 1") {
			t.Error("the error is not counted")
		}
	})
}

func TestRecordedSeriesThatVanishesGetsOneStaleMarker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.datasource.Set("up", rulestest.Sample(1, "path", `a,b="c"`+"\n"), rulestest.Sample(2, "path", "x"))
		w.apply(group("g", recording("r", "up")))
		w.pass(time.Second)
		w.appender.Appended()
		w.datasource.Set("up", rulestest.Sample(2, "path", "x"))
		w.pass(10 * time.Second)
		got := w.appender.Appended()
		if len(got) != 2 || !value.IsStaleNaN(got[1].V) || got[1].Labels.Get("path") != `a,b="c"`+"\n" {
			t.Errorf("written %v, want the sample and a stale marker of the series that vanished", got)
		}
		w.datasource.Fail("up", errors.New("boom"))
		w.pass(10 * time.Second)
		if got := w.appender.Appended(); len(got) != 0 {
			t.Errorf("written %v after a failed query, want nothing", got)
		}
		w.datasource.Set("up", rulestest.Sample(2, "path", "x"))
		w.pass(10 * time.Second)
		if got := w.appender.Appended(); len(got) != 1 {
			t.Errorf("written %v, want the sample alone", got)
		}
	})
}

func TestRecordingRuleWithTheSameLabelsTwiceWritesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.datasource.Set("up", rulestest.Sample(1, "__name__", "m", "a", "1"), rulestest.Sample(2, "__name__", "n", "a", "1"))
		w.apply(group("g", recording("r", "up")))
		w.pass(time.Second)
		if got := w.appender.Appended(); len(got) != 0 {
			t.Errorf("written %v, want nothing", got)
		}
		if u, _ := w.manager.Groups()[0].Rules[0].History.Last(); u.Error == "" {
			t.Error("the rule is healthy")
		}
	})
}

func TestRecordingLabelsFollowTheConflictRules(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.datasource.Set("up", rulestest.Sample(1, "__name__", "up", "job", "theirs", "gone", "x"))
		r := recording("r", "up")
		r.Labels = []config.Pair{{Name: "gone", Value: ""}, {Name: "job", Value: "mine"}}
		w.deps.Options.ExternalLabels = []config.Pair{{Name: "cluster", Value: "dev"}, {Name: "job", Value: "least"}}
		w.apply(group("g", r))
		w.pass(time.Second)
		got := w.appender.Appended()
		if len(got) != 1 || got[0].Labels.String() != `{__name__="r", cluster="dev", exported_job="theirs", job="mine"}` {
			t.Errorf("written %v", got)
		}
	})
}

func TestGroupWithoutRulesCountsItsRounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.apply(group("g"))
		w.pass(25 * time.Second)
		if !w.metric(`vmalert_iteration_total{group="g",file="f.yml"} 3`) {
			t.Error("want three rounds")
		}
		if s := w.manager.Groups()[0]; s.LastEvaluation == 0 {
			t.Error("the group shows no last evaluation")
		}
	})
}

// A rule label that is made by another query must not change the identity of its
// alerts because that query fails.
func TestFailingQueryOfALabelChangesNoState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.datasource.Set("a", rulestest.Sample(1))
		w.datasource.Set("template query", rulestest.Sample(1), rulestest.Sample(2))
		r := alerting("A", "a", 0)
		r.Labels = []config.Pair{{Name: "count", Value: "{{query}}"}}
		w.apply(group("g", r))
		w.pass(time.Second)
		w.notifier.Sent()
		w.datasource.Fail("template query", errors.New("boom"))
		w.pass(10 * time.Second)
		if got, want := told(w.notifier.Sent()), "A firing"; got != want {
			t.Errorf("told %q, want %q", got, want)
		}
		rule := w.manager.Groups()[0].Rules[0]
		if len(rule.Alerts()) != 1 || rule.Alerts()[0].Labels.Get("count") != "2" {
			t.Errorf("alerts %v, want the one with its label", rule.Alerts())
		}
		if u, _ := rule.History.Last(); u.Error == "" {
			t.Error("the rule is healthy")
		}
	})
}

// While the queue of remote write is full, waiting for room must not add up over
// the rules of a group.
func TestRoundWaitsForRoomOnlyOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.datasource.Set("up", rulestest.Sample(1))
		w.appender.OnAppend(func(ctx context.Context) error { <-ctx.Done(); return rules.ErrQueueFull })
		w.apply(group("g", recording("a", "up"), recording("b", "up"), recording("c", "up")))
		w.pass(11 * time.Second)
		if !w.metric(`vmalert_iteration_total{group="g",file="f.yml"} 1`) {
			t.Error("the first round has not ended after the deadline of one query")
		}
	})
}
