package app

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	docLink    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	docHeading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	notAnchor  = regexp.MustCompile("[^a-z0-9 _-]")
)

// readDocs returns the text of README.md and of every page below docs, by path.
func readDocs(t *testing.T) map[string]string {
	t.Helper()
	pages := map[string]string{}
	read := func(path string) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		pages[path] = string(text)
	}
	read(filepath.Join(root, "README.md"))
	err := filepath.WalkDir(filepath.Join(root, "docs"), func(path string, e fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".md") {
			read(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

// anchors returns what links may name within a page.
func anchors(text string) map[string]bool {
	names := map[string]bool{}
	for _, m := range docHeading.FindAllStringSubmatch(text, -1) {
		name := notAnchor.ReplaceAllString(strings.ToLower(m[1]), "")
		names[strings.ReplaceAll(name, " ", "-")] = true
	}
	return names
}

func TestLinksOfTheDocsLeadSomewhere(t *testing.T) {
	pages := readDocs(t)
	links := 0
	for path, text := range pages {
		for _, m := range docLink.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			links++
			file, anchor, named := strings.Cut(m[1], "#")
			target := path
			if file != "" {
				target = filepath.Join(filepath.Dir(path), file)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s: %v", path, m[1], err)
			} else if named && !anchors(pages[target])[anchor] {
				t.Errorf("%s links to %s, where there is no such heading", path, m[1])
			}
		}
	}
	if links < 50 {
		t.Errorf("found %d links only", links)
	}
}

// Who begins with README.md finds every page.
func TestReadmeNamesEveryPageOfTheDocs(t *testing.T) {
	pages := readDocs(t)
	readme := pages[filepath.Join(root, "README.md")]
	for path := range pages {
		page, err := filepath.Rel(root, path)
		if err != nil {
			t.Fatal(err)
		}
		page = strings.TrimSuffix(filepath.ToSlash(page), "/README.md")
		if page != "README.md" && !strings.Contains(readme, "]("+page+")") {
			t.Errorf("README.md does not name %s", page)
		}
	}
}
