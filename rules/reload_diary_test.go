package rules_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"

	"tocsin/config"
	"tocsin/rules"
	"tocsin/rules/rulestest"
)

// usual returns the group g that most edits are made to. 25 seconds after it
// began, F fires since 0s, P is pending since 0s and is to fire at 40s, and the
// last evaluation of r, at 20s, has failed.
func usual() config.Group {
	return group("g", alerting("F", "f", 0), alerting("P", "p", 40*time.Second), recording("r", "r"))
}

// edit is a reload 25 seconds after groups began to run.
type edit struct {
	before []config.Group // the usual one, if there are none
	after  []rules.PlanFile
	// options are other than usual, before and after the reload.
	options func(*rules.Options)
	// templates is the version of the template files after the reload.
	templates byte
	// was has the names that rules had before, where those were others, and ""
	// for rules that start over.
	was map[string]string
	// meanwhile is done at 25s, before the reload. It may take its time.
	meanwhile func(*world)
	// due: the group is evaluated at once, so that what it shows is newer.
	due bool
}

// after returns the edit that puts groups in place of the usual one.
func after(groups ...config.Group) edit { return edit{after: files(groups...)} }

// expect plays the edit and compares the diary of it with want, of which each
// line is a moment at which something happened, from the reload on for half a
// minute:
//
//	30s asked f p r; told {g F} firing 0s; ended ALERTS{g P pending}
//
// says which expressions the datasource was asked (and for which time, if that is
// not the moment), which alerts were told with the values of their labels and
// since when they fire, or from when to when they did, and which series got a
// stale marker (and at which time, if that is not the moment). Rules that go on
// must show the same alerts, history and errors before and after the reload.
func (e edit) expect(t *testing.T, want string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		got := e.play(w)
		lines := strings.Split(strings.TrimSpace(want), "\n")
		for i := range lines {
			lines[i] = strings.TrimSpace(lines[i])
		}
		if diff := cmp.Diff(lines, got); diff != "" {
			t.Errorf("the reload went otherwise (-want +got):\n%s", diff)
		}
	})
}

func (e edit) play(w *world) []string {
	start := time.Now()
	if e.options != nil {
		e.options(&w.deps.Options)
	}
	before := e.before
	if before == nil {
		before = []config.Group{usual()}
	}
	for _, expr := range []string{"f", "p", "r", "h", "new f", "new p", "new r"} {
		w.datasource.Set(expr, rulestest.Sample(1))
	}
	w.apply(before...)
	w.pass(15 * time.Second)
	w.datasource.Fail("r", errors.New("no answer"))
	w.pass(10 * time.Second)
	w.datasource.Set("r", rulestest.Sample(1))
	if e.meanwhile != nil {
		e.meanwhile(w)
	}
	w.forget()

	was := w.manager.Groups()
	deps := *w.deps
	deps.Templates = rulestest.Templates{Version: e.templates}
	change := w.foresee(rules.Plan{Files: e.after, Deps: &deps})
	synctest.Wait()
	if !e.due {
		e.compare(w, was, w.manager.Groups())
	}
	var diary []string
	note := func(events ...string) {
		if events = append(events, w.events(start)...); len(events) > 0 {
			diary = append(diary, time.Since(start).String()+" "+strings.Join(events, "; "))
		}
	}
	note(summary(change))
	for range 30 {
		w.pass(time.Second)
		note()
	}
	return diary
}

// foresee applies p. The preview must say the same, and change nothing.
func (w *world) foresee(p rules.Plan) rules.Change {
	w.t.Helper()
	change, err := w.previewAndApply(p)
	if err != nil {
		w.t.Error(err)
	}
	return change
}

// previewAndApply applies p and returns how it differs from what the preview of
// it said, or what the preview has done.
func (w *world) previewAndApply(p rules.Plan) (rules.Change, error) {
	synctest.Wait()
	w.forget()
	was := w.manager.Groups()
	preview, err := w.manager.Preview(p)
	if err != nil {
		return preview, err
	}
	synctest.Wait()
	if events := w.events(time.Now()); events != nil {
		return preview, fmt.Errorf("the preview has done something: %v", events)
	}
	if !slices.Equal(was, w.manager.Groups()) {
		return preview, errors.New("other groups are in force after the preview")
	}
	change, err := w.manager.Apply(p)
	if err != nil {
		return change, err
	}
	if diff := cmp.Diff(preview, change, cmp.Comparer(sameProblem)); diff != "" {
		return change, fmt.Errorf("what was done is not what the preview said (-preview +done):\n%s", diff)
	}
	return change, nil
}

func sameProblem(a, b *rules.RuleError) bool { return a.Error() == b.Error() }

// summary returns what a reload did to groups and alerts.
func summary(c rules.Change) string {
	text := did(c)
	t := c.Totals()
	if t.Resolved > 0 {
		text += fmt.Sprintf(", resolves %d", t.Resolved)
	}
	if t.Reset > 0 {
		text += fmt.Sprintf(", resets %d", t.Reset)
	}
	return text
}

// compare expects that each rule shows after the reload what it showed before.
func (e edit) compare(w *world, was, now []*rules.Snapshot) {
	w.t.Helper()
	type shown struct {
		Alerts  []rules.Instance
		History []rules.Update
		Errors  uint32
	}
	show := func(r *rules.RuleSnapshot) shown {
		s := shown{Errors: r.Errors}
		s.Alerts = append(s.Alerts, r.Alerts()...)
		for u := range r.History.All() {
			s.History = append(s.History, *u)
		}
		return s
	}
	before := map[string]shown{}
	for _, g := range was {
		for i := range g.Rules {
			before[g.Rules[i].Rule.Name] = show(&g.Rules[i])
		}
	}
	for _, g := range now {
		goesOn := len(g.Rules) == 0
		for i := range g.Rules {
			name := g.Rules[i].Rule.Name
			if former, ok := e.was[name]; ok {
				name = former
			}
			goesOn = goesOn || before[name].History != nil
			if diff := cmp.Diff(before[name], show(&g.Rules[i]), cmp.Comparer(sameLabels)); diff != "" {
				w.t.Errorf("what rule %s shows (-before +after the reload):\n%s", g.Rules[i].Rule.Name, diff)
			}
		}
		if got, want := g.LastEvaluation.Time(), was[0].LastEvaluation.Time(); goesOn && !got.Equal(want) {
			w.t.Errorf("the last evaluation of group %s is shown to be at %s, want %s", g.Group.Key.Name, got, want)
		}
	}
}

func sameLabels(a, b labels.Labels) bool { return a == b }

// forget drops what was asked and told so far.
func (w *world) forget() {
	w.datasource.Asked()
	w.notifier.Sent()
	w.appender.Appended()
}

// events returns what happened since the last look.
func (w *world) events(start time.Time) []string {
	var events []string
	add := func(what string, all []string) {
		if len(all) > 0 {
			events = append(events, what+" "+strings.Join(all, ", "))
		}
	}
	now := time.Since(start)
	if asked := w.datasource.Asked(); len(asked) > 0 {
		var all []string
		for _, q := range asked {
			text := q.Expr
			if at := q.Time.Sub(start); at != now {
				text += " for " + at.String()
			}
			all = append(all, text)
		}
		slices.Sort(all) // rules that are evaluated at once ask in any order
		events = append(events, "asked "+strings.Join(all, " "))
	}
	add("told", w.toldAlerts(start))
	add("ended", w.endedSeries(start))
	return events
}

func (w *world) toldAlerts(start time.Time) []string {
	sent := w.notifier.Sent()
	// Groups are evaluated side by side.
	slices.SortStableFunc(sent, func(a, b rules.Notification) int {
		return strings.Compare(a.Group.String(), b.Group.String())
	})
	var all []string
	for _, n := range sent {
		for _, a := range n.Alerts {
			text := "firing " + a.StartsAt.Sub(start).String()
			if a.Resolved {
				text = fmt.Sprintf("resolved %s-%s", a.StartsAt.Sub(start), a.EndsAt.Sub(start))
			}
			if summary := a.Annotations.Get("summary"); summary != "" {
				text += fmt.Sprintf(" %q", summary)
			}
			all = append(all, values(a.Labels)+" "+text)
		}
	}
	return all
}

// endedSeries returns the series that got a stale marker.
func (w *world) endedSeries(start time.Time) []string {
	var all []string
	for _, s := range w.appender.Appended() {
		if !value.IsStaleNaN(s.V) {
			continue
		}
		text := s.Labels.Get("__name__") + values(s.Labels)
		if at := time.UnixMilli(s.T).Sub(start); at != time.Since(start) {
			text += " at " + at.String()
		}
		all = append(all, text)
	}
	slices.SortFunc(all, func(a, b string) int {
		return strings.Compare(a[strings.Index(a, "{"):], b[strings.Index(b, "{"):])
	})
	return all
}

// values returns the values of labels, without the metric name.
func values(l labels.Labels) string {
	var all []string
	l.Range(func(x labels.Label) {
		if x.Name != "__name__" {
			all = append(all, x.Value)
		}
	})
	return "{" + strings.Join(all, " ") + "}"
}
