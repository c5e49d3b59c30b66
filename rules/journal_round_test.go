package rules_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/rules"
	"tocsin/rules/rulestest"
)

// slow has each query take d.
func (w *world) slow(d time.Duration) {
	w.datasource.Hook(func(context.Context, rules.Query) error {
		time.Sleep(d)
		return nil
	})
}

// Whatever is on record at any moment belongs together: rules of which something
// was told remember it, and the others do not.
func TestLongRoundIsRecordedInParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, start := newWorld(t), time.Now()
		j := &journal{}
		w.deps.Journal = j
		w.slow(600 * time.Millisecond)
		w.datasource.Set("f", rulestest.Sample(1))
		g := group("g", alerting("A", "f", 0), alerting("B", "f", 0), alerting("C", "f", 0), alerting("D", "f", 0))
		w.apply(g)
		w.pass(2 * time.Second)
		if n := len(j.kept()); n != 1 {
			t.Fatalf("%d records after two seconds, want 1", n)
		}
		if got, want := told(j.kept()[0].Told), "A firing, B firing, C firing"; got != want {
			t.Errorf("told %q first, want %q", got, want)
		}
		w.crash(j)
		w.apply(g)
		w.datasource.Hang()
		if got, want := w.shown(start), "A firing since 0s, B firing since 0s, C firing since 0s"; got != want {
			t.Errorf("the first part has %q, want %q", got, want)
		}
	})
}

func TestRestOfALongRoundIsRecordedAtItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		j := &journal{}
		w.deps.Journal = j
		w.slow(600 * time.Millisecond)
		w.datasource.Set("f", rulestest.Sample(1))
		w.apply(group("g", alerting("A", "f", 0), alerting("B", "f", 0), alerting("C", "f", 0), alerting("D", "f", 0)))
		w.pass(5 * time.Second)
		records := j.kept()
		if len(records) != 2 {
			t.Fatalf("%d records, want 2", len(records))
		}
		if got, want := told(records[1].Told), "D firing"; got != want {
			t.Errorf("told %q last, want %q", got, want)
		}
	})
}

func TestWhatALaterRuleReadsIsRecordedBeforeItIsAsked(t *testing.T) {
	for name, workers := range map[string]int{"in turn": 1, "at once": 3} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				j := &journal{}
				w.deps.Journal = j
				w.datasource.Set("x", rulestest.Sample(1))
				var before string
				w.datasource.Hook(func(_ context.Context, q rules.Query) error {
					if q.Expr == "r > 0" {
						for _, r := range j.kept() {
							before += names(r.Series)
						}
					}
					return nil
				})
				g := group("g", recording("r", "x"), alerting("A", "r > 0", 0), recording("s", "x"))
				g.Concurrency = workers
				w.apply(g)
				w.pass(time.Second)
				if before != "r" {
					t.Errorf("%q was on record when r was asked for, want r", before)
				}
				if j.flushes != 1 {
					t.Errorf("the journal was flushed %d times, want once", j.flushes)
				}
				if n := len(j.kept()); n != 2 {
					t.Errorf("%d records, want one for r and one for the rest", n)
				}
			})
		})
	}
}

func TestSlowJournalIsWaitedForByTheRulesThatRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		j := w.journaled()
		j.onFlush = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		w.datasource.Set("x", rulestest.Sample(1))
		w.apply(group("g", recording("r", "x"), alerting("A", "r > 0", 0)))
		w.pass(2400 * time.Millisecond)
		if got, want := exprs(w.datasource.Asked()), "x"; got != want {
			t.Errorf("asked %q while the journal is waited for, want %q", got, want)
		}
		w.pass(200 * time.Millisecond)
		if got, want := exprs(w.datasource.Asked()), "r > 0"; got != want {
			t.Errorf("asked %q after a quarter of the interval, want %q", got, want)
		}
		if !w.metric("tocsin_chain_wait_timeouts_total 1") {
			t.Error("the wait in vain is not counted")
		}
	})
}

// An evaluation that is cut short leaves nothing, but the round's others do.
func TestRoundThatIsCutShortRecordsWhatWasDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		j := w.journaled()
		j.onKeep(func(ctx context.Context, _ rules.Record) error { return ctx.Err() })
		w.datasource.Set("f", rulestest.Sample(1))
		w.datasource.Hook(func(ctx context.Context, q rules.Query) error {
			if q.Expr == "hangs" {
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		})
		w.apply(group("g", alerting("F", "f", 0), alerting("H", "hangs", 0)))
		w.pass(5 * time.Second)
		w.manager.CutShort()
		w.close()
		records := j.kept()
		if len(records) == 0 || told(records[0].Told) != "F firing" || len(records[0].States) != 1 {
			t.Errorf("records %+v, want F with the state first", records)
		}
	})
}
