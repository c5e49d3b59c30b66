package app

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// checklistRow is one line of testdata/checklist.tsv.
type checklistRow struct {
	area    string
	line    int // within the area, from 1
	subject string
	holds   []string // tests, and rows of the page of differences
}

func readChecklist(t *testing.T) []checklistRow {
	t.Helper()
	table, err := os.ReadFile("testdata/checklist.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var rows []checklistRow
	for text := range strings.Lines(string(table)) {
		if strings.HasPrefix(text, "#") {
			continue
		}
		cells := strings.Split(strings.TrimSuffix(text, "\n"), "\t")
		if len(cells) != 4 || cells[2] == "" || cells[3] == "" {
			t.Fatalf("a row needs an area, a line, a subject and what holds it: %s", text)
		}
		line, err := strconv.Atoi(cells[1])
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, checklistRow{cells[0], line, cells[2], strings.Split(cells[3], "; ")})
	}
	return rows
}

// testsByPackage returns the names of all tests and fuzz tests, as package.Name with
// the last element of the package's path, with the folder that they are in.
func testsByPackage(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		dir := filepath.Dir(path)
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && isTest(f.Name.Name) {
				all[filepath.Base(dir)+"."+f.Name.Name] = dir
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func isTest(name string) bool {
	return name != "TestMain" && (strings.HasPrefix(name, "Test") || strings.HasPrefix(name, "Fuzz"))
}

// caseFile returns whether a test that reads its cases from files has one of this
// name.
func caseFile(dir, name string) bool {
	found, err := filepath.Glob(filepath.Join(dir, "testdata", "*", name+".*"))
	return err == nil && len(found) == 1
}

// differenceRows returns the rows of the tables of docs/vmalert-differences.md as
// "section/first cell".
func differenceRows(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", "vmalert-differences.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]bool{}
	section := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if title, ok := strings.CutPrefix(line, "## "); ok {
			section = title
		}
		cells := strings.Split(line, " | ")
		if first, ok := strings.CutPrefix(cells[0], "| "); ok && len(cells) > 2 {
			rows[section+"/"+strings.TrimSpace(first)] = true
		}
	}
	return rows
}

// Each line of the checklist is held by tests that there are, or is a difference
// that is written down.
func TestEveryLineOfTheChecklistIsHeld(t *testing.T) {
	tests, differences := testsByPackage(t), differenceRows(t)
	if len(tests) < 1000 || len(differences) < 100 {
		t.Fatalf("found %d tests and %d differences only", len(tests), len(differences))
	}
	for _, row := range readChecklist(t) {
		for _, held := range row.holds {
			if difference, ok := strings.CutPrefix(held, "differs: "); ok {
				if !differences[difference] {
					t.Errorf("%s %d, %s: no row of differences %q", row.area, row.line, row.subject, difference)
				}
				continue
			}
			test, story, inFile := strings.Cut(held, "/")
			dir, there := tests[test]
			if !there {
				t.Errorf("%s %d, %s: no test %s", row.area, row.line, row.subject, test)
			} else if inFile && !caseFile(dir, story) {
				t.Errorf("%s %d, %s: %s has no case %s", row.area, row.line, row.subject, test, story)
			}
		}
	}
}

// checklistAreas are the areas with the headings that they have in the lists of
// facts about vmalert; what goes by a number there has no heading.
var checklistAreas = map[string]string{
	"config": "Config and reload", "datasource": "Datasource client", "schedule": "Group scheduling",
	"alerts": "Alert state machine", "restore": "Restore", "notifier": "Notifier", "write": "Remote write",
	"recording": "Recording rules", "templates": "Templates", "api": "API and UI", "replay": "Replay",
	"unittest": "Unit-test tool", "weak": "", "surprise": "",
}

// linesOf returns how many lines there are under each heading of a list.
func linesOf(text string) map[string]int {
	lines := map[string]int{}
	heading := ""
	for line := range strings.Lines(text) {
		if title, ok := strings.CutPrefix(line, "### "); ok {
			heading = strings.TrimSpace(title)
		} else if strings.HasPrefix(line, "- ") {
			lines[heading]++
		}
	}
	return lines
}

// The table has every line of the list, which grows when vmalert is found wrong
// again.
func TestChecklistHasEveryLine(t *testing.T) {
	covered := map[string]map[int]bool{}
	for _, row := range readChecklist(t) {
		if covered[row.area] == nil {
			covered[row.area] = map[int]bool{}
		}
		covered[row.area][row.line] = true
	}
	list, err := os.ReadFile("../../../shared/compat/CHECKLIST.md")
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("the list of facts about vmalert is not here")
	} else if err != nil {
		t.Fatal(err)
	}
	wanted := linesOf(string(list))
	for _, area := range slices.Sorted(maps.Keys(checklistAreas)) {
		lines := wanted[checklistAreas[area]]
		switch area {
		case "weak":
			lines = 18
		case "surprise":
			lines = 23
		}
		for n := 1; n <= lines; n++ {
			if !covered[area][n] {
				t.Errorf("nothing is said of line %d of %s", n, area)
			}
		}
		if len(covered[area]) != lines {
			t.Errorf("the table has %d lines of %s, the list has %d", len(covered[area]), area, lines)
		}
		delete(wanted, checklistAreas[area])
	}
	for heading := range wanted {
		t.Errorf("the table has nothing of %s", heading)
	}
}
