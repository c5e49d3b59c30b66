package replay_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/config"
	"tocsin/internal/replay"
	"tocsin/rules"
	"tocsin/rules/rulestest"
)

// fails has range queries of expr fail so many times; -1 is always.
func (w *world) fails(expr string, times int, err error) {
	w.datasource.HookRange(func(_ context.Context, q rules.RangeQuery) error {
		if q.Expr != expr || times == 0 {
			return nil
		}
		times--
		return err
	})
}

func TestQueryIsAskedUntilItIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.counts("x")
		w.fails("x", 4, errDown)
		s, err := w.replay(group("g", recording("r", "x")))
		if err != nil || s.Retries != 4 || s.Samples != 11 {
			t.Errorf("%+v, %v; want eleven samples after four retries", s, err)
		}
	})
}

func TestQueryThatIsNeverAnsweredEndsTheReplay(t *testing.T) {
	for _, skip := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.options.Asking.SkipFailing = skip
			w.datasource.Hook(func(context.Context, rules.Query) error { return errDown })
			began := time.Now()
			_, err := w.replay(group("g", recording("r", "x"), recording("s", "y")))
			if !errors.Is(err, errDown) || errors.Is(err, replay.ErrIncomplete) {
				t.Errorf("error is %v, want that of the datasource", err)
			}
			if took := time.Since(began); took != 4*time.Second {
				t.Errorf("it took %s, want the four pauses between five attempts", took)
			}
		})
	}
}

func TestRefusedQueryEndsTheReplay(t *testing.T) {
	w := newWorld(t)
	w.fails("x", -1, fmt.Errorf("answered 422: %w", rules.ErrRejected))
	s, err := w.replay(group("g", recording("r", "x")))
	if !errors.Is(err, rules.ErrRejected) || s.Retries != 0 {
		t.Errorf("%v after %d retries, want the refusal at once", err, s.Retries)
	}
	if !strings.Contains(err.Error(), `rule "r"`) || !strings.Contains(err.Error(), "2024-05-01T12:00:00Z") {
		t.Errorf("error is %v, want it to name the rule and the times", err)
	}
}

// What is skipped changes no alert: it is as when a group that runs gets no answer.
func TestRefusedQueryIsSkipped(t *testing.T) {
	w := newWorld(t)
	w.exists("x", 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
	w.counts("y")
	w.options.Asking.SkipFailing, w.options.Asking.MaxPoints = true, 4
	w.datasource.HookRange(func(_ context.Context, q rules.RangeQuery) error {
		if q.Expr == "x" && q.From.Equal(start.Add(4*time.Minute)) {
			return fmt.Errorf("answered 422: %w", rules.ErrRejected)
		}
		return nil
	})
	s, err := w.replay(group("g", alerting("A", "x", 8*time.Minute), recording("r", "y")))
	if !errors.Is(err, replay.ErrIncomplete) || s.Skipped != 4 || s.Evaluations != 18 {
		t.Errorf("%+v, %v; want four evaluations to be skipped", s, err)
	}
	if s.Fired != 1 {
		t.Errorf("the alert fired %d times, want once: its clock began before the gap", s.Fired)
	}
}

func TestUnansweredQueryIsSkippedIfOthersAreAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.counts("y")
		w.options.Asking.SkipFailing = true
		w.fails("x", -1, errors.New("answered 500"))
		s, err := w.replay(group("g", recording("r", "x"), recording("s", "y")))
		if !errors.Is(err, replay.ErrIncomplete) || s.Skipped != 11 || s.Samples != 11 {
			t.Errorf("%+v, %v; want the one rule skipped and the other replayed", s, err)
		}
	})
}

func TestEvaluationsThatFailAreCounted(t *testing.T) {
	w := newWorld(t)
	w.datasource.SetTrack("x", func(at time.Time) []rules.Sample {
		all := []rules.Sample{rulestest.Sample(1, "a", "1"), rulestest.Sample(1, "a", "2")}
		if at.After(start.Add(time.Minute)) {
			return all[:1]
		}
		return all
	})
	g := group("g", recording("r", "x"))
	g.Limit = 1
	s, err := w.replay(g)
	if !errors.Is(err, replay.ErrIncomplete) || s.Failed != 2 || s.Samples != 9 {
		t.Errorf("%+v, %v; want two of eleven evaluations to exceed the limit", s, err)
	}
}

// labelled returns an alerting rule with a label that a query gives.
func labelled() config.Rule {
	r := alerting("A", "x", 0)
	r.Labels = []config.Pair{{Name: "n", Value: "{{query}}"}}
	return r
}

func TestQueriesOfLabelsAreAskedOnceForEachWindow(t *testing.T) {
	w := newWorld(t)
	w.exists("x", 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
	w.exists("template query", 0, 1, 2, 3, 4, 5, 6)
	w.options.Asking.MaxPoints = 6
	w.mustReplay(group("g", labelled()))
	if got := len(w.windows("template query")); got != 2 {
		t.Errorf("%d range queries for the label, want one for each window", got)
	}
	if asked := w.datasource.Asked(); len(asked) > 0 {
		t.Errorf("%d instant queries, want none", len(asked))
	}
}

func TestQueryOfLabelIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.exists("x", 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
		w.exists("template query", 0, 1, 2, 3)
		want := w.mustReplay(group("g", labelled()))
		w.fails("template query", 2, errDown)
		w.options.Chunk = 3
		got := w.mustReplay(group("g", labelled()))
		if strings.Join(want, "\n") != strings.Join(got, "\n") {
			t.Errorf("written %q, want %q", got, want)
		}
	})
}

func TestQueryOfLabelThatIsNoRangeIsAskedByTime(t *testing.T) {
	w := newWorld(t)
	w.exists("x", 0, 1, 2)
	w.exists("template query", 0, 1, 2)
	w.fails("template query", -1, rules.ErrRejected)
	got := w.mustReplay(group("g", labelled()))
	if len(got) != 8 || !strings.Contains(got[0], `n="1"`) || len(w.datasource.Asked()) != 3 {
		t.Errorf("written %q, want three evaluations and an end, labelled by instant queries", got)
	}
}

func TestStorageThatTakesNothingEndsTheReplay(t *testing.T) {
	w := newWorld(t)
	w.counts("x")
	full := errors.New("takes nothing")
	w.sink.Fail(full)
	if _, err := w.replay(group("g", recording("r", "x"))); !errors.Is(err, full) {
		t.Errorf("error is %v, want that of storage", err)
	}
}

func TestUnsettledSamplesAreNotACleanEnd(t *testing.T) {
	w := newWorld(t)
	w.counts("x")
	w.sink.OnFlush(func(context.Context) error { return errDown })
	if _, err := w.replay(group("g", recording("r", "x"))); !errors.Is(err, errDown) {
		t.Errorf("error is %v, want that of storage", err)
	}
}
