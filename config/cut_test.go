package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestFilesInUncommonStyleAreReadAsAWhole(t *testing.T) {
	for name, c := range map[string]struct {
		text   string
		groups int // pieces; 0 if it has to be read as a whole
	}{
		"usual":                          {threeGroups, 3},
		"start of a document":            {"---\n# c\ngroups:\n- name: a\n", 1},
		"list not indented":              {"groups:\n- name: a\n- name: b\n# end\n", 2},
		"spaces at the end of lines":     {"groups:  \n\n   \n- name: a\n   \n- name: b\n", 2},
		"no end of line":                 {"groups:\n- name: a\n- name: b", 2},
		"item on lines of its own":       {"groups:\n-\n  name: a\n-\n  name: b\n", 2},
		"nothing":                        {"", 0},
		"no groups":                      {"groups:\n", 0},
		"brackets":                       {"groups: [{name: a}]\n", 0},
		"brackets below":                 {"groups:\n  [{name: a}]\n", 0},
		"another key below":              {"groups:\n- name: a\nmore: 1\n", 0},
		"another key above":              {"more: 1\ngroups:\n- name: a\n", 0},
		"control character above":        {"# a\x01\ngroups:\n- name: a\n", 0},
		"invalid UTF-8 above":            {"# a\xff\ngroups:\n- name: a\n", 0},
		"other languages above":          {"# Größe\ngroups:\n- name: a\n", 1},
		"indented key":                   {" groups:\n - name: a\n", 0},
		"two documents":                  {"groups:\n- name: a\n---\ngroups:\n- name: b\n", 0},
		"two documents, indented":        {"groups:\n  - name: a\n---\ngroups:\n  - name: b\n", 0},
		"end of the document":            {"groups:\n- name: a\n...\n", 0},
		"directive":                      {"%YAML 1.1\n---\ngroups:\n- name: a\n", 0},
		"ends of line of other systems":  {"groups:\r\n- name: a\r\n", 0},
		"Unicode end of line":            {"groups:\n- name: a\n  labels: {a: \"b\u2028c\"}\n", 0},
		"item with a tab":                {"groups:\n-\tname: a\n", 0},
		"Kubernetes object":              {"kind: VMRule\nspec:\n  groups:\n  - name: a\n", 0},
		"text without indentation":       {"groups:\n- name: \"a\nb\"\n", 0},
		"item in less indentation":       {"groups:\n  - name: a\n - name: b\n", 0},
		"second item is no item":         {"groups:\n- name: a\n-b\n", 0},
		"anchor in another group":        {"groups:\n- name: a\n  labels: &l {a: b}\n- name: b\n  labels: *l\n", 0},
		"text in quotes as if an item":   {"groups:\n  - name: \"a\n  - name: b\"\n", 0},
		"brackets as if an item":         {"groups:\n- {name: a, labels: {a: b,\n- : c}}\n", 0},
		"block of text is not cut":       {"groups:\n- name: a\n  rules:\n  - alert: A\n    expr: |\n      up\n\n      - 1\n- name: b\n", 2},
		"comment within a block of text": {"groups:\n  - name: a\n    rules:\n    - alert: A\n      expr: |\n        up\n        # c\n  - name: b\n", 2},
	} {
		d := newDecoder("r.yml", len(c.text), testOptions())
		pieces, ok := d.readPieces([]byte(c.text), new(parsed))
		if ok != (c.groups > 0) || ok && len(pieces) != c.groups {
			t.Errorf("%s: read %d pieces, %v; want %d", name, len(pieces), ok, c.groups)
		}
		readsAsAWhole(t, name, c.text, new(parsed))
	}
}

// Whoever edits a file anyhow gets what a new start would give.
func TestEditedFileIsReadAsIfItWereNew(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines := strings.Split(threeGroups, "\n")
		earlier := new(parsed)
		for range rapid.IntRange(1, 5).Draw(t, "versions") {
			lines = editedLines(t, lines)
			earlier = readsAsAWhole(t, "edited", strings.Join(lines, "\n"), earlier)
		}
	})
}

// words are what may change the meaning of what stands around them.
var words = []string{
	"x", "#", " #", `"`, "'", "- ", "-", "[", "]", "{", "}", ":", ": ", ",", "|", ">-\n", "|1\n", "? ", "&a ", "*a", "<<: ",
	"!!int ", "\\", "\t", "\n", "\r", "\r\n", "---", "---\n", "...", "%YAML 1.1", "@", "- name: n", "groups:", "\ngroups:\n",
	"\x01", "\x85", "\xff", "é", "\u0085", "\u2028", "\u2029", "\ufeff",
}

// editedLines returns lines after an edit.
func editedLines(t *rapid.T, lines []string) []string {
	out := append([]string(nil), lines...)
	i := rapid.IntRange(0, len(out)-1).Draw(t, "line")
	j := rapid.IntRange(0, len(out)-1).Draw(t, "other line")
	switch rapid.IntRange(0, 6).Draw(t, "edit") {
	case 0: // move
		out[i], out[j] = out[j], out[i]
	case 1: // remove
		if len(out) > 1 {
			out = append(out[:i], out[i+1:]...)
		}
	case 2: // repeat
		out = append(out[:i], append([]string{out[j]}, out[i:]...)...)
	case 3: // indent
		out[i] = strings.Repeat(" ", rapid.IntRange(0, 6).Draw(t, "spaces")) + strings.TrimLeft(out[i], " ")
	case 4: // add a word
		word := rapid.SampledFrom(words).Draw(t, "word")
		at := rapid.IntRange(0, len(out[i])).Draw(t, "column")
		out[i] = out[i][:at] + word + out[i][at:]
	case 5: // rename
		out[i] = strings.Replace(out[i], "first", "renamed", 1)
	case 6: // leave
	}
	return out
}

func FuzzPieces(f *testing.F) {
	seeds, _ := filepath.Glob("testdata/problems/*.yml")
	for _, seed := range seeds {
		content, err := os.ReadFile(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(content), threeGroups)
	}
	f.Add(threeGroups, strings.Replace(threeGroups, "  - name: first", "  - name: new\n  - name: first", 1))
	f.Add(threeGroups, "groups:\n  - name: \"a\n  - name: b\"\n")
	f.Add("groups:\n- {name: a}\n- {name: b}\n", "---\ngroups:\n- {name: b}\n- {name: a}\n# end")
	f.Fuzz(func(t *testing.T, before, after string) {
		p := readsAsAWhole(t, "before", before, new(parsed))
		readsAsAWhole(t, "after", after, p)
	})
}
