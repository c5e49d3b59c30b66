package rules_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/config"
	"tocsin/rules"
	"tocsin/rules/rulestest"
)

func TestRestartWithinTheIntervalLeavesNoGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, start := newWorld(t), time.Now()
		j := w.journaled()
		w.catchesUp(time.Hour)
		w.counts("x", start)
		g := group("g", recording("r", "x"))
		w.apply(g)
		w.pass(25 * time.Second)
		w.down(j, 8*time.Second)
		w.apply(g)
		w.pass(time.Second)
		w.expect("written", w.written(start), "r=30@30s")
		w.expect("asked", w.ranges(start), "")
		w.expect("gaps", w.gaps(0, start), "")
	})
}

func TestWithoutCatchingUpGapsStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := group("g", recording("r", "x"))
		w, _, start := interrupted(t, g)
		w.deps.CatchUp = nil
		w.apply(g)
		w.pass(11 * time.Second)
		w.expect("written", w.written(start), "r=70@1m10s r=80@1m20s")
		w.expect("asked", w.ranges(start), "")
		w.expect("gaps", w.gaps(0, start), "")
	})
}

func TestGroupsOfEveryLanguageAreMadeUpFor(t *testing.T) {
	for _, typ := range []config.Type{config.Graphite, config.VLogs} {
		synctest.Test(t, func(t *testing.T) {
			g := group("g", recording("r", "x"))
			g.Type = typ
			w, _, start := interrupted(t, g)
			w.apply(g)
			w.pass(time.Second)
			w.expect("asked", w.ranges(start), "x 30s-1m0s/10s")
			w.expect("written", w.written(start), "r=30@30s r=40@40s r=50@50s r=60@1m0s r=70@1m10s")
		})
	}
}

// Nobody takes the results.
func TestRecordingRulesWithoutRemoteWriteAreNotMadeUpFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := group("g", recording("r", "x"), alerting("A", "x", 0))
		w, _, start := interrupted(t, g)
		w.deps.Appender = nil
		w.apply(g)
		w.pass(time.Second)
		w.expect("asked", w.ranges(start), "x 30s-1m0s/10s")
		w.expectCounts(1, 0, 4, 0)
	})
}

func TestEvaluationBeforeTheDatasourceEverAnsweredIsNotMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, start := newWorld(t), time.Now()
		w.catchesUp(time.Hour)
		w.datasource.Fail("x", errors.New("no answer"))
		w.apply(group("g", recording("r", "x")))
		w.pass(25 * time.Second)
		w.counts("x", start)
		w.pass(10 * time.Second)
		w.expect("written", w.written(start), "r=30@30s")
		w.expect("asked", w.ranges(start), "")
	})
}

// The evaluation was made; that it came to nothing is the rule's fault.
func TestEvaluationThatFailsOfItselfIsNotMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, start := newWorld(t), time.Now()
		w.catchesUp(time.Hour)
		two := []rules.Sample{rulestest.Sample(1, "x", "1"), rulestest.Sample(1, "x", "2")}
		w.datasource.Set("x", two...)
		a := alerting("A", "x", 0)
		a.Labels = []config.Pair{{Name: "x", Value: ""}}
		r := recording("r", "x")
		r.Labels = a.Labels
		w.datasource.Set("x", two[0])
		w.apply(group("g", r, a))
		w.pass(15 * time.Second)
		w.datasource.Set("x", two...)
		w.pass(30 * time.Second)
		w.datasource.Set("x", two[0])
		w.pass(20 * time.Second)
		w.expect("asked", w.ranges(start), "")
		w.expect("gaps", w.gaps(0, start), "")
		w.expectCounts(0, 0, 0, 0)
	})
}

func TestChangedIntervalIsNoGap(t *testing.T) {
	for _, c := range []struct{ before, after time.Duration }{
		{time.Minute, 10 * time.Second}, {10 * time.Second, time.Minute},
	} {
		synctest.Test(t, func(t *testing.T) {
			w, start := newWorld(t), time.Now()
			w.catchesUp(time.Hour)
			w.counts("x", start)
			g := group("g", recording("r", "x"))
			g.Interval = c.before
			w.apply(g)
			w.pass(115 * time.Second)
			g.Interval = c.after
			w.apply(g)
			w.pass(3 * time.Minute)
			w.expect("asked", w.ranges(start), "")
			w.expect("gaps", w.gaps(0, start), "")
		})
	}
}

// An hour of the old interval and one failure are no gap either, but the failure is.
func TestFailureAfterTheIntervalWasChangedIsMadeUpFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, start := newWorld(t), time.Now()
		w.catchesUp(time.Hour)
		w.counts("x", start)
		g := group("g", recording("r", "x"))
		g.Interval = time.Minute
		w.apply(g)
		w.pass(65 * time.Second)
		g.Interval = 10 * time.Second
		w.apply(g)
		w.pass(10 * time.Second) // evaluated at 70s
		w.datasource.Hook(func(context.Context, rules.Query) error { return errors.New("no answer") })
		w.pass(10 * time.Second)
		w.datasource.Hook(nil)
		w.pass(10 * time.Second)
		w.expect("gaps", w.gaps(0, start), "1m20s-1m20s filled 1")
	})
}

func TestRuleThatComesFromASlowerGroupHasNoGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, start := newWorld(t), time.Now()
		w.catchesUp(time.Hour)
		w.counts("x", start)
		slow, quick := group("slow", recording("r", "x"), recording("s", "x")), group("quick", recording("q", "x"))
		slow.Interval = time.Minute
		w.apply(slow, quick)
		w.pass(55 * time.Second)
		w.apply(holding(slow, slow.Rules[0]), holding(quick, quick.Rules[0], slow.Rules[1]))
		w.pass(30 * time.Second)
		w.expect("asked", w.ranges(start), "")
		w.expect("gaps", w.gaps(1, start), "")
	})
}

// The state on record is of a time that has not come yet.
func TestClockThatWasSetBackIsNoGap(t *testing.T) {
	g := group("g", recording("r", "x"), alerting("A", "x", 0))
	var future []rules.Record
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		j := w.journaled()
		w.datasource.Set("x", rulestest.Sample(1))
		w.pass(time.Hour)
		w.apply(g)
		w.pass(25 * time.Second)
		future = j.kept()
	})
	synctest.Test(t, func(t *testing.T) {
		w, start := newWorld(t), time.Now()
		w.catchesUp(2 * time.Hour)
		w.counts("x", start)
		w.recover(future)
		w.apply(g)
		w.pass(25 * time.Second)
		w.expect("asked", w.ranges(start), "")
		w.expect("gaps", w.gaps(0, start), "")
		if got := w.written(start); !strings.HasPrefix(got, "r=0@0s") || !strings.Contains(got, "r=20@20s") {
			t.Errorf("written %s, want r from 0s on", got)
		}
	})
}
