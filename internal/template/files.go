package template

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template/parse"

	"github.com/bmatcuk/doublestar/v4"
)

// file is a template file as read.
type file struct {
	path string
	text string
}

type foundFiles struct {
	files     []file
	unmatched []string // patterns that named no file
}

// readFiles reads the files that the patterns name: in the order of the
// patterns, sorted within one, each file once.
func readFiles(patterns []string, maxSize int64) (foundFiles, error) {
	var found foundFiles
	var errs []error
	seen := make(map[string]bool)
	for _, p := range patterns {
		paths, err := doublestar.FilepathGlob(p, doublestar.WithFilesOnly())
		if err != nil {
			errs = append(errs, fmt.Errorf("template files %q: %w", p, err))
			continue
		}
		switch {
		case len(paths) > 0:
		case hasMeta(p):
			found.unmatched = append(found.unmatched, p)
		default:
			errs = append(errs, fmt.Errorf("template file %s: %w", p, cause(p)))
		}
		slices.Sort(paths)
		for _, path := range paths {
			if seen[path] {
				continue
			}
			seen[path] = true
			text, err := readFile(path, maxSize)
			if errors.Is(err, fs.ErrNotExist) {
				// Mounted configuration is replaced by swapping a link: what was listed
				// a moment ago may be gone.
				continue
			}
			if err != nil {
				errs = append(errs, fmt.Errorf("template file: %w", err))
				continue
			}
			found.files = append(found.files, file{path, text})
		}
	}
	return found, errors.Join(errs...)
}

// hasMeta reports whether p is a pattern rather than a path.
func hasMeta(p string) bool { return strings.ContainsAny(p, `*?[{\`) }

// cause returns why path is no file to read.
func cause(path string) error {
	if _, err := os.Stat(path); err != nil {
		return fs.ErrNotExist
	}
	return errors.New("not a regular file")
}

func readFile(path string, maxSize int64) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	var r io.Reader = f
	if maxSize > 0 {
		r = io.LimitReader(f, maxSize+1)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	if maxSize > 0 && int64(len(text)) > maxSize {
		return "", fmt.Errorf("%s is larger than %d bytes", path, maxSize)
	}
	return string(text), nil
}

// parseFiles returns the templates of all files by name. Each file is a
// template too, named by the last element of its path. Of two templates with
// one name the later counts, unless it is empty.
func parseFiles(files []file) (map[string]*parse.Tree, error) {
	all := make(map[string]*parse.Tree)
	var errs []error
	for _, f := range files {
		name := filepath.Base(f.path)
		main, trees, err := parseTrees(name, f.text)
		if err != nil {
			errs = append(errs, placeInFile(f.path, name, err))
			continue
		}
		addTree(all, name, main)
		for name, tree := range trees {
			addTree(all, name, tree)
		}
	}
	return all, errors.Join(errs...)
}

func addTree(all map[string]*parse.Tree, name string, tree *parse.Tree) {
	if all[name] == nil || !parse.IsEmptyTree(tree.Root) {
		all[name] = tree
	}
}

// digest identifies what an engine is made of.
func digest(o Options, files []file) [sha256.Size]byte {
	h := sha256.New()
	hashText(h, o.ExternalURL)
	for _, l := range o.ExternalLabels {
		hashText(h, l.Name)
		hashText(h, l.Value)
	}
	hashText(h, "files")
	for _, f := range files {
		hashText(h, filepath.Base(f.path))
		hashText(h, f.text)
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// hashText adds s to h so that no two sequences of texts look alike.
func hashText(h hash.Hash, s string) {
	var size [8]byte
	binary.LittleEndian.PutUint64(size[:], uint64(len(s)))
	h.Write(size[:])
	io.WriteString(h, s)
}
