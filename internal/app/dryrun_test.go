package app

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// corpusDir holds real rule files with the verdicts of other programs.
const corpusDir = "../../../shared/corpus"

// corpusRow is a rule file and what vmalert says of it.
type corpusRow struct {
	path          string
	good          bool
	withTemplates string // ok, fail, or - if not tried
}

func corpus(t *testing.T) []corpusRow {
	t.Helper()
	table, err := os.ReadFile(filepath.Join(corpusDir, "EXPECTED.tsv"))
	if err != nil {
		t.Fatalf("the corpus of rule files must lie at %s, seen from the package: %v", corpusDir, err)
	}
	var rows []corpusRow
	for line := range strings.Lines(string(table)) {
		cells := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if cells[1] == "rules" {
			rows = append(rows, corpusRow{filepath.Join(corpusDir, cells[0]), cells[7] == "ok", cells[9]})
		}
	}
	if len(rows) < 400 {
		t.Fatalf("only %d rule files in the corpus", len(rows))
	}
	return rows
}

// dryOptions are those of a dry run: no server is named.
func dryOptions(files ...string) Options {
	o := options(&world{datasource: unreachable, storage: unreachable, alertmanager: unreachable}, files...)
	o.Datasource.URL = ""
	return o
}

func TestDryRunAgreesWithVmalertOnCorpus(t *testing.T) {
	for _, row := range corpus(t) {
		out, err := dry(dryOptions(row.path))
		if good := err == nil; good != row.good {
			t.Errorf("%s: good is %v, vmalert's verdict is %v: %v", row.path, good, row.good, err)
		}
		if row.good && !strings.HasSuffix(out, " are valid\n") {
			t.Errorf("%s: the verdict is %q", row.path, out)
		}
		if !row.good && out != "" {
			t.Errorf("%s: printed %q of a bad file", row.path, out)
		}
	}
}

func TestDryRunWithTemplatesAgreesWithVmalertOnCorpus(t *testing.T) {
	tried := 0
	for _, row := range corpus(t) {
		if row.withTemplates == "-" {
			continue
		}
		tried++
		o := dryOptions(row.path)
		o.Rules.Templates = []string{filepath.Join(corpusDir, "rules/vmalert-testdata/templates/*good.tmpl")}
		if _, err := dry(o); (err == nil) != (row.withTemplates == "ok") {
			t.Errorf("%s: vmalert's verdict is %s: %v", row.path, row.withTemplates, err)
		}
	}
	if tried < 20 {
		t.Errorf("only %d files were tried with templates", tried)
	}
}

// What is wrong with a bad file of the corpus has a place: its line, or the file
// when it is about all of it.
func TestDryRunPlacesProblemsOfCorpus(t *testing.T) {
	for _, row := range corpus(t) {
		if row.good {
			continue
		}
		_, err := dry(dryOptions(row.path))
		if err == nil {
			t.Errorf("%s: no problem found", row.path)
			continue
		}
		for line := range strings.Lines(err.Error()) {
			if !strings.HasPrefix(line, row.path+":") {
				t.Errorf("%s: problem without a place: %q", row.path, line)
			}
		}
	}
}

func TestDryRunCountsWhatIsValid(t *testing.T) {
	out, err := dry(dryOptions(ruleFile(t, oneAlert), ruleFile(t, oneRecord)))
	if want := "2 rules in 2 groups are valid\n"; err != nil || out != want {
		t.Errorf("got %q, %v, want %q", out, err, want)
	}
}

func TestDryRunWithoutGroupsFails(t *testing.T) {
	pattern := filepath.Join(t.TempDir(), "*.yml")
	_, err := dry(dryOptions(pattern))
	if err == nil || !strings.Contains(err.Error(), pattern) {
		t.Errorf("got %v, want an error that names the pattern", err)
	}
}

func TestDryRunListsEveryProblemOfRulesAndTemplateFiles(t *testing.T) {
	dir := files(t, badFiles)
	o := dryOptions(filepath.Join(dir, "*.yml"))
	o.Rules.Templates = []string{filepath.Join(dir, "*.tmpl")}
	_, err := dry(o)
	expectProblems(t, dir, err, `expr.yml:6: group "g": rule "NoExpr": `, "broken.tmpl:2: ")
}

func TestDryRunLeavesNoConnection(t *testing.T) {
	w := newWorld(t)
	rules := w.serve(t, func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write([]byte(oneAlert)) })
	if _, err := dry(dryOptions(rules.URL + "/rules.yml")); err != nil {
		t.Fatal(err)
	}
	await(t, "the connection to the rule server is closed", func() bool { return w.connections(rules) == 0 })
}
