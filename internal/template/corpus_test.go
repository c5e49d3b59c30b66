package template

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"tocsin/config"
)

// corpus is a directory of rule files that other programs are published with. It
// is not part of this tree; without it the tests on it are skipped.
const corpus = "../../../shared/corpus"

// refusedTexts are the files whose templates vmalert refuses.
var refusedTexts = []string{
	"rules/vmalert-testdata/dir/rules0-bad.rules",
	"rules/vmalert-testdata/dir/rules2-bad.rules",
}

// failingTexts compile and fail for every alert, in vmalert too.
var failingTexts = []string{"$.labels.service", "{{ value|query }}"}

type corpusFile struct {
	Groups []corpusGroup
	Spec   struct{ Groups []corpusGroup }
}

type corpusGroup struct {
	Rules []struct {
		Alert       string
		Labels      map[string]string
		Annotations map[string]string
	}
}

// corpusPaths returns the rule files that vmalert's dry run was tried on.
func corpusPaths(t *testing.T) []string {
	t.Helper()
	f, err := os.Open(filepath.Join(corpus, "EXPECTED.tsv"))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("no corpus of rule files beside this tree")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var paths []string
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		columns := strings.Split(lines.Text(), "\t")
		if len(columns) > 1 && columns[1] == "rules" {
			paths = append(paths, columns[0])
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return paths
}

// groups returns what can be read of a file; the corpus has broken ones.
func groups(t *testing.T, path string) []corpusGroup {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(corpus, path))
	if err != nil {
		t.Fatal(err)
	}
	var all []corpusGroup
	for dec := yaml.NewDecoder(strings.NewReader(string(b))); ; {
		var f corpusFile
		err := dec.Decode(&f)
		if errors.Is(err, io.EOF) {
			return all
		}
		all = append(append(all, f.Groups...), f.Spec.Groups...)
		if err != nil {
			return all
		}
	}
}

func pairs(m map[string]string) []config.Pair {
	var ps []config.Pair
	for name, value := range m {
		ps = append(ps, config.Pair{Name: name, Value: value})
	}
	slices.SortFunc(ps, func(a, b config.Pair) int { return strings.Compare(a.Name, b.Name) })
	return ps
}

// TestCorpusCompilesAsInVmalert compiles every text with and without template
// files, and compares how each expands with text/template.
func TestCorpusCompilesAsInVmalert(t *testing.T) {
	paths := corpusPaths(t)
	bare := load(t, nil)
	withFiles, err := Load(Options{Files: []string{filepath.Join(corpus, "rules/vmalert-testdata/templates/*good.tmpl")}})
	if err != nil {
		t.Fatal(err)
	}
	var share [4]int // texts by how they are expanded; 0 are those refused
	for _, e := range []*Engine{bare, withFiles} {
		for _, path := range paths {
			refused := false
			for _, g := range groups(t, path) {
				for _, r := range g.Rules {
					if r.Alert == "" {
						continue
					}
					_, labelErr := e.CompileLabels(pairs(r.Labels))
					_, annotationErr := e.CompileAnnotations(pairs(r.Annotations))
					refused = refused || labelErr != nil || annotationErr != nil
					for _, p := range append(pairs(r.Labels), pairs(r.Annotations)...) {
						share[tier(t, e, p.Value)]++
					}
				}
			}
			if want := slices.Contains(refusedTexts, path); refused != want {
				t.Errorf("%s: refused %v, want %v", path, refused, want)
			}
		}
	}
	constant, operations, executed := share[1], share[2], share[3]
	t.Logf("constant %d, operations %d, text/template %d, refused %d", constant, operations, executed, share[0])
	if all := constant + operations + executed; (constant+operations)*100 < all*99 {
		t.Errorf("of %d texts %d need text/template", all, executed)
	}
}

// tier returns how a text is expanded, and checks that it is right.
func tier(t *testing.T, e *Engine, text string) int {
	t.Helper()
	prog, err := compileText(e.core, annotationText, text)
	if err != nil {
		return 0
	}
	checkSame(t, e, alert(), text)
	switch _, kept := prog.constant(text); {
	case kept == nil:
		return 1
	case prog.fast:
		return 2
	}
	d := alert()
	d.Query = samples
	x, err := prog.execution(e.core)
	if err != nil {
		t.Fatal(err)
	}
	_, err = x.run(context.Background(), e.core, d, nil)
	fails := slices.ContainsFunc(failingTexts, func(s string) bool { return strings.Contains(text, s) })
	if (err != nil) != fails {
		t.Errorf("%q: error %v, want one: %v", text, err, fails)
	}
	return 3
}
