package app

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// twoFiles starts a daemon with the alerts A and B, each in a file of its own,
// and waits until both fire.
func twoFiles(t *testing.T, change ...func(*Options)) (d *running, w *world, a, b string) {
	t.Helper()
	w = newWorld(t)
	dir := files(t, map[string]string{"a.yml": alert("a", "up"), "b.yml": alert("b", "up")})
	d = telling(t, w, []string{filepath.Join(dir, "*.yml")}, change...)
	w.awaitStory(t, "A", "firing")
	w.awaitStory(t, "B", "firing")
	return d, w, filepath.Join(dir, "a.yml"), filepath.Join(dir, "b.yml")
}

// expressions returns those in force, in order.
func (d *running) expressions() string {
	d.t.Helper()
	var all []string
	for _, g := range d.groups() {
		for _, r := range g.Rules {
			all = append(all, r.Query)
		}
	}
	return strings.Join(all, " ")
}

func (d *running) expectExpressions(want string) {
	d.t.Helper()
	if got := d.expressions(); got != want {
		d.t.Errorf("expressions %q are in force, want %q", got, want)
	}
}

const brokenFile = "groups:\n- name: a\n  rules:\n  - {alert: A, expr: sum(}\n  - {alert: B, expr: up, surprise: 1}\n"

func TestOneBrokenFileDoesNotStopTheOthers(t *testing.T) {
	d, w, a, b := twoFiles(t)
	write(t, a, brokenFile)
	write(t, b, alert("b", "new"))
	code, body := d.post()
	lines := strings.Split(strings.TrimSuffix(body, "\n"), "\n")
	if code != http.StatusInternalServerError || len(lines) != 2 ||
		!strings.HasPrefix(lines[0], a+":4: ") || !strings.HasPrefix(lines[1], a+":5: ") {
		t.Errorf("got %d and not a line for each problem:\n%s", code, body)
	}
	d.expectExpressions("up new")
	d.expectReloads(1, 1, 0)
	if got := d.metric("tocsin_config_problems"); got != 2 {
		t.Errorf("%v problems in /metrics, want 2", got)
	}
	if code, _ := d.get("/-/ready"); code != http.StatusOK {
		t.Errorf("/-/ready is %d", code)
	}
	r := d.awaitLog("rules reloaded, files with problems keep what they had", 1)
	if attr(r, "level") != "WARN" || attr(r, "problems")+attr(r, "changed")+attr(r, "kept") != "211" {
		t.Errorf("logged %v", r)
	}
	if n := len(d.log.records("configuration has a problem")); n != 2 {
		t.Errorf("%d problems were logged, want 2", n)
	}

	// Mended, the file goes on from what it had.
	write(t, a, alert("a", "new"))
	d.reloaded()
	d.expectExpressions("new new")
	d.goesOn()
	if got := w.story("A") + "; " + w.story("B"); got != "firing; firing" {
		t.Errorf("Alertmanager was told %s, want both to fire once", got)
	}
	if got := d.metric("tocsin_config_problems"); got != 0 {
		t.Errorf("%v problems in /metrics after the file is mended", got)
	}
	d.expectReloads(2, 1, 1)
}

func TestFileWithABadTemplateDoesNotStopTheOthers(t *testing.T) {
	d, _, a, b := twoFiles(t)
	write(t, a, `groups: [{name: a, rules: [{alert: A, expr: new, annotations: {summary: "{{ $nobody }}"}}]}]`)
	write(t, b, alert("b", "new"))
	if code, body := d.post(); code != http.StatusInternalServerError || !strings.HasPrefix(body, a+":1: ") {
		t.Errorf("got %d %s", code, body)
	}
	d.expectExpressions("up new")
}

func TestFileWhoseResultsHaveNowhereToGoDoesNotStopTheOthers(t *testing.T) {
	d, _, a, b := twoFiles(t)
	write(t, a, oneRecord)
	write(t, b, alert("b", "new"))
	if code, body := d.post(); code != http.StatusInternalServerError || !strings.Contains(body, "-remoteWrite.url") {
		t.Errorf("got %d %s", code, body)
	}
	d.expectExpressions("up new")
}

func TestAllOrNothingRefusesTheWholeReload(t *testing.T) {
	for name, broken := range map[string]string{
		"expression": brokenFile,
		"template":   `groups: [{name: a, rules: [{alert: A, expr: new, annotations: {summary: "{{ $nobody }}"}}]}]`,
	} {
		t.Run(name, func(t *testing.T) {
			d, w, a, b := twoFiles(t, func(o *Options) { o.Rules.AllOrNothing = true })
			write(t, a, broken)
			remove(t, b)
			if code, body := d.post(); code != http.StatusInternalServerError || !strings.HasPrefix(body, a+":") {
				t.Errorf("got %d %s", code, body)
			}
			d.expectExpressions("up up")
			d.expectReloads(1, 1, 0)
			d.awaitLog("reload refused, the rules in force go on", 1)
			d.goesOn()
			if got := w.story("A") + "; " + w.story("B"); got != "firing; firing" {
				t.Errorf("Alertmanager was told %s, want both to fire once", got)
			}
		})
	}
}

func TestFileBrokenSinceTheStartIsPutInForceOnceMended(t *testing.T) {
	dir := files(t, map[string]string{"a.yml": brokenFile, "b.yml": alert("b", "up")})
	d := telling(t, newWorld(t), []string{filepath.Join(dir, "*.yml")})
	d.expectGroups("b")
	write(t, filepath.Join(dir, "a.yml"), alert("a", "up"))
	d.reloaded()
	d.expectGroups("a", "b")
	d.expectReloads(1, 0, 1)
}

// Rules are reloaded with the templates there were.
func TestBrokenTemplateFileDoesNotStopRuleFiles(t *testing.T) {
	w := newWorld(t)
	text := func(expr string) string { return strings.Replace(oneAlert, "expr: down", "expr: "+expr, 1) }
	worded := strings.NewReplacer("is down", `is {{ template \"word\" }}`)
	dir := files(t, map[string]string{
		"a.tmpl": `{{ define "word" }}gone{{ end }}`, "rules.yml": worded.Replace(text("down")),
	})
	d := telling(t, w, []string{filepath.Join(dir, "rules.yml")}, func(o *Options) {
		o.Rules.Templates = []string{filepath.Join(dir, "*.tmpl")}
		o.Rules.ResendDelay = 0
	})
	w.awaitAlert(t, "Down")
	write(t, filepath.Join(dir, "a.tmpl"), `{{ define "word" }}`)
	write(t, filepath.Join(dir, "rules.yml"), worded.Replace(text("new")))
	if code, body := d.post(); code != http.StatusInternalServerError || !strings.Contains(body, "a.tmpl:1: ") {
		t.Errorf("got %d %s", code, body)
	}
	d.expectExpressions("new")
	told := len(w.told("Down"))
	await(t, "Alertmanager is told again", func() bool { return len(w.told("Down")) > told+3 })
	if got := w.awaitAlert(t, "Down").Annotations["summary"]; got != "db1 is gone" {
		t.Errorf("the annotation is %q, want that of the old templates", got)
	}
}

// A rule URL that does not answer is a file with a problem, after a while.
func TestHungRuleURLHoldsAReloadNoLongerThanItsTimeout(t *testing.T) {
	w := newWorld(t)
	hung := w.serve(t, func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write([]byte(alert("a", "up"))) })
	path := ruleFile(t, alert("b", "up"))
	d := telling(t, w, []string{hung.URL + "/rules.yml", path}, func(o *Options) { o.Rules.LoadTimeout = 50 * time.Millisecond })
	arrived, release := w.block(t, hung)
	write(t, path, alert("b", "new"))
	code, body := d.post()
	if want := hung.URL + "/rules.yml: no complete answer within 50ms\n"; code != http.StatusInternalServerError || body != want {
		t.Errorf("got %d %q, want %q", code, body, want)
	}
	<-arrived
	d.expectExpressions("up new")
	release()
	d.reloaded()
	d.expectReloads(2, 1, 1)
}

// The round under way has the time of one query.
func TestHungQueryHoldsAReloadNoLongerThanItsDeadline(t *testing.T) {
	w := newWorld(t)
	path := ruleFile(t, group("one", "up"))
	o := withBlackhole(options(w, path))
	o.Datasource.QueryTimeout = 50 * time.Millisecond
	arrived, release := w.block(t, w.datasource)
	d := start(t, o)
	<-arrived
	write(t, path, group("one", "new"))
	d.reloaded()
	d.expectExpressions("new")
	release()
	await(t, "the new expression is asked", func() bool { return w.asks("new") > 0 })
}
