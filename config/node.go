package config

import (
	"fmt"

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
