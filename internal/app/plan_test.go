package app

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// shownCounts is what a load does, or has done, in the API.
type shownCounts struct{ Added, Changed, Moved, Kept, Removed int }

type shownTotals struct {
	Groups, Rules shownCounts
	Alerts        struct{ Resolved, Reset int }
}

type shownPlan struct {
	Outcome  string
	Totals   shownTotals
	Problems []string
	Groups   []struct {
		Name, Action string
		Fields       []string
		Rules        []struct {
			Name, Action    string
			Fields          []string
			Resolved, Reset int
		}
	}
}

// planned asks what a reload would do.
func (d *running) planned() shownPlan {
	d.t.Helper()
	return d.asPlan(d.get("/-/reload/plan"))
}

func (d *running) asPlan(code int, body string) shownPlan {
	d.t.Helper()
	var answer struct{ Data shownPlan }
	if err := json.Unmarshal([]byte(body), &answer); err != nil || code != http.StatusOK {
		d.t.Fatalf("plan: %d %s, %v", code, body, err)
	}
	return answer.Data
}

// planLater asks what a reload would do.
func (d *running) planLater() <-chan asked {
	answer := make(chan asked, 1)
	go func() {
		var a asked
		a.code, a.body, a.err = d.ask(http.MethodGet, "/-/reload/plan")
		answer <- a
	}()
	return answer
}

// totalsOf returns what happened to groups, and to how many alerts.
func totalsOf(groups shownCounts, resolved, reset int) shownTotals {
	t := shownTotals{Groups: groups}
	t.Alerts.Resolved, t.Alerts.Reset = resolved, reset
	return t
}

func TestPlanSaysWhatAReloadWouldDo(t *testing.T) {
	d, w, a, b := twoFiles(t)
	write(t, a, "groups: [{name: a, interval: 25ms, rules: [{alert: A, expr: new, for: 1h}]}]")
	remove(t, b)
	write(t, filepath.Join(filepath.Dir(b), "c.yml"), alert("c", "up"))
	p := d.planned()
	want := totalsOf(shownCounts{Added: 1, Changed: 1, Removed: 1}, 1, 1)
	want.Rules = shownCounts{Added: 1, Changed: 1, Removed: 1}
	if diff := cmp.Diff(want, p.Totals); diff != "" {
		t.Errorf("totals (-want +got):\n%s", diff)
	}
	if p.Outcome != "applied" || len(p.Problems) != 0 {
		t.Errorf("outcome %s, problems %q", p.Outcome, p.Problems)
	}
	if g := p.Groups[0]; g.Name != "a" || cmp.Diff([]string{"interval"}, g.Fields) != "" || cmp.Diff([]string{"expr", "for"}, g.Rules[0].Fields) != "" {
		t.Errorf("first group %+v", g)
	}

	d.reloaded()
	if got := d.reloads()[0].Totals; cmp.Diff(want, got) != "" {
		t.Errorf("the reload has done %+v, the plan was %+v", got, want)
	}
	w.awaitStory(t, "A", "firing, resolved")
	w.awaitStory(t, "B", "firing, resolved")
	if p := d.planned(); p.Totals != totalsOf(shownCounts{Kept: 2}, 0, 0) {
		t.Errorf("once that is done, another reload would do %+v", p.Totals)
	}
}

func TestPlanChangesNothing(t *testing.T) {
	d, w, a, b := twoFiles(t)
	before := d.exposedReloads()
	for _, text := range []string{alert("a", "new"), brokenFile, alert("x", "up"), ""} {
		write(t, a, text)
		write(t, b, text)
		d.planned()
		d.expectExpressions("up up")
	}
	if after := d.exposedReloads(); after != before {
		t.Errorf("metrics about reloads after plans:\n%s\nbefore:\n%s", after, before)
	}
	if n := len(d.reloads()); n != 1 {
		t.Errorf("%d loads are shown, want the first", n)
	}
	d.goesOn()
	if got := w.story("A") + "; " + w.story("B"); got != "firing; firing" {
		t.Errorf("Alertmanager was told %s, want both to fire once", got)
	}
	if n := len(d.log.records("configuration has a problem")); n != 0 {
		t.Errorf("plans have logged %d problems", n)
	}
}

// exposedReloads returns the lines of /metrics about reloads.
func (d *running) exposedReloads() string {
	_, body := d.get("/metrics")
	var lines strings.Builder
	for line := range strings.Lines(body) {
		if strings.Contains(line, "_config_") {
			lines.WriteString(line)
		}
	}
	return lines.String()
}

func TestPlanListsProblems(t *testing.T) {
	d, _, a, b := twoFiles(t)
	write(t, a, brokenFile)
	write(t, b, alert("b", "new"))
	p := d.planned()
	if p.Outcome != "partly applied" || len(p.Problems) != 2 || !strings.HasPrefix(p.Problems[0], a+":4: ") {
		t.Errorf("outcome %q, problems %q", p.Outcome, p.Problems)
	}
	if p.Totals.Groups != (shownCounts{Changed: 1, Kept: 1}) {
		t.Errorf("totals %+v, want that of the good file", p.Totals)
	}
}

// The plan is that nothing happens.
func TestPlanOfAReloadThatWouldBeRefused(t *testing.T) {
	d, _, a, b := twoFiles(t, func(o *Options) { o.Rules.AllOrNothing = true })
	write(t, a, brokenFile)
	write(t, b, alert("b", "new"))
	p := d.planned()
	if p.Outcome != "refused" || len(p.Problems) != 2 {
		t.Errorf("outcome %q, problems %q", p.Outcome, p.Problems)
	}
	if p.Totals != (shownTotals{}) || len(p.Groups) != 0 {
		t.Errorf("totals %+v and groups %+v of what would not happen", p.Totals, p.Groups)
	}
	d.post()
	if r := d.reloads()[0]; r.Outcome != "refused" || r.Totals != (shownTotals{}) {
		t.Errorf("the reload is shown as %+v", r)
	}
}

func TestPlanNeedsTheKeyOfReloads(t *testing.T) {
	d, _ := reloadable(t, group("one", "up"), func(o *Options) { o.HTTP.ReloadAuthKey = "key" })
	if code, _ := d.get("/-/reload/plan"); code != http.StatusUnauthorized {
		t.Errorf("without the key: %d", code)
	}
	if code, _ := d.get("/-/reload/plan?authKey=key"); code != http.StatusOK {
		t.Errorf("with the key: %d", code)
	}
}

// Who asks for a plan during a reload gets one that was made after it.
func TestPlanDuringAReloadIsMadeAfterIt(t *testing.T) {
	s := startServed(t, group("one", "up"))
	arrived, release := s.w.block(t, s.rules)
	s.serves(group("two", "up"))
	answers := s.postLater(1)
	<-arrived
	plan := s.planLater()
	await(t, "the plan is asked for", func() bool { return s.metric(`vm_http_requests_total{path="/-/reload/plan"}`) == 1 })
	release()
	if a := answers()[0]; a.code != http.StatusOK {
		t.Errorf("reload: %+v", a)
	}
	a := <-plan
	if p := s.asPlan(a.code, a.body); p.Totals.Groups != (shownCounts{Kept: 1}) {
		t.Errorf("plan %+v, want that all is kept", p.Totals)
	}
}

func TestPlanAtTheEndIsAnswered(t *testing.T) {
	s := startServed(t, group("one", "up"))
	arrived, _ := s.w.block(t, s.rules)
	plan := s.planLater()
	<-arrived
	s.cancel()
	if a := <-plan; a.err != nil || a.code != http.StatusInternalServerError {
		t.Errorf("answered %+v, want 500", a)
	}
	if err := s.wait(); err != nil {
		t.Errorf("end of the daemon: %v", err)
	}
}
