package rules_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
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
