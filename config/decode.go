package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"tocsin/internal/typo"
)

// decoder reads the documents of one file. It goes on after a problem, so that all
// of them are found at once.
type decoder struct {
	file     string
	defaults Defaults
	validate bool // expressions

	groups   []Group
	names    map[string]int // of groups, with the line of the first
	texts    map[string]string
	lists    map[string][]Pair
	valid    map[expression]bool // what need not be checked again
	recalled bool                // texts and valid hold those of an earlier version
	problems Problems

	// Where the decoder is, for problems.
	group, rule string

	// An alias stands for all that its anchor holds, so a small file can be large
	// to read. These bound it.
	visits, maxVisits int
}

// expression is one in its language.
type expression struct {
	language Type
	text     string
}

func newDecoder(name string, size int, o *Options) *decoder {
	return &decoder{
		file: name, defaults: o.Defaults, validate: o.ValidateExpressions,
		names: map[string]int{}, texts: map[string]string{}, lists: map[string][]Pair{}, valid: map[expression]bool{},
		maxVisits: 10*size + 1000,
	}
}

// decodeFile returns the groups of a file and what is wrong with it, by line.
func decodeFile(name string, data []byte, o *Options) ([]Group, Problems) {
	d := newDecoder(name, len(data), o)
	documents := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var doc yaml.Node
		err := documents.Decode(&doc)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			d.syntax(err)
			break
		}
		if len(doc.Content) > 0 {
			d.document(doc.Content[0])
		}
	}
	if d.visits > d.maxVisits {
		return nil, Problems{{File: name, Message: "aliases make the file too large to read"}}
	}
	d.problems.Sort()
	return d.groups, d.problems
}

// document reads a list of groups or a Kubernetes object that holds one.
func (d *decoder) document(n *yaml.Node) {
	n = d.resolve(n)
	if n.Kind != yaml.MappingNode && !isNull(n) {
		d.wrongType(n, "document", `a mapping with the key "groups"`)
		return
	}
	set := d.fields(n, "document")
	if isObject(set) {
		d.object(set, n.Line, true)
		return
	}
	d.groupsOf(set, plainFile)
}

// groupsOf reads the only key that a document or a spec has.
func (d *decoder) groupsOf(set *fieldSet, from dialect) {
	for _, f := range set.list {
		if f.name != "groups" {
			d.unknownKey(f, []string{"groups"}, nil)
			continue
		}
		for _, item := range d.items(f.value, "groups", "a list of groups") {
			d.decodeGroup(item, from)
			d.group, d.rule = "", ""
		}
	}
}

func (d *decoder) problem(line int, hint, format string, args ...any) {
	d.problems = append(d.problems, Problem{
		File: d.file, Line: line, Group: d.group, Rule: d.rule,
		Message: fmt.Sprintf(format, args...), Hint: hint,
	})
}

// placeSince puts problems where the decoder is: those that came up, since there
// were n of them, before it knew.
func (d *decoder) placeSince(n int) {
	for i := range d.problems[n:] {
		d.problems[n+i].Group, d.problems[n+i].Rule = d.group, d.rule
	}
}

func (d *decoder) unknownKey(f field, known []string, hints map[string]string) {
	hint := hints[f.name]
	if hint == "" {
		if near := typo.Nearest(f.name, known); near != "" {
			hint = "did you mean " + strconv.Quote(near) + "?"
		}
	}
	d.problem(f.line, hint, "unknown key %q", clip(f.name))
}

var yamlLine = regexp.MustCompile(`^line (\d+): `)

// syntax reports an error of the YAML parser at the line it names.
func (d *decoder) syntax(err error) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 0
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = text[len(m[0]):]
	}
	hint := ""
	switch {
	case strings.Contains(text, "found a tab character"):
		hint = "YAML is indented by spaces, not by tabs"
	case strings.Contains(text, "found character that cannot start any token"):
		hint = "text that begins with a tab, %, @ or ` needs quotes"
	case strings.Contains(text, "did not find expected"):
		hint = "the fault may be further down, in what begins here"
	}
	d.problem(line, hint, "not valid YAML: %s", text)
}

// intern returns a text equal to s that all who ask share: label names and their
// values, and annotations often repeat.
func (d *decoder) intern(s string) string {
	if known, ok := d.texts[s]; ok {
		return known
	}
	d.texts[s] = s
	return s
}

// internList returns pairs equal to those given that all who ask share: labels and
// annotations often repeat from rule to rule.
func (d *decoder) internList(pairs []Pair) []Pair {
	var key []byte
	for _, p := range pairs {
		key = strconv.AppendInt(key, int64(len(p.Name)), 10)
		key = append(append(key, ':'), p.Name...)
		key = strconv.AppendInt(key, int64(len(p.Value)), 10)
		key = append(append(key, ':'), p.Value...)
	}
	if known, ok := d.lists[string(key)]; ok {
		return known
	}
	d.lists[string(key)] = pairs
	return pairs
}
