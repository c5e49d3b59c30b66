package config

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// corpusDir holds real rule files with the verdicts of other programs.
const corpusDir = "../../shared/corpus"

// needsTemplates are the files that vmalert refuses for their templates, which
// this package does not read.
var needsTemplates = map[string]bool{
	"rules/vmalert-testdata/dir/rules0-bad.rules": true,
	"rules/vmalert-testdata/dir/rules2-bad.rules": true,
}

func TestVerdictOnCorpusIsVmalerts(t *testing.T) {
	table, err := os.ReadFile(filepath.Join(corpusDir, "EXPECTED.tsv"))
	if err != nil {
		t.Fatalf("the corpus of rule files must lie at %s, seen from the package: %v", corpusDir, err)
	}
	files := 0
	for line := range strings.Lines(string(table)) {
		row := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if row[1] != "rules" {
			continue
		}
		files++
		path, want := row[0], row[7] == "ok" || needsTemplates[row[0]]
		_, err := Load(context.Background(), Options{
			Patterns: []string{filepath.Join(corpusDir, path)}, ValidateExpressions: true,
		})
		got := err == nil
		if got != want {
			t.Errorf("%s: ok is %v, vmalert's is %v (%s): %v", path, got, want, row[8], err)
		}
	}
	if files < 400 {
		t.Errorf("only %d rule files in the corpus", files)
	}
}

// The corpus says how many groups and rules a YAML parser counts in each file.
func TestCorpusIsReadCompletely(t *testing.T) {
	table, err := os.ReadFile(filepath.Join(corpusDir, "EXPECTED.tsv"))
	if err != nil {
		t.Fatalf("the corpus of rule files must lie at %s, seen from the package: %v", corpusDir, err)
	}
	for line := range strings.Lines(string(table)) {
		row := strings.Split(line, "\t")
		if row[1] != "rules" || row[7] != "ok" {
			continue
		}
		set, err := Load(context.Background(), Options{Patterns: []string{filepath.Join(corpusDir, row[0])}})
		if err != nil {
			t.Errorf("%s: %v", row[0], err)
			continue
		}
		rules := 0
		for _, g := range set.Groups {
			rules += len(g.Rules)
		}
		if got, want := [2]string{strconv.Itoa(len(set.Groups)), strconv.Itoa(rules)}, [2]string{row[2], row[3]}; got != want {
			t.Errorf("%s: groups and rules: got %v, want %v", row[0], got, want)
		}
	}
}
