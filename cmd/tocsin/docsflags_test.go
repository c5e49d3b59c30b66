package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// flagInText is a flag as pages write it; with a star it is all that begin so.
var flagInText = regexp.MustCompile("`-([a-zA-Z][A-Za-z0-9.]*)(\\*?)")

// flagInCommand is a flag with a dot in its name, as command lines have it.
var flagInCommand = regexp.MustCompile(`(?m)(?:^|[\s'"])--?([a-z]\w*(?:\.\w+)+)(\*?)(?:[=\s]|$)`)

// flagsOfOthers are flags of VictoriaMetrics that pages name.
var flagsOfOthers = map[string]bool{
	"dedup.minScrapeInterval": true, "search.latencyOffset": true, "storage.cacheSizeIndexDBTagFilters": true,
	"vmalert.proxyURL": true,
}

func TestPagesNameFlagsThatThereAre(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, e := range defineFlags().sorted() {
		names[e.Name] = true
	}
	seen := 0
	for _, page := range append(pages, "../../README.md", "../../docs/deploy/README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		found := flagInText.FindAllStringSubmatch(string(text), -1)
		for _, m := range append(found, flagInCommand.FindAllStringSubmatch(string(text), -1)...) {
			seen++
			if !names[m[1]] && !flagsOfOthers[m[1]] && !(m[2] != "" && beginsSome(names, m[1])) {
				t.Errorf("%s names -%s, which is no flag", page, m[1])
			}
		}
	}
	if seen < 300 {
		t.Errorf("found %d flags only", seen)
	}
}

// beginsSome returns whether some name begins with text.
func beginsSome(names map[string]bool, text string) bool {
	for name := range names {
		if strings.HasPrefix(name, text) {
			return true
		}
	}
	return false
}

// Who reads the page of differences learns of every flag that vmalert does not have.
func TestDifferencesNameEveryAdditionalFlag(t *testing.T) {
	text, err := os.ReadFile("../../docs/vmalert-differences.md")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{"h": true, "help": true}
	for _, flag := range allVmalertFlags(t) {
		known[flag.name] = true
	}
	for _, e := range defineFlags().sorted() {
		if !known[e.Name] && !strings.Contains(string(text), "`-"+e.Name+"`") {
			t.Errorf("the page does not name -%s", e.Name)
		}
	}
}
