package rules_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/prometheus/model/value"

	"tocsin/config"
	"tocsin/rules"
	"tocsin/rules/rulestest"
)

func TestReloadKeepsPendingClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.datasource.Set("a", rulestest.Sample(1))
		w.datasource.Set("a > 0", rulestest.Sample(1))
		w.apply(group("g", alerting("A", "a", 30*time.Second)))
		w.pass(25 * time.Second)
		change := w.apply(group("g", alerting("A", "a > 0", 30*time.Second)))
		if got, want := did(change), "changed g"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		w.pass(6 * time.Second)
		if got, want := told(w.notifier.Sent()), "A firing"; got != want {
			t.Errorf("31 seconds after it became pending: told %q, want %q", got, want)
		}
	})
}

func TestReloadSkipsAndRepeatsNoEvaluation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		for i := range 30 {
			w.apply(group("g", alerting("A", strings.Repeat("a", 1+i%2), 0)))
			w.pass(2 * time.Second)
		}
		asked := w.datasource.Asked()
		if len(asked) != 7 {
			t.Fatalf("%d evaluations from 0 to 60 seconds, want 7", len(asked))
		}
		for i, q := range asked {
			if want := time.Date(2000, 1, 1, 0, 0, 10*i, 0, time.UTC); !q.Time.Equal(want) {
				t.Errorf("evaluation %d is for %s, want %s", i, q.Time, want)
			}
		}
	})
}

func TestUnchangedGroupIsNotTouched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		release := make(chan struct{})
		w.datasource.Hook(func(context.Context, rules.Query) error { <-release; return nil })
		w.apply(group("g", alerting("A", "a", 0)))
		w.pass(time.Second)
		g := group("g", alerting("A", "a", 0))
		g.Line, g.Rules[0].Line = 7, 8
		if got, want := did(w.apply(g)), "kept 1"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		close(release)
		w.pass(time.Second)
		if got := exprs(w.datasource.Asked()); got != "a" {
			t.Errorf("asked %q, want the one evaluation that was under way", got)
		}
	})
}

func TestChangedIntervalCountsFromTheLastEvaluation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.apply(group("g", alerting("A", "a", 0)))
		w.pass(12 * time.Second)
		g := group("g", alerting("A", "a", 0))
		g.Interval = 5 * time.Second
		w.apply(g)
		w.datasource.Asked()
		w.pass(2 * time.Second)
		if asked := w.datasource.Asked(); len(asked) != 0 {
			t.Error("evaluated 4 seconds after the last time")
		}
		w.pass(2 * time.Second)
		if asked := w.datasource.Asked(); len(asked) != 1 {
			t.Error("not evaluated 5 seconds after the last time")
		}
	})
}

func TestRemovedRuleSaysGoodbye(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.datasource.Set("a", rulestest.Sample(1))
		w.datasource.Set("b", rulestest.Sample(1, "x", "y"))
		w.apply(group("g", alerting("A", "a", 0), recording("r", "b"), alerting("B", "b", 0)))
		w.pass(time.Second)
		w.notifier.Sent()
		w.appender.Appended()
		w.apply(group("g", alerting("B", "b", 0)))
		if got, want := told(w.notifier.Sent()), "A resolved"; got != want {
			t.Errorf("told %q, want %q", got, want)
		}
		ended := map[string]bool{}
		for _, s := range w.appender.Appended() {
			if !value.IsStaleNaN(s.V) {
				t.Errorf("%s has another sample: %v", s.Labels, s.V)
			}
			ended[s.Labels.Get("__name__")] = true
		}
		if len(ended) != 3 || !ended["ALERTS"] || !ended["ALERTS_FOR_STATE"] || !ended["r"] {
			t.Errorf("ended %v, want ALERTS, ALERTS_FOR_STATE and r", ended)
		}
	})
}

func TestRemovedGroupSaysGoodbye(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.datasource.Set("a", rulestest.Sample(1))
		w.apply(group("g", alerting("A", "a", 0)), group("h", alerting("B", "a", 0)))
		w.pass(time.Second)
		w.notifier.Sent()
		if got, want := did(w.apply(group("h", alerting("B", "a", 0)))), "removed g, kept 1"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if got, want := told(w.notifier.Sent()), "A resolved"; got != want {
			t.Errorf("told %q, want %q", got, want)
		}
		if w.metric(`group="g"`) || !w.metric(`group="h"`) {
			t.Error("metrics are not those of the groups in force")
		}
	})
}

func TestMovedGroupKeepsItsMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.datasource.Set("a", rulestest.Sample(1))
		w.apply(group("g", alerting("A", "a", 20*time.Second)))
		w.pass(15 * time.Second)
		moved := group("g", alerting("A", "a", 20*time.Second))
		moved.Key.File = "other.yml"
		if got, want := did(w.apply(moved)), "moved g"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		w.pass(6 * time.Second)
		if got, want := told(w.notifier.Sent()), "A firing"; got != want {
			t.Errorf("told %q, want %q", got, want)
		}
		if n := w.manager.Groups()[0].Rules[0].History.Len(); n != 3 {
			t.Errorf("%d updates remembered, want 3", n)
		}
	})
}

func TestRejectedPlanChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.apply(group("g", alerting("A", "a", 0)))
		bad := alerting("B", "b", 0)
		bad.Annotations = []config.Pair{{Name: "summary", Value: "{{bad}}"}}
		change, err := w.manager.Apply(rules.Plan{
			Files: files(group("g", alerting("A", "changed", 0)), group("h", bad, bad)),
			Deps:  w.deps, AllOrNothing: true,
		})
		if err != nil || !change.Refused {
			t.Fatalf("got error %v and %+v, want a refusal", err, change)
		}
		if n := len(change.Problems); n != 2 {
			t.Fatalf("%d problems reported, want 2: %v", n, change.Problems)
		}
		for _, p := range change.Problems {
			if p.Group.Key.Name != "h" || !strings.Contains(p.Error(), "bad template") {
				t.Errorf("got problem %v, want one of a rule of group h", p)
			}
		}
		w.pass(time.Second)
		if got := exprs(w.datasource.Asked()); got != "a" {
			t.Errorf("asked %q, want the group in force", got)
		}
	})
}

func TestRunningEvaluationFinishesOnReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.datasource.Set("a", rulestest.Sample(1))
		w.datasource.Hook(func(context.Context, rules.Query) error { time.Sleep(3 * time.Second); return nil })
		w.apply(group("g", alerting("A", "a", 0)))
		w.pass(time.Second)
		w.apply(group("g", alerting("A", "a", time.Minute)))
		if got, want := told(w.notifier.Sent()), "A firing"; got != want {
			t.Errorf("told %q, want what the evaluation under way came to: %q", got, want)
		}
	})
}

func TestHungEvaluationIsCutShortAndLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.datasource.Set("a", rulestest.Sample(1))
		w.datasource.Set("b", rulestest.Sample(1))
		w.datasource.Hook(func(ctx context.Context, q rules.Query) error {
			if q.Expr != "b" {
				return nil
			}
			select {
			case <-time.After(9 * time.Second):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		w.apply(group("g", alerting("A", "a", 0), alerting("B", "b", 0), alerting("C", "b", 0), alerting("D", "b", 0)))
		w.pass(time.Second)
		start := time.Now()
		w.apply(group("g"))
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("reload took %s, want the deadline of one query", took)
		}
		if got, want := told(w.notifier.Sent()), "A firing, B firing, A resolved, B resolved"; got != want {
			t.Errorf("told %q, want %q", got, want)
		}
		if !w.metric("tocsin_evaluations_cut_short_total 2") || !w.metric("vmalert_execution_errors_total 0") {
			t.Error("the evaluations cut short are not counted as such")
		}
	})
}

func TestReloadDuringStartDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.deps.Options.MaxStartDelay = time.Hour
		g := group("g", alerting("A", "a", 0))
		g.Interval = time.Hour
		for range 3 {
			w.apply(g)
			g.Rules[0].Expr += " "
			w.apply(group("other"))
		}
		w.apply(g)
		w.pass(time.Hour)
		if n := len(w.datasource.Asked()); n != 1 {
			t.Errorf("%d evaluations in the first hour, want 1", n)
		}
	})
}

func TestApplyAfterCloseIsRefused(t *testing.T) {
	w := newWorld(t)
	w.close()
	if _, err := w.manager.Apply(rules.Plan{Deps: w.deps}); !errors.Is(err, rules.ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
}

func TestRetiredGroupIsCollected(t *testing.T) {
	w := newWorld(t)
	const reloads = 5
	collected := make(chan int, reloads)
	for i := range reloads {
		g := group("g", alerting("A", strings.Repeat("a", i+1), 0))
		w.apply(g)
		running := w.manager.RunningForTest()[0]
		runtime.AddCleanup(running, func(i int) { collected <- i }, i)
	}
	for looks, found := 0, 0; found < reloads-1; looks++ {
		if looks == 1000 {
			t.Fatal("a retired group is still referred to while its successor runs")
		}
		runtime.GC()
		select {
		case <-collected:
			found++
		case <-time.After(10 * time.Millisecond): // its goroutine may be about to end
		}
	}
	runtime.KeepAlive(w)
}

func TestManyReloadsLeaveNothingBehind(t *testing.T) {
	w := newWorld(t)
	reload := func(n int) {
		for i := range n {
			g := group("g", alerting("A", strings.Repeat("a", 1+i%3), 0))
			bad := alerting("B", "b", 0)
			bad.Annotations = []config.Pair{{Name: "summary", Value: "{{bad}}"}}
			w.apply(g)
			plan := rules.Plan{Files: files(group("h", bad)), Deps: w.deps, AllOrNothing: true}
			if change, err := w.manager.Apply(plan); err != nil || !change.Refused {
				t.Fatalf("got error %v and %+v, want a refusal", err, change)
			}
		}
	}
	reload(50)
	goroutines, objects := settled()
	reload(500)
	goroutinesAfter, objectsAfter := settled()
	for looks := 0; goroutinesAfter > goroutines && looks < 1000; looks++ {
		goroutinesAfter, objectsAfter = settled() // what was stopped may still be about to end
	}
	if goroutinesAfter > goroutines {
		t.Errorf("%d goroutines after 500 more reloads, %d before", goroutinesAfter, goroutines)
	}
	// The fake datasource remembers what it was asked: a constant per reload.
	w.datasource.Asked()
	if objectsAfter > objects+500 {
		t.Errorf("%d heap objects after 500 more reloads, %d before", objectsAfter, objects)
	}
}

func settled() (goroutines int, objects uint64) {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return runtime.NumGoroutine(), m.HeapObjects
}
