package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// field is one key of a mapping with its value.
type field struct {
	name  string
	line  int
	value *yaml.Node
}

// fieldSet is the keys of a mapping in the order written, merged ones last.
type fieldSet struct {
	list  []field
	index map[string]int // into list; nil while list is short
}

// linearFields is how many fields are searched faster than they are indexed.
const linearFields = 16

func (s *fieldSet) find(name string) (field, bool) {
	if s.index != nil {
		i, ok := s.index[name]
		if !ok {
			return field{}, false
		}
		return s.list[i], true
	}
	for _, f := range s.list {
		if f.name == name {
			return f, true
		}
	}
	return field{}, false
}

func (s *fieldSet) add(f field) {
	s.list = append(s.list, f)
	if s.index != nil {
		s.index[f.name] = len(s.list) - 1
	} else if len(s.list) > linearFields {
		s.index = make(map[string]int, 2*len(s.list))
		for i, f := range s.list {
			s.index[f.name] = i
		}
	}
}

// fields returns the keys of a mapping, those of "<<" included. Nothing at all
// stands for an empty mapping. what names the node in problems.
func (d *decoder) fields(n *yaml.Node, what string) *fieldSet {
	n = d.resolve(n)
	set := &fieldSet{}
	switch {
	case isNull(n):
	case n.Kind == yaml.MappingNode:
		set.list = make([]field, 0, len(n.Content)/2)
		d.addFields(set, n, false, maxMerges)
	default:
		d.wrongType(n, what, "a mapping of keys to values")
	}
	return set
}

// maxMerges bounds how deep "<<" may nest; a mapping can even merge itself.
const maxMerges = 8

// addFields adds the keys of n. A merged key yields to one that is there already;
// one that is written twice is a problem.
func (d *decoder) addFields(set *fieldSet, n *yaml.Node, merged bool, depth int) {
	var merges []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := d.resolve(n.Content[i]), n.Content[i+1]
		if key.Kind != yaml.ScalarNode {
			d.wrongType(key, "key", "text")
			continue
		}
		if key.Tag == "!!merge" {
			merges = append(merges, value)
			continue
		}
		if first, found := set.find(key.Value); found {
			if !merged {
				d.problem(key.Line, fmt.Sprintf("the first is at line %d", first.line), "key %q is given twice", clip(key.Value))
			}
			continue
		}
		set.add(field{key.Value, key.Line, value})
	}
	for _, m := range merges {
		d.merge(set, m, depth-1)
	}
}

// merge adds the keys of what stands behind "<<": a mapping or a list of them.
func (d *decoder) merge(set *fieldSet, n *yaml.Node, depth int) {
	n = d.resolve(n)
	switch {
	case depth < 0:
		d.problem(n.Line, "", "mappings are merged too deeply")
	case n.Kind == yaml.MappingNode:
		d.addFields(set, n, true, depth)
	case n.Kind == yaml.SequenceNode:
		for _, item := range n.Content {
			d.merge(set, item, depth-1)
		}
	default:
		d.wrongType(n, "<<", "a mapping")
	}
}

// items returns the elements of a list; nothing at all stands for an empty one.
func (d *decoder) items(n *yaml.Node, what, expected string) []*yaml.Node {
	n = d.resolve(n)
	switch {
	case isNull(n):
		return nil
	case n.Kind == yaml.SequenceNode:
		return n.Content
	}
	d.wrongType(n, what, expected)
	return nil
}

// text returns a scalar as written. Numbers and the like are texts too, nothing
// at all is the empty one.
func (d *decoder) text(n *yaml.Node, what string) string {
	n = d.resolve(n)
	switch {
	case isNull(n):
		return ""
	case n.Kind != yaml.ScalarNode:
		d.wrongType(n, what, "text")
		return ""
	}
	return n.Value
}

// boolean returns a truth value, in any spelling of YAML 1.1; otherwise, or when
// it is not given, what it was.
func (d *decoder) boolean(n *yaml.Node, what string, was bool) bool {
	n = d.resolve(n)
	if isNull(n) {
		return was
	}
	if n.Kind == yaml.ScalarNode && isPlain(n) {
		switch strings.ToLower(n.Value) {
		case "true", "yes", "on", "y":
			return true
		case "false", "no", "off", "n":
			return false
		}
	}
	d.wrongType(n, what, "true or false")
	return was
}

// integer returns a whole number; otherwise, or when it is not given, what it was.
func (d *decoder) integer(n *yaml.Node, what string, was int) int {
	n = d.resolve(n)
	if isNull(n) {
		return was
	}
	if n.Kind == yaml.ScalarNode {
		switch n.Tag {
		case "!!int":
			if v, err := strconv.ParseInt(n.Value, 0, 0); err == nil {
				return int(v)
			}
		case "!!float":
			v, err := strconv.ParseFloat(n.Value, 64)
			if err == nil && v == math.Trunc(v) && math.Abs(v) < 1<<53 {
				return int(v)
			}
		}
	}
	d.wrongType(n, what, "a whole number")
	return was
}

// duration returns a duration, Set if it is given.
func (d *decoder) duration(n *yaml.Node, what string) Duration {
	n = d.resolve(n)
	if isNull(n) {
		return Duration{}
	}
	if n.Kind == yaml.ScalarNode {
		if v, err := parseDuration(n.Value); err == nil {
			return Duration{Duration: v, Set: true}
		}
	}
	hint := ""
	if strings.HasSuffix(n.Value, "M") {
		hint = "minutes are a small m"
	}
	d.problem(n.Line, hint, "%s: expected a duration such as 30s, 1h30m or 1.5d, found %s", what, describe(n))
	return Duration{}
}

// resolve returns what an alias stands for.
func (d *decoder) resolve(n *yaml.Node) *yaml.Node {
	d.visits++
	if d.visits > d.maxVisits {
		return nothing
	}
	for range maxMerges {
		if n.Kind != yaml.AliasNode {
			return n
		}
		n = n.Alias
	}
	return nothing
}

// nothing is the value of a key without one.
var nothing = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"}

func isNull(n *yaml.Node) bool {
	return n.Kind == 0 || n.Kind == yaml.ScalarNode && n.Tag == "!!null"
}

// isPlain reports whether a scalar is written without quotes or blocks.
func isPlain(n *yaml.Node) bool {
	return n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0
}

func (d *decoder) wrongType(n *yaml.Node, what, expected string) {
	d.problem(n.Line, "", "%s: expected %s, found %s", what, expected, describe(n))
}

// describe says what a node is, and of a text what it says.
func describe(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case isNull(n):
		return "nothing"
	case n.Tag == "!!str":
		return "the text " + strconv.Quote(clip(n.Value))
	}
	return clip(n.Value)
}

// clip shortens what a message quotes.
func clip(s string) string {
	const most = 60
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "..."
}
