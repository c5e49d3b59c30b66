package rules_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/rules"
	"tocsin/rules/rulestest"
)

func TestFailingRuleIsLoggedOncePerProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		expect := func(when string, fails, works int) {
			t.Helper()
			synctest.Wait()
			text := log.String()
			log.Reset()
			if f, k := strings.Count(text, "rule fails"), strings.Count(text, "rule works again"); f != fails || k != works {
				t.Errorf("%s a failing rule was logged %d times and a mended one %d times, want %d and %d:\n%s",
					when, f, k, fails, works, text)
			}
		}
		logging := func(w *world) { w.deps.Log = slog.New(slog.NewTextHandler(&log, nil)) }
		w := newWorld(t)
		logging(w)
		j := w.journaled()
		g := group("g", alerting("E", "e", 0))
		w.datasource.Fail("e", errors.New("no answer"))
		w.apply(g)
		w.pass(45 * time.Second)
		expect("over several rounds", 1, 0)

		g.Rules[0].For = time.Minute
		w.apply(g)
		w.pass(25 * time.Second)
		expect("after an edit", 0, 0)

		w.down(j, 2*time.Second)
		log.Reset()
		logging(w)
		w.apply(g)
		w.pass(25 * time.Second)
		expect("after a restart", 1, 0)

		w.datasource.Set("e")
		w.pass(25 * time.Second)
		expect("once it works", 0, 1)
	})
}

func TestOutageOfTheDatasourceIsNotLoggedForEveryRule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		w := newWorld(t)
		w.deps.Log = slog.New(slog.NewTextHandler(&log, nil))
		g := group("g")
		for range 50 {
			g.Rules = append(g.Rules, alerting("E", "e", 0))
		}
		w.datasource.Fail("e", errors.New("no answer"))
		w.apply(g)
		w.pass(35 * time.Second)
		w.datasource.Set("e")
		w.pass(25 * time.Second)
		text := log.String()
		for line, want := range map[string]int{
			`msg="rule fails"`: 3, `msg="more rules fail" group=g file=f.yml rules=47`: 1,
			`msg="rule works again"`: 3, `msg="more rules work again" group=g file=f.yml rules=47`: 1,
		} {
			if got := strings.Count(text, line); got != want {
				t.Errorf("%s stands %d times in the log, want %d:\n%s", line, got, want, text)
			}
		}
	})
}

// A journal that takes nothing is asked again with every round, and within long ones.
func TestJournalThatRefusesIsLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		w := newWorld(t)
		w.deps.Log = slog.New(slog.NewTextHandler(&log, nil))
		j := w.journaled()
		w.slow(1500 * time.Millisecond)
		w.apply(group("g", alerting("A", "a", 0), recording("r", "a")))
		w.pass(5 * time.Second)
		expectLines(t, &log, "while it takes all", map[string]int{"journal": 0})
		j.fail(errors.New("disk is gone"))
		w.pass(40 * time.Second)
		expectLines(t, &log, "while it refuses", map[string]int{
			`level=ERROR msg="results are not taken by the journal" group=g file=f.yml error="disk is gone"`: 1, "journal": 1,
		})
		j.fail(nil)
		w.pass(40 * time.Second)
		expectLines(t, &log, "once it takes all", map[string]int{
			`level=INFO msg="results are taken by the journal again" group=g file=f.yml`: 1, "journal": 1,
		})
	})
}

func TestJournalThatRefusesRestoredClocksIsLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		w := newWorld(t)
		w.deps.Log = slog.New(slog.NewTextHandler(&log, nil))
		w.journaled().fail(errors.New("disk is gone"))
		w.storage.Set(metricsQLRestore, alertSince(midnight-40))
		coldStart(w)
		w.pass(time.Second)
		if !w.metric("tocsin_rule_handover_errors_total 2") {
			t.Error("want the round and what storage knew refused")
		}
		expectLines(t, &log, "after both", map[string]int{
			`msg="results are not taken by the journal"`: 1, "level=": 1,
		})
	})
}

// sulking is a notifier that takes nothing for a time.
type sulking struct {
	rulestest.Notifier
	sulks atomic.Bool
}

func (s *sulking) Notify(n rules.Notification) error {
	if s.sulks.Load() {
		return errors.New("closed")
	}
	return s.Notifier.Notify(n)
}

func TestNotifierThatRefusesInALongRoundIsLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		w := newWorld(t)
		w.deps.Log = slog.New(slog.NewTextHandler(&log, nil))
		notifier := &sulking{}
		w.deps.Notifier = notifier
		w.apply(w.manyFiring(40, 1))
		w.pass(15 * time.Second)
		w.datasource.Hang()
		notifier.sulks.Store(true)
		w.pass(90 * time.Second)
		expectLines(t, &log, "while it refuses", map[string]int{
			`level=ERROR msg="alerts are not told again in a long round" group=g file=f.yml rules=`: 1,
			`error="notification of 1 alerts: closed"`:                                              1, "long round": 1,
		})
		notifier.sulks.Store(false)
		w.pass(90 * time.Second)
		expectLines(t, &log, "once it takes all", map[string]int{
			`level=INFO msg="alerts are told again in a long round" group=g file=f.yml`: 1, "long round": 1,
		})
	})
}

// expectLines compares how often texts stand in the log since the last look.
func expectLines(t *testing.T, log *bytes.Buffer, when string, want map[string]int) {
	t.Helper()
	text := log.String()
	log.Reset()
	for line, n := range want {
		if got := strings.Count(text, line); got != n {
			t.Errorf("%s %s stands %d times in the log, want %d:\n%s", when, line, got, n, text)
		}
	}
}
