package config

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// root returns the mapping that a document is, which must have no problems yet.
func root(t *testing.T, text string) (*Document, *Mapping) {
	t.Helper()
	doc := ParseDocument("f.yml", []byte(text))
	if problems := doc.Problems(); len(problems) > 0 || doc.Root() == nil {
		t.Fatal(problems)
	}
	return doc, doc.Root()
}

func TestMappingGivesWhatIsWritten(t *testing.T) {
	doc, m := root(t, `
text: 12
flag: yes
number: 7
wait: 1m
list: [a, 1]
nested: [a, [b, [c]]]
pairs: {b: 2, a: 1}
inner: {key: value}
inners: [{key: one}, null, {key: two}]
empty:
`)
	if got := m.Text("text"); got != "12" {
		t.Errorf("text %q", got)
	}
	if !m.Bool("flag", false) || !m.Bool("none", true) || m.Int("number") != 7 || m.Int("none") != 0 {
		t.Error("flag or number")
	}
	if diff := cmp.Diff(Duration{time.Minute, true}, m.Duration("wait")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"a", "1"}, m.Texts("list")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"a", "b", "c"}, m.TextOrTexts("nested")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"12"}, m.TextOrTexts("text")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]Pair{{"a", "1"}, {"b", "2"}}, m.Pairs("pairs")); diff != "" {
		t.Error(diff)
	}
	if inner := m.Mapping("inner"); inner.Text("key") != "value" || inner.Line() != 9 {
		t.Errorf("inner %+v", inner)
	}
	var inners []string
	for _, inner := range m.Mappings("inners") {
		inners = append(inners, inner.Text("key"))
	}
	if diff := cmp.Diff([]string{"one", "", "two"}, inners); diff != "" {
		t.Error(diff)
	}
	if m.Has("empty") || !m.Has("inner") || m.OptionalText("empty") != nil || m.Mapping("empty") != nil || m.LineOf("empty") != 11 {
		t.Error("what is empty is taken for something")
	}
	m.Done(nil)
	if problems := doc.Problems(); len(problems) > 0 {
		t.Error(problems)
	}
}

func TestKeysNobodyAsksForAreProblems(t *testing.T) {
	doc, m := root(t, "known: 1\nknowm: 2\nold: 3\n")
	m.Text("known")
	m.Done(map[string]string{"old": "use known"})
	want := "f.yml:2: unknown key \"knowm\" (did you mean \"known\"?)\nf.yml:3: unknown key \"old\" (use known)"
	if got := doc.Problems().Error(); got != want {
		t.Error(got)
	}
	if m.Found() != 2 {
		t.Errorf("found %d", m.Found())
	}
}

func TestAnchorsAndMergedKeysOfADocument(t *testing.T) {
	_, m := root(t, "base: &b {a: 1, b: 2}\nuse: {<<: *b, b: 3}\n")
	if diff := cmp.Diff([]Pair{{"a", "1"}, {"b", "3"}}, m.Pairs("use")); diff != "" {
		t.Error(diff)
	}
}

// What stands at a wrong place may be a secret.
func TestProblemsOfADocumentQuoteNoMisplacedText(t *testing.T) {
	for _, text := range []string{"hunter2", "a: *hunter2", "a: hunter2"} {
		doc := ParseDocument("f.yml", []byte(text))
		if m := doc.Root(); m != nil {
			m.Mapping("a")
			m.Pairs("a")
		}
		if err := doc.Problems().Error(); err == "" || strings.Contains(err, "hunter2") {
			t.Errorf("%s: %s", text, err)
		}
	}
}

func TestAliasesCannotMultiplyADocument(t *testing.T) {
	var b strings.Builder
	b.WriteString("l0: &l0 [x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 9; i++ {
		name, before := string(rune('0'+i)), string(rune('0'+i-1))
		b.WriteString("l" + name + ": &l" + name + " [" + strings.TrimSuffix(strings.Repeat("*l"+before+", ", 8), ", ") + "]\n")
	}
	doc, m := root(t, b.String())
	m.TextOrTexts("l8")
	if got := doc.Problems().Error(); got != "f.yml: aliases make the file too large to read" {
		t.Error(got)
	}
}

func TestLoadDocumentEndsWithItsContext(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := LoadDocument(ended, "http://127.0.0.1:1/", Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
