package rules_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/rules"
	"tocsin/rules/rulestest"
)

// shown returns the alerts of all groups that run, as "F firing since 0s".
func (w *world) shown(start time.Time) string {
	var all []string
	for _, g := range w.manager.Groups() {
		for _, r := range g.Rules {
			for _, a := range r.Alerts() {
				all = append(all, r.Rule.Name+" "+a.State.String()+" since "+a.ActiveAt.Time().Sub(start).String())
			}
		}
	}
	return joined(all)
}

func joined(all []string) string {
	text := ""
	for i, s := range all {
		if i > 0 {
			text += ", "
		}
		text += s
	}
	return text
}

// names returns the metric names of series, each once and in order.
func names(series []rules.Series) string {
	var all []string
	for i := range series {
		all = append(all, series[i].Full().Get("__name__"))
	}
	slices.Sort(all)
	return joined(slices.Compact(all))
}

func TestRoundIsOneRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, start := newWorld(t), time.Now()
		j := &journal{}
		w.deps.Journal = j
		w.datasource.Set("f", rulestest.Sample(1))
		w.apply(group("g", alerting("F", "f", 0), alerting("P", "f", time.Minute), recording("r", "f")))
		w.pass(time.Second)
		records := j.kept()
		if len(records) != 1 {
			t.Fatalf("%d records of one round, want 1", len(records))
		}
		r := records[0]
		if len(r.States) != 1 || r.States[0].Group != group("g").Key || r.States[0].Data == nil {
			t.Errorf("states %+v, want that of the group", r.States)
		}
		if got, want := told(r.Told), "F firing"; got != want {
			t.Errorf("told %q, want %q", got, want)
		}
		if got, want := names(r.Series), "ALERTS, ALERTS_FOR_STATE, r"; got != want {
			t.Errorf("series %q, want %q", got, want)
		}
		if len(w.notifier.Sent()) > 0 || len(w.appender.Appended()) > 0 {
			t.Error("somebody was told before it was on record")
		}
		w.crash(j)
		w.datasource.Hang()
		w.apply(group("g", alerting("F", "f", 0), alerting("P", "f", time.Minute), recording("r", "f")))
		if got, want := w.shown(start), "F firing since 0s, P pending since 0s"; got != want {
			t.Errorf("the record has %q, want %q", got, want)
		}
	})
}

// Nothing to tell is no reason to forget what was evaluated.
func TestQuietRoundIsRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		j := &journal{}
		w.deps.Journal = j
		w.apply(group("g", alerting("F", "f", 0)))
		w.pass(25 * time.Second)
		records := j.kept()
		if len(records) != 3 {
			t.Fatalf("%d records of three rounds", len(records))
		}
		for _, r := range records {
			if len(r.States) != 1 || len(r.Told)+len(r.Series) > 0 {
				t.Errorf("record %+v, want the state and nothing else", r)
			}
		}
	})
}

func TestRefusingJournalIsCountedAndLosesNoMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, start := newWorld(t), time.Now()
		j := w.journaled()
		w.datasource.Set("p", rulestest.Sample(1))
		g := group("g", alerting("P", "p", 30*time.Second))
		w.apply(g)
		w.pass(5 * time.Second)
		j.fail(errors.New("disk is gone"))
		w.pass(20 * time.Second)
		if !w.metric("tocsin_rule_handover_errors_total 2") {
			t.Error("the two records that were refused are not counted")
		}
		if n := len(j.kept()); n != 1 {
			t.Fatalf("%d records, want that of the first round", n)
		}
		j.fail(nil)
		w.pass(10 * time.Second)
		if got, want := told(w.notifier.Sent()), "P firing"; got != want {
			t.Errorf("told %q when the journal was back, want %q", got, want)
		}
		w.crash(j)
		w.datasource.Hang()
		w.apply(g)
		if got, want := w.shown(start), "P firing since 0s"; got != want {
			t.Errorf("on record is %q, want %q", got, want)
		}
	})
}

// A journal that has no room holds up a round for the time of a query, and the
// round after it for no longer.
func TestFullJournalHoldsUpARoundNoLongerThanAQuery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.deps.Options.QueryTimeout = 4 * time.Second
		j := w.journaled()
		j.onKeep(func(ctx context.Context, _ rules.Record) error { <-ctx.Done(); return ctx.Err() })
		w.datasource.Set("f", rulestest.Sample(1))
		w.apply(group("g", alerting("F", "f", 0)))
		w.pass(3900 * time.Millisecond)
		if w.metric(`vmalert_iteration_total{group="g",file="f.yml"} 1`) {
			t.Error("the round is over before there could be room")
		}
		w.pass(200 * time.Millisecond)
		if !w.metric(`vmalert_iteration_total{group="g",file="f.yml"} 1`) {
			t.Error("the round is not over after the time of a query")
		}
		w.pass(30 * time.Second)
		if !w.metric(`vmalert_iteration_missed_total{group="g",file="f.yml"} 0`) {
			t.Error("rounds were missed")
		}
	})
}

func TestRestoredClockIsRecordedWithItsSample(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		j := w.journaled()
		w.storage.Set(metricsQLRestore, alertSince(midnight-40))
		coldStart(w)
		w.pass(time.Second)
		records := j.kept()
		if len(records) != 2 {
			t.Fatalf("%d records, want one of the round and one of what storage knew", len(records))
		}
		last := records[1]
		if len(last.States) != 1 || names(last.Series) != "ALERTS_FOR_STATE" || last.Series[0].V != midnight-40 {
			t.Errorf("record %+v, want the state with the restored clock", last)
		}
		w.crash(j)
		w.storage.Asked()
		coldStart(w)
		w.pass(time.Second)
		if asked := w.storage.Asked(); len(asked) > 0 {
			t.Errorf("asked storage for what is on record: %v", asked)
		}
		if a := w.manager.Groups()[0].Rules[0].Alerts()[0]; a.ActiveAt.Time().Unix() != midnight-40 || !a.Restored {
			t.Errorf("got %+v, want the restored clock", a)
		}
	})
}

// Without a target, there are no samples to keep.
func TestSamplesThatNobodyTakesAreNotRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		j := &journal{}
		w.deps.Journal, w.deps.Appender = j, nil
		w.datasource.Set("f", rulestest.Sample(1))
		w.apply(group("g", alerting("F", "f", 0)))
		w.pass(time.Second)
		w.apply()
		for _, r := range j.kept() {
			if len(r.Series) > 0 {
				t.Errorf("series %v are on record", r.Series)
			}
		}
	})
}
