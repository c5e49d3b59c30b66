package app

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// imported is a package as go list shows it.
type imported struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

const module = "tocsin/"

func listPackages(t *testing.T) map[string]imported {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,Deps", module+"...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	all := make(map[string]imported)
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p imported
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimPrefix(p.ImportPath, module)] = p
	}
}

var quoted = regexp.MustCompile("`([^`]+)`")

// allowedImports reads the table of docs/architecture.md.
func allowedImports(t *testing.T) (allowed map[string][]string, order []string) {
	t.Helper()
	f, err := os.Open("../../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	allowed = make(map[string][]string)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		cells := strings.Split(lines.Text(), "|")
		if len(cells) != 5 {
			continue
		}
		name := quoted.FindStringSubmatch(cells[1])
		if name == nil {
			continue
		}
		order = append(order, name[1])
		for _, m := range quoted.FindAllStringSubmatch(cells[2], -1) {
			allowed[name[1]] = append(allowed[name[1]], m[1])
		}
		if strings.Contains(cells[2], "everything below") {
			allowed[name[1]] = []string{"..."}
		}
	}
	if len(order) < 10 {
		t.Fatalf("found %d packages in the table, is it still there?", len(order))
	}
	return allowed, order
}

func TestImportsPointDown(t *testing.T) {
	allowed, order := allowedImports(t)
	for name, p := range listPackages(t) {
		if name == "internal/e2e" || name == "internal/bench" || strings.Contains(name, "test") {
			continue
		}
		owner := owning(order, name)
		if owner == "" {
			t.Errorf("%s is not in the table of docs/architecture.md", name)
			continue
		}
		for _, path := range p.Imports {
			dep, own := strings.CutPrefix(path, module)
			if own && !mayImport(allowed[owner], owner, dep, order) {
				t.Errorf("%s imports %s, which docs/architecture.md does not allow", name, dep)
			}
		}
	}
}

// owning returns the package of the table to which the package name belongs.
func owning(order []string, name string) string {
	best := ""
	for _, o := range order {
		if (name == o || strings.HasPrefix(name, o+"/")) && len(o) > len(best) {
			best = o
		}
	}
	return best
}

func mayImport(allowed []string, owner, dep string, order []string) bool {
	if dep == owner || strings.HasPrefix(dep, owner+"/") || slices.Contains(allowed, dep) {
		return true
	}
	below := slices.Index(order, owning(order, dep)) > slices.Index(order, owner)
	return slices.Equal(allowed, []string{"..."}) && below
}

func TestLibrariesStayWhereTheyBelong(t *testing.T) {
	for lib, where := range map[string]*regexp.Regexp{
		"github.com/spf13/pflag":                         regexp.MustCompile(`^cmd/`),
		"gopkg.in/yaml.v3":                               regexp.MustCompile(`^config$`),
		"github.com/prometheus/prometheus/promql":        regexp.MustCompile(`^cmd/tocsin-tool`),
		"github.com/prometheus/prometheus/tsdb":          regexp.MustCompile(`^cmd/tocsin-tool`),
		"github.com/prometheus/prometheus/prompb":        regexp.MustCompile(`^(cmd/tocsin-tool|internal/e2e)`),
		"text/template":                                  regexp.MustCompile(`^internal/template$`),
		"github.com/VictoriaMetrics/metricsql":           regexp.MustCompile(`^(config|internal/(metricsql|relabel|template|web))$`),
		"github.com/prometheus/prometheus/promql/parser": regexp.MustCompile(`^(internal/metricsql|cmd/tocsin-tool.*)$`),
	} {
		for name, p := range listPackages(t) {
			if slices.Contains(p.Imports, lib) && !where.MatchString(name) {
				t.Errorf("%s imports %s", name, lib)
			}
		}
	}
}

// The query engine and the storage would triple the daemon's binary.
func TestDaemonDoesWithoutEngineAndStorage(t *testing.T) {
	for _, dep := range listPackages(t)["cmd/tocsin"].Deps {
		switch dep {
		case "github.com/prometheus/prometheus/promql", "github.com/prometheus/prometheus/tsdb":
			t.Errorf("the daemon depends on %s", dep)
		}
	}
}
