package app

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// group returns a rule file with one group of one alerting rule.
func group(name, expr string) string {
	return fmt.Sprintf("groups: [{name: %s, rules: [{alert: A, expr: %s}]}]\n", name, expr)
}

const badGroup = "groups: [{name: g, rules: [{alert: A, expr: 'sum('}]}]\n"

const (
	reloadTotal      = "vmalert_config_last_reload_total"
	reloadErrors     = "vmalert_config_last_reload_errors_total"
	reloadSuccessful = "vmalert_config_last_reload_successful"
	reloadTimestamp  = "vmalert_config_last_reload_success_timestamp_seconds"
	groupRounds      = "vmalert_iteration_total"
)

// reloadable starts a daemon with one rule file, which it returns.
func reloadable(t *testing.T, text string, change ...func(*Options)) (d *running, path string) {
	t.Helper()
	path = ruleFile(t, text)
	o := withBlackhole(options(newWorld(t), path))
	for _, c := range change {
		c(&o)
	}
	return start(t, o), path
}

// expectReloads checks the metrics about reloads.
func (d *running) expectReloads(total, errors, successful float64) {
	d.t.Helper()
	got := [3]float64{d.metric(reloadTotal), d.metric(reloadErrors), d.metric(reloadSuccessful)}
	if want := [3]float64{total, errors, successful}; got != want {
		d.t.Errorf("reloads, errors, successful: got %v, want %v", got, want)
	}
}

func (d *running) expectGroups(want ...string) {
	d.t.Helper()
	if diff := cmp.Diff(want, d.groupNames()); diff != "" {
		d.t.Errorf("groups (-want +got):\n%s", diff)
	}
}

// post asks for a reload over HTTP.
func (d *running) post() (code int, body string) {
	d.t.Helper()
	code, body, err := d.ask(http.MethodPost, "/-/reload")
	if err != nil {
		d.t.Fatal(err)
	}
	return code, body
}

func TestSignalReloadsRules(t *testing.T) {
	d, path := reloadable(t, group("one", "up"))
	d.expectReloads(0, 0, 1)
	write(t, path, group("two", "up"))
	d.reload <- struct{}{}
	r := d.awaitLog("rules reloaded", 1)
	d.expectGroups("two")
	d.expectReloads(1, 0, 1)
	if attr(r, "trigger") != "signal" || attr(r, "moved") != "1" || attr(r, "removed") != "0" {
		t.Errorf("logged %v", r)
	}
}

func TestReloadOverHTTPAnswersWhenItIsDone(t *testing.T) {
	d, path := reloadable(t, group("one", "up"))
	for i, method := range []string{http.MethodPost, http.MethodGet, http.MethodPut} {
		name := fmt.Sprintf("g%d", i)
		write(t, path, group(name, "up"))
		if code, body, err := d.ask(method, "/-/reload"); err != nil || code != http.StatusOK {
			t.Errorf("%s: %d %s, %v", method, code, body, err)
		}
		d.expectGroups(name)
	}
	d.expectReloads(3, 0, 1)
}

func TestFailedReloadSaysWhyAndKeepsTheRules(t *testing.T) {
	d, path := reloadable(t, group("one", "up"))
	write(t, path, `groups:
- name: two
  rules:
  - {alert: A, expr: sum(}
  - {alert: B, expr: up, surprise: 1}
`)
	code, body := d.post()
	if code != http.StatusInternalServerError {
		t.Errorf("the answer is %d, want 500", code)
	}
	lines := strings.Split(strings.TrimSuffix(body, "\n"), "\n")
	if len(lines) != 2 || !strings.HasPrefix(lines[0], path+":4: ") || !strings.HasPrefix(lines[1], path+":5: ") {
		t.Errorf("the answer is not a line for each problem:\n%s", body)
	}
	d.expectGroups("one")
	d.expectReloads(1, 1, 0)
	if code, _ := d.get("/-/ready"); code != http.StatusOK {
		t.Errorf("/-/ready is %d with the old rules in force", code)
	}
}

func TestFailedReloadLeavesGroupsRunning(t *testing.T) {
	d, path := reloadable(t, group("one", "up"))
	const rounds = groupRounds + `{group="one",file="%s"}`
	series := fmt.Sprintf(rounds, path)
	write(t, path, badGroup)
	d.post()
	before := d.metric(series)
	await(t, "the group goes on", func() bool { return d.metric(series) > before })
}

func TestReloadRefusesRulesWithNowhereToGo(t *testing.T) {
	d, path := reloadable(t, group("one", "up"))
	write(t, path, oneRecord)
	if code, body := d.post(); code != http.StatusInternalServerError || !strings.Contains(body, "-remoteWrite.url") {
		t.Errorf("got %d %s", code, body)
	}
	d.expectGroups("one")
}

func TestReloadAfterFailureSucceedsAgain(t *testing.T) {
	d, path := reloadable(t, group("one", "up"))
	write(t, path, badGroup)
	d.post()
	write(t, path, group("two", "up"))
	if code, body := d.post(); code != http.StatusOK {
		t.Errorf("got %d %s", code, body)
	}
	d.expectGroups("two")
	d.expectReloads(2, 1, 1)
}

// A roll-back brings nothing new into force, so that the time of the last success
// stays what it was.
func TestReloadOfRolledBackFilesKeepsTheTimestamp(t *testing.T) {
	d, path := reloadable(t, group("one", "up"))
	write(t, path, badGroup)
	d.post()
	before := d.metric(reloadTimestamp)
	awaitNextSecond(t, before)
	write(t, path, group("one", "up"))
	d.post()
	if got := d.metric(reloadTimestamp); got != before {
		t.Errorf("timestamp is %v, was %v", got, before)
	}
	d.expectReloads(2, 1, 1)
}

func TestReloadKeepsUnchangedGroups(t *testing.T) {
	dir := files(t, map[string]string{"a.yml": group("a", "up"), "b.yml": group("b", "up")})
	d := start(t, withBlackhole(options(newWorld(t), filepath.Join(dir, "*.yml"))))
	d.awaitRounds(dir, "a", 3)
	d.awaitRounds(dir, "b", 3)
	write(t, filepath.Join(dir, "b.yml"), group("b", "down"))
	d.post()
	r := d.awaitLog("rules reloaded", 1)
	if got := fmt.Sprint(r["kept"], r["changed"], r["added"], r["removed"]); got != "1 1 0 0" {
		t.Errorf("kept, changed, added, removed: %s", got)
	}
	d.expectGroups("a", "b")
	if got := d.groups()[1].Rules[0].Query; got != "down" {
		t.Errorf("the expression in force is %q", got)
	}
}

// awaitRounds waits until a group of file name.yml has had n rounds.
func (d *running) awaitRounds(dir, name string, n float64) {
	d.t.Helper()
	series := fmt.Sprintf(groupRounds+`{group="%s",file="%s"}`, name, filepath.Join(dir, name+".yml"))
	await(d.t, "group "+name+" has been evaluated", func() bool { return d.metric(series) >= n })
}

func TestChangedTemplateFileRebuildsGroups(t *testing.T) {
	w := newWorld(t)
	w.answer("down", map[string]string{"host": "db1"})
	dir := files(t, map[string]string{
		"a.tmpl":    `{{ define "word" }}down{{ end }}`,
		"rules.yml": strings.Replace(oneAlert, "is down", `is {{ template \"word\" }}`, 1),
	})
	o := withAlertmanager(options(w, filepath.Join(dir, "rules.yml")), w)
	o.Rules.Templates = []string{filepath.Join(dir, "*.tmpl")}
	d := start(t, o)
	first := w.awaitAlert(t, "Down")

	write(t, filepath.Join(dir, "a.tmpl"), `{{ define "word" }}gone{{ end }}`)
	d.post()
	if r := d.awaitLog("rules reloaded", 1); attr(r, "changed") != "1" {
		t.Errorf("logged %v, want one changed group", r)
	}
	await(t, "Alertmanager gets the new text", func() bool {
		return w.awaitAlert(t, "Down").Annotations["summary"] == "db1 is gone"
	})
	if now := w.awaitAlert(t, "Down"); !now.StartsAt.Equal(first.StartsAt) {
		t.Errorf("the alert starts at %v, before the reload it was %v", now.StartsAt, first.StartsAt)
	}
	d.post()
	if r := d.awaitLog("rules reloaded", 2); attr(r, "kept") != "1" {
		t.Errorf("logged %v, want that the group is kept when no template changed", r)
	}
}

func TestBrokenTemplateFileKeepsTheOldOnes(t *testing.T) {
	dir := files(t, map[string]string{"a.tmpl": `{{ define "a" }}a{{ end }}`, "rules.yml": oneAlert})
	d := start(t, func() Options {
		o := withBlackhole(options(newWorld(t), filepath.Join(dir, "rules.yml")))
		o.Rules.Templates = []string{filepath.Join(dir, "*.tmpl")}
		return o
	}())
	write(t, filepath.Join(dir, "a.tmpl"), `{{ define }}`)
	if code, body := d.post(); code != http.StatusInternalServerError || !strings.Contains(body, "a.tmpl:1: ") {
		t.Errorf("got %d %s", code, body)
	}
	d.expectGroups("servers")
	d.expectReloads(1, 1, 0)
}

func TestReloadFindsNewFilesOfPattern(t *testing.T) {
	dir := files(t, map[string]string{"a.yml": group("a", "up")})
	d := start(t, withBlackhole(options(newWorld(t), filepath.Join(dir, "**", "*.yml"))))
	write(t, filepath.Join(dir, "b.yml"), group("b", "up"))
	d.post()
	d.expectGroups("a", "b")
}

func TestReloadNeedsItsKey(t *testing.T) {
	d, path := reloadable(t, group("one", "up"), func(o *Options) { o.HTTP.ReloadAuthKey = "key" })
	write(t, path, group("two", "up"))
	if code, _ := d.post(); code != http.StatusUnauthorized {
		t.Errorf("without the key: %d", code)
	}
	d.expectGroups("one")
	if code, _ := d.get("/-/reload?authKey=key"); code != http.StatusOK {
		t.Errorf("with the key: %d", code)
	}
	d.expectGroups("two")
}
