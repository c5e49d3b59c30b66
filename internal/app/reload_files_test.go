package app

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// telling starts a daemon with the rules that files match, which tells w of each
// change of an alert once. Whatever is asked has a result.
func telling(t *testing.T, w *world, files []string, change ...func(*Options)) *running {
	t.Helper()
	for _, expr := range []string{"up", "down", "new"} {
		w.answer(expr, map[string]string{"host": "db1"})
	}
	o := withAlertmanager(options(w, files...), w)
	o.Rules.ResendDelay = time.Hour
	for _, c := range change {
		c(&o)
	}
	return start(t, o)
}

// story returns what Alertmanager was told of the alerts called name, as
// "firing, resolved". A firing alert ends hours from now if nobody repeats it.
func (w *world) story(name string) string {
	var all []string
	for _, a := range w.told(name) {
		state := "firing"
		if a.EndsAt.Sub(a.StartsAt) < time.Hour {
			state = "resolved"
		}
		all = append(all, state)
	}
	return strings.Join(all, ", ")
}

// awaitStory waits until Alertmanager was told want.
func (w *world) awaitStory(t *testing.T, name, want string) {
	t.Helper()
	await(t, fmt.Sprintf("%s is told to be %s", name, want), func() bool { return w.story(name) == want })
}

// alert returns a rule file with one group of the name, which has one alert of
// the name in upper case.
func alert(name, expr string) string {
	return fmt.Sprintf("groups: [{name: %s, rules: [{alert: %s, expr: %s}]}]\n", name, strings.ToUpper(name), expr)
}

// reloaded asks for a reload and expects all of it to be put in force.
func (d *running) reloaded() {
	d.t.Helper()
	if code, body := d.post(); code != http.StatusOK {
		d.t.Fatalf("reload: %d %s", code, body)
	}
}

// goesOn waits until each group was evaluated again.
func (d *running) goesOn() {
	d.t.Helper()
	d.awaitUpdates(d.evaluations())
}

// evaluations returns how often rules were evaluated.
func (d *running) evaluations() float64 { return d.metric("vmalert_execution_total") }

func (d *running) awaitUpdates(before float64) {
	d.t.Helper()
	rules := 0
	for _, g := range d.groups() {
		rules += len(g.Rules)
	}
	await(d.t, "rules are evaluated", func() bool { return d.evaluations() >= before+float64(3*rules) })
}

// mount lays out files as Kubernetes mounts a ConfigMap: links that lead through
// a link to the folder with one version of all of them.
func mount(t *testing.T, dir, version string, texts map[string]string) {
	t.Helper()
	folder := filepath.Join(dir, ".."+version)
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range texts {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join("..data", name), filepath.Join(dir, name)); err != nil && !os.IsExist(err) {
			t.Fatal(err)
		}
	}
	before, _ := os.Readlink(filepath.Join(dir, "..data"))
	next := filepath.Join(dir, "..data_tmp")
	if err := os.Symlink(".."+version, next); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, filepath.Join(dir, "..data")); err != nil {
		t.Fatal(err)
	}
	if before != "" {
		if err := os.RemoveAll(filepath.Join(dir, before)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestConfigMapSwapTouchesOnlyWhatChanged(t *testing.T) {
	w, dir := newWorld(t), t.TempDir()
	mount(t, dir, "v1", map[string]string{"a.yml": alert("a", "up"), "b.yml": alert("b", "up")})
	d := telling(t, w, []string{filepath.Join(dir, "*.yml")})
	w.awaitStory(t, "A", "firing")
	w.awaitStory(t, "B", "firing")
	mount(t, dir, "v2", map[string]string{"a.yml": alert("a", "up"), "b.yml": alert("b", "new"), "c.yml": alert("c", "up")})
	d.reloaded()
	w.awaitStory(t, "C", "firing")
	d.goesOn()
	if r := d.awaitLog("rules reloaded", 1); attr(r, "kept")+attr(r, "changed")+attr(r, "added") != "111" {
		t.Errorf("logged %v, want one group kept, changed and added each", r)
	}
	if got := w.story("A") + "; " + w.story("B"); got != "firing; firing" {
		t.Errorf("Alertmanager was told %s, want both to fire once", got)
	}
	var shown []string
	for _, g := range d.groups() {
		shown = append(shown, strings.TrimPrefix(g.File, dir+"/"))
	}
	if diff := cmp.Diff([]string{"a.yml", "b.yml", "c.yml"}, shown); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestRemovedFileOfAPatternIsResolved(t *testing.T) {
	w := newWorld(t)
	dir := files(t, map[string]string{"a.yml": alert("a", "up"), "b.yml": alert("b", "up")})
	d := telling(t, w, []string{filepath.Join(dir, "*.yml")})
	w.awaitStory(t, "A", "firing")
	w.awaitStory(t, "B", "firing")
	remove(t, filepath.Join(dir, "b.yml"))
	d.reloaded()
	w.awaitStory(t, "B", "firing, resolved")
	d.expectGroups("a")
	d.goesOn()
	if got := w.story("A"); got != "firing" {
		t.Errorf("A was told to be %s", got)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func TestRemovalOfEverythingResolvesEverything(t *testing.T) {
	w := newWorld(t)
	dir := files(t, map[string]string{"a.yml": alert("a", "up"), "b.yml": alert("b", "up")})
	d := telling(t, w, []string{filepath.Join(dir, "*.yml")})
	w.awaitStory(t, "A", "firing")
	w.awaitStory(t, "B", "firing")
	remove(t, filepath.Join(dir, "a.yml"))
	remove(t, filepath.Join(dir, "b.yml"))
	d.reloaded()
	w.awaitStory(t, "A", "firing, resolved")
	w.awaitStory(t, "B", "firing, resolved")
	d.expectGroups()
	d.awaitLog("patterns match no file", 1)
	d.expectReloads(1, 0, 1)
}

func TestSilentRemovalLeavesAlertsToExpire(t *testing.T) {
	w := newWorld(t)
	dir := files(t, map[string]string{"a.yml": alert("a", "up"), "b.yml": alert("b", "up")})
	d := telling(t, w, []string{filepath.Join(dir, "*.yml")}, func(o *Options) { o.Rules.SilentRemoval = true })
	w.awaitStory(t, "A", "firing")
	remove(t, filepath.Join(dir, "a.yml"))
	d.reloaded()
	d.goesOn()
	if err := d.stop(); err != nil { // which delivers what is queued
		t.Fatal(err)
	}
	if got := w.story("A"); got != "firing" {
		t.Errorf("the removed alert was told to be %s", got)
	}
}

// A file that is named is wanted: it does not vanish on purpose.
func TestNamedFileThatVanishesKeepsItsLastGoodVersion(t *testing.T) {
	w := newWorld(t)
	dir := files(t, map[string]string{"a.yml": alert("a", "up"), "b.yml": alert("b", "up")})
	a, b := filepath.Join(dir, "a.yml"), filepath.Join(dir, "b.yml")
	d := telling(t, w, []string{a, b})
	w.awaitStory(t, "A", "firing")
	remove(t, a)
	if code, body := d.post(); code != http.StatusInternalServerError || !strings.HasPrefix(body, a+": ") {
		t.Errorf("got %d %s", code, body)
	}
	d.expectGroups("a", "b")
	d.goesOn()
	write(t, a, alert("a", "up"))
	d.reloaded()
	d.goesOn()
	if got := w.story("A"); got != "firing" {
		t.Errorf("A was told to be %s", got)
	}
	d.expectReloads(2, 1, 1)
}

func TestRenamedFileKeepsItsAlerts(t *testing.T) {
	w := newWorld(t)
	dir := files(t, map[string]string{"a.yml": alert("a", "up"), "b.yml": alert("b", "up")})
	d := telling(t, w, []string{filepath.Join(dir, "*.yml")})
	w.awaitStory(t, "A", "firing")
	w.awaitStory(t, "B", "firing")
	remove(t, filepath.Join(dir, "a.yml"))
	write(t, filepath.Join(dir, "z.yml"), alert("a", "new"))
	d.reloaded()
	d.expectGroups("a", "b") // by name
	d.goesOn()
	if got := w.story("A") + "; " + w.story("B"); got != "firing; firing" {
		t.Errorf("Alertmanager was told %s, want both to fire once", got)
	}
	if r := d.awaitLog("rules reloaded", 1); attr(r, "moved")+attr(r, "removed") != "10" {
		t.Errorf("logged %v, want one group moved", r)
	}
}

func TestGroupSplitOverFilesKeepsItsAlerts(t *testing.T) {
	w := newWorld(t)
	both := "groups: [{name: g, rules: [{alert: A, expr: up}, {alert: B, expr: up}]}]"
	dir := files(t, map[string]string{"g.yml": both})
	d := telling(t, w, []string{filepath.Join(dir, "*.yml")}, func(o *Options) { o.Rules.DisableAlertgroup = true })
	w.awaitStory(t, "A", "firing")
	w.awaitStory(t, "B", "firing")
	write(t, filepath.Join(dir, "g.yml"), alert("a", "up"))
	write(t, filepath.Join(dir, "h.yml"), alert("b", "up"))
	d.reloaded()
	d.expectGroups("a", "b")
	d.goesOn()
	if got := w.story("A") + "; " + w.story("B"); got != "firing; firing" {
		t.Errorf("Alertmanager was told %s, want both to fire once", got)
	}
}

// With the label alertgroup it is another alert to Alertmanager, which begins
// when the one before it began.
func TestGroupMovedIntoAnotherKeepsItsClock(t *testing.T) {
	w := newWorld(t)
	dir := files(t, map[string]string{"a.yml": alert("a", "up"), "b.yml": alert("b", "up")})
	d := telling(t, w, []string{filepath.Join(dir, "*.yml")})
	w.awaitStory(t, "A", "firing")
	remove(t, filepath.Join(dir, "a.yml"))
	write(t, filepath.Join(dir, "b.yml"), "groups: [{name: b, rules: [{alert: B, expr: up}, {alert: A, expr: up}]}]")
	d.reloaded()
	w.awaitStory(t, "A", "firing, resolved, firing")
	told := w.told("A")
	groups := []string{told[0].Labels["alertgroup"], told[1].Labels["alertgroup"], told[2].Labels["alertgroup"]}
	if !slices.Equal(groups, []string{"a", "a", "b"}) || !told[2].StartsAt.Equal(told[0].StartsAt) {
		t.Errorf("Alertmanager was told %+v", told)
	}
}

func TestUnreadableDirectoryRemovesNothing(t *testing.T) {
	dir := t.TempDir()
	rulesDir := filepath.Join(dir, "rules")
	if err := os.Mkdir(rulesDir, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(rulesDir, "a.yml"), group("one", "up"))
	d := start(t, withBlackhole(options(newWorld(t), filepath.Join(dir, "rules", "*.yml"))))
	if err := os.Rename(rulesDir, filepath.Join(dir, "away")); err != nil {
		t.Fatal(err)
	}
	// Not even root can read through a loop of links.
	if err := os.Symlink("rules", rulesDir); err != nil {
		t.Fatal(err)
	}
	if code, body := d.post(); code != http.StatusInternalServerError || !strings.Contains(body, "rules") {
		t.Errorf("got %d %s", code, body)
	}
	d.expectGroups("one")
}
