package app

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// Where words have 32 bits, functions of sync/atomic for 64 bits end the process
// unless their variable happens to be aligned; its types see to that themselves.
func TestNothingDependsOnTheAlignmentOf64Bits(t *testing.T) {
	seen := 0
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if pkg, ok := s.X.(*ast.Ident); ok && pkg.Name == "atomic" {
					seen++
					if name := s.Sel.Name; strings.HasSuffix(name, "64") && name != "Int64" && name != "Uint64" {
						t.Errorf("%s uses atomic.%s", path, name)
					}
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen == 0 {
		t.Error("no use of sync/atomic was found")
	}
}
