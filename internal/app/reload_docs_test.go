package app

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = "../.."

var (
	testName = regexp.MustCompile("`(Test[A-Za-z0-9]+)`")
	testFunc = regexp.MustCompile(`(?m)^func (Test[A-Za-z0-9]+)\(t \*testing\.T\)`)
)

// tests returns the names of all tests there are.
func tests(t *testing.T) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range testFunc.FindAllSubmatch(text, -1) {
			all[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// promises returns the rows of the tables of docs/reload.md that have tests in
// their last column, by what they are about.
func promises(t *testing.T, text string) map[string]string {
	t.Helper()
	rows := map[string]string{}
	named := false
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		last := strings.TrimSpace(cells[len(cells)-1])
		switch {
		case !strings.HasPrefix(line, "|"):
			named = false
		case last == "tests":
			named = true
		case named && strings.Trim(last, "-") != "":
			rows[strings.TrimSpace(cells[0])] = last
		}
	}
	return rows
}

// What docs/reload.md says is tested by the tests that it names.
func TestReloadContractIsTested(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs", "reload.md"))
	if err != nil {
		t.Fatal(err)
	}
	there := tests(t)
	for _, m := range testName.FindAllSubmatch(text, -1) {
		if name := string(m[1]); !there[name] {
			t.Errorf("there is no test %s", name)
		}
	}
	rows := promises(t, string(text))
	for about, cell := range rows {
		if !testName.MatchString(cell) {
			t.Errorf("no test is named of: %s", about)
		}
	}
	for _, about := range []string{
		"expression", "`for` longer", "`for` shorter", "`keep_firing_for`", "annotations", "template files",
		"`interval`", "`eval_offset`", "`eval_delay`", "`concurrency`", "`limit`",
		"labels of the group", "labels of the rule", "alerting rule renamed", "recording rule renamed",
		"rule moved to another group", "group moved to another file", "group renamed", "group split in two",
		"groups merged", "file renamed", "rule removed", "group removed", "everything removed",
		"file broken", "file broken, and mended",
	} {
		if rows[about] == "" {
			t.Errorf("nothing is said of: %s", about)
		}
	}
}
