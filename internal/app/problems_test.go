package app

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// badFiles have one thing wrong each.
var badFiles = map[string]string{
	"expr.yml": `groups:
- name: g
  rules:
  - {alert: Fine, expr: up}
  - alert: NoExpr
    expr: sum(
`,
	"annotation.yml": `groups:
- name: g
  rules:
  - alert: BadAnnotation
    expr: up
    annotations:
      summary: "{{ $nobody }}"
`,
	"label.yml": `groups:
- name: g
  rules:
  - alert: BadLabel
    expr: up
    labels:
      severity: "{{ nofunction }}"
      team: "{{ if }}"
`,
	"good.yml":    oneAlert,
	"broken.tmpl": "{{ define \"a\" }}a{{ end }}\n{{ define }}\n",
}

// expectProblems checks that err has one line per problem, in this order, each
// beginning as given, with files of dir.
func expectProblems(t *testing.T, dir string, err error, want ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != len(want) {
		t.Errorf("%d lines, want %d:\n%v", len(lines), len(want), err)
		return
	}
	for i := range want {
		if !strings.Contains(lines[i], filepath.Join(dir, want[i])) {
			t.Errorf("line %d is %q, want %q in it", i, lines[i], want[i])
		}
	}
}

func TestStartListsTheProblemsOfAllFiles(t *testing.T) {
	w := newWorld(t)
	dir := files(t, badFiles)
	o := withBlackhole(options(w, filepath.Join(dir, "*.yml")))
	o.Rules.AllOrNothing = true
	expectProblems(t, dir, launch(t, o).wait(),
		`annotation.yml:4: group "g": rule "BadAnnotation": `,
		`expr.yml:6: group "g": rule "NoExpr": `,
		`label.yml:4: group "g": rule "BadLabel": `,
		`label.yml:4: group "g": rule "BadLabel": `)
}

// A user mends a file in one go, not once for expressions and then for templates.
func TestStartListsAllProblemsOfOneFile(t *testing.T) {
	w := newWorld(t)
	dir := files(t, map[string]string{"rules.yml": `groups:
- name: g
  rules:
  - {alert: BadExpr, expr: sum(}
  - {alert: BadAnnotation, expr: up, annotations: {summary: "{{ $nobody }}"}}
  - {alert: NoRule, expr: up, unknown: 1}
`})
	d := launch(t, withBlackhole(options(w, filepath.Join(dir, "*.yml"))))
	expectProblems(t, dir, d.wait(),
		`rules.yml:4: group "g": rule "BadExpr": `,
		`rules.yml:5: group "g": rule "BadAnnotation": `,
		`rules.yml:6: group "g": rule "NoRule": `)
}

func TestStartNamesTemplateFileAndLine(t *testing.T) {
	w := newWorld(t)
	dir := files(t, badFiles)
	o := withBlackhole(options(w, filepath.Join(dir, "good.yml")))
	o.Rules.Templates = []string{filepath.Join(dir, "*.tmpl")}
	o.Rules.AllOrNothing = true
	expectProblems(t, dir, launch(t, o).wait(), "broken.tmpl:2: ")
}

func TestStartLeavesBadFilesOut(t *testing.T) {
	w := newWorld(t)
	dir := files(t, badFiles)
	o := withBlackhole(options(w, filepath.Join(dir, "*.yml")))
	o.Rules.Templates = []string{filepath.Join(dir, "*.tmpl")}
	d := start(t, o)
	d.expectGroups("servers")
	if n := len(d.log.records("configuration has a problem")); n < 4 {
		t.Errorf("%d problems were logged, want one for each bad file:\n%s", n, d.log)
	}
	d.expectReloads(0, 0, 0)
	if code, _ := d.get("/-/ready"); code != http.StatusOK {
		t.Errorf("/-/ready is %d with good rules in force", code)
	}
}

func TestStartWithNothingGoodFails(t *testing.T) {
	d := launch(t, withBlackhole(options(newWorld(t), ruleFile(t, badGroup))))
	if err := d.wait(); err == nil {
		t.Error("no error")
	}
}

func TestMissingRuleFilePreventsTheStart(t *testing.T) {
	w := newWorld(t)
	dir := t.TempDir()
	d := launch(t, withBlackhole(options(w, filepath.Join(dir, "rules.yml"))))
	expectProblems(t, dir, d.wait(), "rules.yml: ")
}

func TestBadTemplatesRunWhenTheyAreNotValidated(t *testing.T) {
	w := newWorld(t)
	w.answer("up", map[string]string{"host": "db1"})
	dir := files(t, badFiles)
	o := withAlertmanager(options(w, filepath.Join(dir, "annotation.yml")), w)
	o.Rules.ValidateTemplates = false
	start(t, o)
	if a := w.awaitAlert(t, "BadAnnotation"); !strings.Contains(a.Annotations["summary"], "nobody") {
		t.Errorf("annotations are %q, want the error", a.Annotations)
	}
}

func TestTemplatesOfFilesAreUsed(t *testing.T) {
	w := newWorld(t)
	w.answer("down", map[string]string{"host": "db1"})
	dir := files(t, map[string]string{
		"a.tmpl":    `{{ define "name" }}<{{ .host }}>{{ end }}`,
		"rules.yml": strings.Replace(oneAlert, "{{ $labels.host }}", `{{ template \"name\" $labels }}`, 1),
	})
	o := withAlertmanager(options(w, filepath.Join(dir, "*.yml")), w)
	o.Rules.Templates = []string{filepath.Join(dir, "*.tmpl")}
	start(t, o)
	if a := w.awaitAlert(t, "Down"); a.Annotations["summary"] != "<db1> is down" {
		t.Errorf("annotations are %q", a.Annotations)
	}
}
