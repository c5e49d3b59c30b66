package config

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
)

const threeGroups = `# The rules of a team.
groups:
  # the first
  - name: first
    labels: {team: alpha}
    rules:
      - alert: A
        expr: up == 0
        annotations: {summary: "down"}

  - name: second
    rules:
      - record: r
        expr: |
          sum(up)
            by (job)
# the third
  -
    name: third
    rules: [{alert: B, expr: up == 0, labels: {team: alpha}}]
`

// reread parses one version of a file after another and returns the last.
func reread(t *testing.T, versions ...string) parsed {
	t.Helper()
	var p parsed
	for _, text := range versions {
		p = parse("r.yml", []byte(text), Hash{}, p.lastGood(), testOptions())
	}
	return p
}

func TestOnlyTheGroupThatChangedIsParsedAgain(t *testing.T) {
	before := reread(t, threeGroups)
	after := parse("r.yml", []byte(strings.Replace(threeGroups, "sum(up)", "max(up)", 1)), Hash{}, &before, testOptions())
	if len(before.groups) != 3 || len(after.groups) != 3 {
		t.Fatalf("%d and %d groups", len(before.groups), len(after.groups))
	}
	for i, want := range []bool{true, false, true} {
		if got := &before.groups[i].Rules[0] == &after.groups[i].Rules[0]; got != want {
			t.Errorf("group %s is the one parsed before: %v, want %v", after.groups[i].Key.Name, got, want)
		}
	}
	if got, want := after.groups[1].Rules[0].Expr, "max(up)\n  by (job)\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestGroupThatMovedWithinItsFileIsNotParsedAgain(t *testing.T) {
	before := reread(t, threeGroups)
	moved := strings.Replace(threeGroups, "- name: first", "- name: new\n    rules: [{alert: N, expr: up}]\n  - name: first", 1)
	after := parse("r.yml", []byte(moved), Hash{}, &before, testOptions())
	if diff := cmp.Diff([]string{"r.yml;new", "r.yml;first", "r.yml;second", "r.yml;third"}, keys(after.groups)); diff != "" {
		t.Fatal(diff)
	}
	old, now := &before.groups[0], &after.groups[1]
	if &old.Rules[0].Annotations[0] != &now.Rules[0].Annotations[0] {
		t.Error("the group was parsed again")
	}
	if old.Line != 4 || old.Rules[0].Line != 7 || now.Line != 6 || now.Rules[0].Line != 9 {
		t.Errorf("lines: group %d, then %d, want 4, 6; rule %d, then %d, want 7, 9",
			old.Line, now.Line, old.Rules[0].Line, now.Rules[0].Line)
	}
	if !old.Equal(now) {
		t.Error("a group that has only moved is not equal to what it was")
	}
}

func TestTextsAreSharedWithTheEarlierVersion(t *testing.T) {
	before := reread(t, threeGroups)
	edited := strings.Replace(threeGroups, "up == 0, labels", "up == 1, labels", 1)
	after := parse("r.yml", []byte(edited), Hash{}, &before, testOptions())
	if len(after.pieces) != 3 || after.groups[2].Rules[0].Expr != "up == 1" {
		t.Fatalf("got %+v", after)
	}
	old, now := before.groups[0].Labels[0].Value, after.groups[2].Rules[0].Labels[0].Value
	if unsafe.StringData(old) != unsafe.StringData(now) {
		t.Errorf("%q is held in memory twice", now)
	}
}

// The verdict on an expression holds for its language only.
func TestKnownExpressionIsNotCheckedAgain(t *testing.T) {
	// Nothing but the memory of an earlier verdict could accept this.
	earlier := &parsed{groups: []Group{{Type: Prometheus, Rules: []Rule{{Expr: "sum("}}}}}
	text := "groups:\n- name: a\n  rules: [{alert: A, expr: sum(}]\n"
	if p := parse("r.yml", []byte(text), Hash{}, earlier, testOptions()); len(p.problems) > 0 {
		t.Errorf("checked again: %v", p.problems)
	}
	text = strings.Replace(text, "  rules", "  type: vlogs\n  rules", 1)
	if p := parse("r.yml", []byte(text), Hash{}, earlier, testOptions()); len(p.problems) == 0 {
		t.Error("an expression that is valid PromQL was taken for valid LogsQL")
	}
}

// readsAsAWhole checks that it makes no difference whether a file is read in
// pieces after an earlier version, or as a whole, and returns what was read.
func readsAsAWhole(t interface{ Errorf(string, ...any) }, name, text string, earlier *parsed) *parsed {
	groups, problems := decodeFile("r.yml", []byte(text), testOptions())
	p := parse("r.yml", []byte(text), Hash{}, earlier.lastGood(), testOptions())
	if diff := cmp.Diff(problems, p.problems); diff != "" {
		t.Errorf("%s: problems (-as a whole +in pieces):\n%s", name, diff)
	}
	if diff := cmp.Diff(groups, p.groups); diff != "" {
		t.Errorf("%s: groups (-as a whole +in pieces):\n%s", name, diff)
	}
	return &p
}

func TestProblemsOfAnEditAreThoseOfTheWholeFile(t *testing.T) {
	for _, edit := range [][2]string{
		{"sum(up)", "sum(up"},
		{"name: third", "name: first"},
		{"  - name: second", "  - nme: second"},
		{"expr: up == 0, labels", "expr: up == 0, label"},
		{"{summary", "[summary"},
		{"groups:", "group:"},
		{"team: alpha}\n", "team: [a}\n"},
	} {
		edited := strings.Replace(threeGroups, edit[0], edit[1], 1)
		earlier := reread(t, threeGroups)
		p := readsAsAWhole(t, edit[1], edited, &earlier)
		if len(p.problems) == 0 {
			t.Errorf("%s: no problem", edit[1])
		}
		mended := parse("r.yml", []byte(threeGroups), Hash{}, p.lastGood(), testOptions())
		for i := range earlier.groups {
			if &mended.groups[i].Rules[0] != &earlier.groups[i].Rules[0] {
				t.Errorf("%s: group %s was parsed again when the file was mended", edit[1], mended.groups[i].Key.Name)
			}
		}
	}
}

// A group whose aliases were counted when it was parsed counts as much when it is
// not parsed again.
func TestAliasesOfKnownGroupsCount(t *testing.T) {
	bomb := func(name string) string {
		return "- name: " + name + "\n  params:\n    a: &a [" + strings.Repeat("x,", 500) + "]\n" +
			"    <<: {b: *a}\n"
	}
	var earlier parsed
	text := "groups:\n"
	for _, name := range []string{"a", "b", "c"} {
		text += bomb(name)
		earlier = *readsAsAWhole(t, name, text, &earlier)
		d := newDecoder("r.yml", len(text), testOptions())
		if _, ok := d.readPieces([]byte(text), &earlier); !ok {
			t.Fatalf("%s: not read in pieces", name)
		}
		again := newDecoder("r.yml", len(text), testOptions())
		if _, ok := again.readPieces([]byte(text), new(parsed)); !ok || again.visits != d.visits {
			t.Errorf("%s: %d visits after an earlier version, %d without", name, d.visits, again.visits)
		}
	}
}

func TestCorpusIsReadInPiecesAsAWhole(t *testing.T) {
	table, err := os.ReadFile(filepath.Join(corpusDir, "EXPECTED.tsv"))
	if err != nil {
		t.Fatalf("the corpus of rule files must lie at %s, seen from the package: %v", corpusDir, err)
	}
	inPieces := 0
	for line := range strings.Lines(string(table)) {
		row := strings.Split(line, "\t")
		if row[1] != "rules" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(corpusDir, row[0]))
		if err != nil {
			t.Fatal(err)
		}
		p := readsAsAWhole(t, row[0], string(text), new(parsed))
		if p.pieces != nil {
			inPieces++
		}
	}
	if inPieces < 200 {
		t.Errorf("only %d files of the corpus are read in pieces", inPieces)
	}
}

// The loader itself hands the earlier version on, until the file is gone.
func TestLoaderParsesOnlyChangedGroups(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "a.yml", threeGroups)
	l := NewLoader(Options{Patterns: []string{"a.yml"}, ValidateExpressions: true})
	load := func() *Set {
		t.Helper()
		set, err := l.Load(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return set
	}
	first := load()
	writeFile(t, "a.yml", strings.Replace(threeGroups, "sum(up)", "max(up)", 1))
	second := load()
	if &first.Groups[0].Rules[0] != &second.Groups[0].Rules[0] {
		t.Error("a group was parsed again although it is unchanged")
	}
	if err := errors.Join(os.Remove("a.yml"), os.Mkdir("a.yml", 0o755)); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Load(context.Background()); err == nil {
		t.Fatal("a folder was read as a file")
	}
	if err := os.Remove("a.yml"); err != nil {
		t.Fatal(err)
	}
	writeFile(t, "a.yml", threeGroups)
	third := load()
	if &first.Groups[0].Rules[0] != &third.Groups[0].Rules[0] {
		t.Error("a group was parsed again after its file could not be read for a while")
	}
}

func TestFileThatIsGoneIsForgotten(t *testing.T) {
	write(t, "a.yml", "b.yml")
	l := NewLoader(Options{Patterns: []string{"*.yml"}})
	for _, want := range []int{2, 1} {
		set, err := l.Load(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if len(set.Groups) != want || len(l.known) != want {
			t.Errorf("%d groups, and %d files are remembered; want %d", len(set.Groups), len(l.known), want)
		}
		if err := os.Remove("a.yml"); err != nil && want == 2 {
			t.Fatal(err)
		}
	}
}
