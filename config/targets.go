package config

import "gopkg.in/yaml.v3"

// TargetGroup is addresses with the labels that they share, as files of service
// discovery list them.
type TargetGroup struct {
	Targets []string
	Labels  []Pair // sorted by name
}

// ParseTargetGroups reads a YAML or JSON list of groups of targets. An empty file is a
// problem, for it may be one that is being written; the empty list is not. An error
// is Problems.
func ParseTargetGroups(name string, data []byte) ([]TargetGroup, error) {
	d := newDecoder(name, len(data), &Options{})
	var groups []TargetGroup
	if content := d.content(yamlOf(data)); content != nil {
		groups = d.targetGroups(content)
	}
	if d.visits > d.maxVisits {
		return nil, Problems{{File: name, Message: "aliases make the file too large to read"}}
	}
	if len(d.problems) > 0 {
		d.problems.Sort()
		return nil, d.problems
	}
	return groups, nil
}

func (d *decoder) targetGroups(n *yaml.Node) []TargetGroup {
	var groups []TargetGroup
	for _, item := range d.items(n, "file", "a list of groups of targets") {
		if isNull(d.resolve(item)) {
			d.problem(item.Line, "", "a group of targets is empty")
			continue
		}
		m := d.mapping(item, "group of targets")
		if m == nil {
			continue
		}
		g := TargetGroup{Targets: m.Texts("targets"), Labels: m.Pairs("labels")}
		m.Done(nil)
		groups = append(groups, g)
	}
	return groups
}
