package discovery

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// glob returns what filepath.Glob does, sorted in each directory, but for its errors:
// that passes over directories which cannot be read, as if nothing were in them.
func glob(pattern string) ([]string, error) {
	if _, err := filepath.Match(pattern, ""); err != nil {
		return nil, err
	}
	if !strings.ContainsAny(pattern, `*?[\`) {
		_, err := os.Lstat(pattern)
		if err != nil {
			return nil, unlessGone(err)
		}
		return []string{pattern}, nil
	}
	dirs, err := glob(filepath.Dir(pattern))
	if err != nil {
		return nil, err
	}
	var names []string
	for _, dir := range dirs {
		entries, err := entriesOf(dir)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			// The pattern was checked above.
			if ok, _ := filepath.Match(filepath.Base(pattern), e.Name()); ok {
				names = append(names, filepath.Join(dir, e.Name()))
			}
		}
	}
	return names, nil
}

// entriesOf returns what is in a directory; nothing if it is gone or is none.
func entriesOf(dir string) ([]fs.DirEntry, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, unlessGone(err)
	}
	if !info.IsDir() {
		return nil, nil
	}
	entries, err := os.ReadDir(dir)
	return entries, unlessGone(err)
}

// unlessGone returns err, or nil if it says that something is not there.
func unlessGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
