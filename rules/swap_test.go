package rules_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/config"
	"tocsin/rules"
	"tocsin/rules/rulestest"
)

// Each edit is made and taken back every other second, before, during and after
// evaluations. Every rule is evaluated for every slot, once.
func TestNoEditSkipsOrRepeatsAnEvaluation(t *testing.T) {
	edits := map[string]func(g config.Group) []config.Group{
		"expression":  edited(func(r *config.Rule) { r.Expr += " " }),
		"for":         edited(func(r *config.Rule) { r.For += time.Minute }),
		"annotations": edited(func(r *config.Rule) { r.Annotations = []config.Pair{{Name: "summary", Value: "text"}} }),
		"rule labels": edited(func(r *config.Rule) { r.Labels = []config.Pair{{Name: "team", Value: "db"}} }),
		"rule name":   edited(func(r *config.Rule) { r.Name += "2" }),
		"kind":        edited(func(r *config.Rule) { *r = recording(r.Name, r.Expr) }),
		"group labels": func(g config.Group) []config.Group {
			g.Labels = []config.Pair{{Name: "team", Value: "db"}}
			return []config.Group{g}
		},
		"params": func(g config.Group) []config.Group {
			g.Params = map[string][]string{"nocache": {"1"}}
			return []config.Group{g}
		},
		"order": func(g config.Group) []config.Group {
			g.Rules = slices.Clone(g.Rules)
			slices.Reverse(g.Rules)
			return []config.Group{g}
		},
		"group renamed":    func(g config.Group) []config.Group { return []config.Group{named("new", g)} },
		"file renamed":     func(g config.Group) []config.Group { return []config.Group{inFile("new.yml", g)} },
		"group split":      func(g config.Group) []config.Group { return splitInTwo(g, "f.yml") },
		"split over files": func(g config.Group) []config.Group { return splitInTwo(g, "new.yml") },
	}
	for name, edit := range edits {
		for _, took := range []time.Duration{0, 1500 * time.Millisecond} {
			t.Run(name+" with queries of "+took.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { editForAMinute(t, edit, took) })
			})
		}
	}
}

// edited returns an edit of the first rule.
func edited(change func(*config.Rule)) func(config.Group) []config.Group {
	return func(g config.Group) []config.Group {
		g.Rules = slices.Clone(g.Rules)
		change(&g.Rules[0])
		return []config.Group{g}
	}
}

func splitInTwo(g config.Group, file string) []config.Group {
	return []config.Group{holding(g, g.Rules[1:]...), inFile(file, named("new", holding(g, g.Rules[0])))}
}

func editForAMinute(t *testing.T, edit func(config.Group) []config.Group, took time.Duration) {
	w := newWorld(t)
	w.datasource.Hook(func(context.Context, rules.Query) error { time.Sleep(took); return nil })
	g := group("g", alerting("A", "a", 0), alerting("B", "b", 0))
	end := time.Now().Add(65 * time.Second)
	for i := 0; time.Now().Before(end); i++ {
		if i%2 == 0 {
			w.apply(g)
		} else {
			w.apply(edit(g)...)
		}
		w.pass(2 * time.Second)
	}
	at := map[string][]string{}
	for _, q := range w.datasource.Asked() {
		expr := strings.TrimSpace(q.Expr)
		at[expr] = append(at[expr], q.Time.Format("04:05"))
	}
	grid := []string{"00:00", "00:10", "00:20", "00:30", "00:40", "00:50", "01:00"}
	if diff := cmp.Diff(map[string][]string{"a": grid, "b": grid}, at); diff != "" {
		t.Errorf("times of evaluations by rule (-want +got):\n%s", diff)
	}
}

// While one group waits for its datasource, the successors of others run already.
func TestSlowGroupHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		slow := group("slow", alerting("S", "s", 0))
		slow.Interval = time.Minute
		w.datasource.Hook(func(ctx context.Context, q rules.Query) error {
			if q.Expr != "s" {
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		})
		w.apply(slow, group("quick", alerting("Q", "old", 0)))
		w.pass(5 * time.Second)
		w.datasource.Asked()
		slow.Limit = 1
		w.apply(slow, group("quick", alerting("Q", "new", 0)))
		if now := time.Now().Format("04:05"); now != "01:00" {
			t.Errorf("the reload ended at %s, want when the query was given up", now)
		}
		var at []string
		for _, q := range w.datasource.Asked() {
			if q.Expr == "new" {
				at = append(at, q.Time.Format("05"))
			}
		}
		if diff := cmp.Diff([]string{"10", "20", "30", "40", "50"}, at[:min(5, len(at))]); diff != "" {
			t.Errorf("evaluations while the reload waited (-want +got):\n%s", diff)
		}
	})
}

// Readers see what was until all that is new runs.
func TestReadersNeverWaitForAReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.datasource.Hang()
		w.apply(group("g", alerting("A", "a", 0)), group("h"))
		w.pass(5 * time.Second)
		applied := make(chan struct{})
		go func() {
			defer close(applied)
			w.apply(group("g", alerting("A", "b", 0)), group("i"))
		}()
		w.pass(4 * time.Second)
		show := func() string {
			var all []string
			for _, g := range w.manager.Groups() {
				all = append(all, g.Group.Key.Name)
				for _, r := range g.Rules {
					all = append(all, r.Rule.Expr)
				}
			}
			return strings.Join(all, " ")
		}
		if got := show(); got != "g a h" {
			t.Errorf("while the reload waits readers see %q, want what was", got)
		}
		<-applied
		if got := show(); got != "g b i" {
			t.Errorf("after the reload readers see %q, want what is new", got)
		}
	})
}

// Remote write is full, so that the end of series waits for room. People are told
// first, and the reload goes on within the deadline of a query.
func TestFullRemoteWriteHoldsUpARemovalNoLongerThanAQuery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.datasource.Set("f", rulestest.Sample(1))
		w.apply(group("g", alerting("F", "f", 0)))
		w.pass(5 * time.Second)
		w.forget()
		w.appender.OnAppend(func(ctx context.Context) error { <-ctx.Done(); return rules.ErrQueueFull })
		start := time.Now()
		applied := make(chan struct{})
		go func() { defer close(applied); w.apply() }()
		synctest.Wait()
		if got, want := told(w.notifier.Sent()), "F resolved"; got != want {
			t.Errorf("told %q before there was room, want %q", got, want)
		}
		<-applied
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("the reload took %s, want the deadline of a query", took)
		}
		if !w.metric("tocsin_rule_handover_errors_total 1") {
			t.Error("what was not written is not counted")
		}
	})
}

// A part of a group is another group: its counters are its own.
func TestPartOfASplitGroupCountsFromZero(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		g := group("g", alerting("A", "a", 0), alerting("B", "b", 0))
		w.apply(g)
		w.pass(25 * time.Second)
		w.apply(splitInTwo(g, "new.yml")...)
		w.pass(10 * time.Second)
		for _, want := range []string{
			`vmalert_iteration_total{group="g",file="f.yml"} 4`,
			`vmalert_iteration_total{group="new",file="new.yml"} 1`,
		} {
			if !w.metric(want) {
				t.Errorf("there is no %s", want)
			}
		}
	})
}

// A new group is spread like any other, and one that goes on stays where it is.
func TestOnlyNewGroupsHaveAStartDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.deps.Options.MaxStartDelay = time.Minute
		g := group("g", alerting("A", "a", 0), alerting("B", "b", 0))
		g.Interval, g.EvalAlignment = time.Minute, false
		w.apply(g)
		w.pass(time.Minute)
		first := w.datasource.Asked()[0].Time
		w.apply(append(splitInTwo(g, "new.yml"), group("fresh", alerting("C", "c", 0)))...)
		w.pass(time.Minute)
		for _, q := range w.datasource.Asked() {
			if after := q.Time.Sub(first); q.Expr != "c" && after != time.Minute {
				t.Errorf("%s is evaluated %s after the first time, want a minute", q.Expr, after)
			}
		}
	})
}
