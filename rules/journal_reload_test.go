package rules_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tocsin/config"
	"tocsin/rules"
	"tocsin/rules/rulestest"
)

// rebuilt is a reload that is recorded. All conditions hold from the beginning, so
// that every alert of a rule that goes on is active since then.
type rebuilt struct {
	before, after []config.Group
	removed       string // the rule, if any, that is
}

func rebuilds() map[string]rebuilt {
	f, p, r := alerting("F", "f", 0), alerting("P", "f", time.Hour), recording("r", "f")
	g, h := group("g", f, p, r), group("h", alerting("H", "f", 0), recording("s", "f"))
	return map[string]rebuilt{
		"edited":           {before: []config.Group{g}, after: []config.Group{holding(g, alerting("F", "f + 0", 0), p, r)}},
		"rule removed":     {before: []config.Group{g}, after: []config.Group{holding(g, p, r)}, removed: "F"},
		"group removed":    {before: []config.Group{h, holding(g, f)}, after: []config.Group{h}, removed: "F"},
		"file renamed":     {before: []config.Group{g}, after: []config.Group{inFile("new.yml", g)}},
		"group renamed":    {before: []config.Group{g}, after: []config.Group{named("new", g)}},
		"split":            {before: []config.Group{g}, after: []config.Group{holding(g, p), inFile("new.yml", named("new", holding(g, f, r)))}},
		"split off first":  {before: []config.Group{g}, after: []config.Group{named("new", holding(g, f, r)), holding(g, p)}},
		"split and gone":   {before: []config.Group{g}, after: []config.Group{named("one", holding(g, f)), named("two", holding(g, p)), named("three", holding(g, r))}},
		"merged":           {before: []config.Group{g, h}, after: []config.Group{holding(g, slices.Concat(g.Rules, h.Rules)...)}},
		"merged under new": {before: []config.Group{g, h}, after: []config.Group{named("new", holding(g, slices.Concat(g.Rules, h.Rules)...))}},
		"rules swapped":    {before: []config.Group{g, h}, after: []config.Group{holding(g, h.Rules...), holding(h, g.Rules...)}},
		"names rotated": {
			before: []config.Group{g, h},
			after:  []config.Group{holding(h, g.Rules...), named("i", h)},
		},
	}
}

// record returns what is recorded from the beginning until two rounds after the
// reload, and how many of the records came before it.
func (b *rebuilt) record(t *testing.T) (records []rules.Record, before int) {
	synctest.Test(t, func(t *testing.T) {
		w := b.world(t)
		j := w.journaled()
		w.apply(b.before...)
		w.pass(25 * time.Second)
		before = len(j.kept())
		w.apply(b.after...)
		w.pass(20 * time.Second)
		records = j.kept()
	})
	return records, before
}

func (b *rebuilt) world(t *testing.T) *world {
	w := newWorld(t)
	w.deps.Options.DisableAlertgroup = true
	w.datasource.Set("f", rulestest.Sample(1))
	w.datasource.Set("f + 0", rulestest.Sample(1))
	return w
}

// Wherever in the records of a reload the process crashes, and whether the reload
// is made again or undone: no clock is lost, and nothing ends that goes on.
func TestCrashInAReloadLosesNothing(t *testing.T) {
	for name, b := range rebuilds() {
		t.Run(name, func(t *testing.T) {
			records, before := b.record(t)
			if len(records) < before+2 {
				t.Fatalf("%d records before the reload and %d in all", before, len(records))
			}
			for n := before; n <= len(records); n++ {
				for way, groups := range map[string][]config.Group{"again": b.after, "undone": b.before} {
					synctest.Test(t, func(t *testing.T) {
						start := time.Now()
						time.Sleep(46 * time.Second)
						w := b.world(t)
						w.journaled()
						w.recover(records[:n])
						w.apply(groups...)
						w.pass(15 * time.Second)
						where := fmt.Sprintf("with %d of the %d records, %s", n-before, len(records)-before, way)
						b.expectClocks(w, start, where)
						b.expectNoEnd(w, where, records[:n])
					})
				}
			}
		})
	}
}

// expectClocks expects that every rule goes on from the beginning, but for one
// that was removed, and perhaps brought back.
func (b *rebuilt) expectClocks(w *world, start time.Time, where string) {
	w.t.Helper()
	for _, g := range w.manager.Groups() {
		for _, r := range g.Rules {
			if r.Rule.Kind == config.Recording || r.Rule.Name == b.removed {
				continue
			}
			if len(r.Alerts()) != 1 || !r.Alerts()[0].ActiveAt.Time().Equal(start) {
				w.t.Errorf("%s: alerts of %s are %+v, want one active since the beginning", where, r.Rule.Name, r.Alerts())
			}
		}
	}
}

// expectNoEnd expects that only the removed rule was said to end: before the crash
// or after it.
func (b *rebuilt) expectNoEnd(w *world, where string, records []rules.Record) {
	w.t.Helper()
	inForce := ""
	for _, g := range w.manager.Groups() {
		for _, r := range g.Rules {
			inForce += r.Rule.Name + " "
		}
	}
	sent := w.notifier.Sent()
	for _, r := range records {
		sent = append(sent, r.Told...)
	}
	gone := b.removed != "" && !strings.Contains(inForce, b.removed)
	if got := strings.Contains(told(sent), b.removed+" resolved"); gone && !got {
		w.t.Errorf("%s: nobody was told of the end of %s", where, b.removed)
	}
	for _, n := range sent {
		for _, a := range n.Alerts {
			if name := a.Labels.Get("alertname"); a.Resolved && name != b.removed {
				w.t.Errorf("%s: %s was resolved", where, name)
			}
		}
	}
	for _, s := range w.endedSeries(time.Now()) {
		if b.removed == "" || !strings.Contains(s, b.removed) {
			w.t.Errorf("%s: %s was ended", where, s)
		}
	}
}

// what returns the groups whose states records keep or drop, as "new, no g".
func what(records []rules.Record) []string {
	var all []string
	for _, r := range records {
		var text []string
		for _, s := range r.States {
			if s.Data == nil {
				text = append(text, "no "+s.Group.Name)
			} else {
				text = append(text, s.Group.Name)
			}
		}
		all = append(all, joined(text))
	}
	return all
}

// recordsOf returns what is recorded in a reload before anything is evaluated.
func (b *rebuilt) recordsOf(t *testing.T) []rules.Record {
	var records []rules.Record
	synctest.Test(t, func(t *testing.T) {
		w := b.world(t)
		j := w.journaled()
		w.apply(b.before...)
		w.pass(25 * time.Second)
		j.clear()
		w.apply(b.after...)
		synctest.Wait()
		records = j.kept()
	})
	return records
}

func TestMovedGroupIsRecordedUnderItsNewNameAtOnce(t *testing.T) {
	for name, want := range map[string]string{
		"file renamed":     "g, no g",
		"group renamed":    "new, no g",
		"merged":           "g, no h",
		"merged under new": "new, no g, no h",
	} {
		b := rebuilds()[name]
		if got := what(b.recordsOf(t)); !slices.Equal(got, []string{want}) {
			t.Errorf("%s: recorded %q, want %q in one record", name, got, want)
		}
	}
}

func TestGroupThatIsStillThereIsNotForgotten(t *testing.T) {
	b := rebuilds()["split"]
	if got := what(b.recordsOf(t)); !slices.Equal(got, []string{"g, new"}) {
		t.Errorf("recorded %q, want both parts in one record", got)
	}
}

// A group that stays where it is has its memory on record already.
func TestEditedGroupIsNotRecordedBeforeItsRound(t *testing.T) {
	b := rebuilds()["edited"]
	if got := what(b.recordsOf(t)); len(got) > 0 {
		t.Errorf("recorded %q, want nothing", got)
	}
}

func TestRemovedGroupIsForgottenAfterItsGoodbye(t *testing.T) {
	b := rebuilds()["group removed"]
	records := b.recordsOf(t)
	if got := what(records); !slices.Equal(got, []string{"", "no g"}) {
		t.Fatalf("recorded %q, want the goodbye and then the end of g", got)
	}
	if got, want := told(records[0].Told), "F resolved"; got != want {
		t.Errorf("told %q, want %q", got, want)
	}
}

func TestSilentlyRemovedGroupIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := rebuilds()["group removed"]
		w := b.world(t)
		w.deps.Options.SilentRemoval = true
		j := w.journaled()
		w.apply(b.before...)
		w.pass(25 * time.Second)
		j.clear()
		w.apply(b.after...)
		if got := what(j.kept()); !slices.Equal(got, []string{"no g"}) {
			t.Errorf("recorded %q, want the end of g", got)
		}
	})
}

// What the journal refuses stays on record where it was.
func TestGroupIsNotForgottenUnlessItsHeirsAreOnRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := rebuilds()["split and gone"]
		w, start := b.world(t), time.Now()
		j := w.journaled()
		w.apply(b.before...)
		w.pass(25 * time.Second)
		j.fail(context.DeadlineExceeded)
		w.apply(b.after...)
		if !w.metric("tocsin_rule_handover_errors_total 1") {
			t.Error("the record that was refused is not counted")
		}
		w.crash(j)
		w.apply(b.after...)
		w.pass(time.Second)
		b.expectClocks(w, start, "after a crash")
	})
}

// Groups that exchange rules begin when all of them have ended, and others do not
// wait for them.
func TestOnlyGroupsThatExchangeRulesWaitForOneAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		j := w.journaled()
		g := group("g", alerting("F", "f", 0), alerting("P", "f", 0))
		h, other := group("h", alerting("H", "hangs", 0)), group("other", alerting("O", "o", 0))
		h.Interval = 20 * time.Second
		w.datasource.Hook(func(ctx context.Context, q rules.Query) error {
			if q.Expr == "hangs" {
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		})
		w.apply(g, h, other)
		w.pass(25 * time.Second)
		j.clear()
		edited := holding(other, alerting("O", "o + 0", 0))
		go w.apply(holding(g, g.Rules[0]), holding(h, append(h.Rules, g.Rules[1])...), edited)
		w.pass(14 * time.Second)
		if got := what(j.kept()); !slices.Equal(got, []string{"other"}) {
			t.Errorf("recorded %q while the round of h goes on, want that of the other group", got)
		}
		w.pass(2 * time.Second)
		got := what(j.kept())
		both := slices.Index(got, "g, h")
		if both < 0 || slices.Contains(got[:both], "g") {
			t.Errorf("recorded %q, want g and h in one record before g goes on", got)
		}
	})
}

func TestWithoutAJournalNothingIsRecorded(t *testing.T) {
	b := rebuilds()["merged under new"]
	synctest.Test(t, func(t *testing.T) {
		w, start := b.world(t), time.Now()
		w.apply(b.before...)
		w.pass(25 * time.Second)
		w.apply(b.after...)
		w.pass(10 * time.Second)
		b.expectClocks(w, start, "without a journal")
	})
}
