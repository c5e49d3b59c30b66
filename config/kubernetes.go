package config

import (
	"strconv"

	"gopkg.in/yaml.v3"
)

// dialect is where a group comes from, which decides on the keys it may have.
type dialect uint8

const (
	plainFile dialect = iota // and VMRule
	// prometheusRule has two keys more than a file: query_offset, which is
	// eval_delay by another name, and partial_response_strategy, which only Thanos
	// reads.
	prometheusRule
)

const objectHint = "PrometheusRule, VMRule and lists of them are read"

// isObject reports whether a document is a Kubernetes object.
func isObject(set *fieldSet) bool {
	if _, ok := set.find("kind"); !ok {
		return false
	}
	for _, name := range []string{"apiVersion", "spec", "items"} {
		if _, ok := set.find(name); ok {
			return true
		}
	}
	return false
}

// object reads the groups of a PrometheusRule or VMRule, or those of a list of
// them where lists are allowed.
func (d *decoder) object(set *fieldSet, line int, lists bool) {
	kindField, _ := set.find("kind")
	if kindField.value == nil {
		d.problem(line, objectHint, "object without kind")
		return
	}
	kind := d.text(kindField.value, "kind")
	content, from := "spec", plainFile
	switch {
	case kind == "PrometheusRule":
		from = prometheusRule
	case kind == "VMRule":
	case lists && (kind == "List" || kind == "PrometheusRuleList" || kind == "VMRuleList"):
		content = "items"
	default:
		d.problem(kindField.line, objectHint, "kind %q holds no rules", clip(kind))
		return
	}
	known := []string{"apiVersion", "kind", "metadata", "status", content}
	for _, f := range set.list {
		switch f.name {
		case "apiVersion", "kind", "metadata", "status":
		case content:
			if content == "items" {
				d.objects(f.value)
			} else {
				d.groupsOf(d.fields(f.value, "spec"), from)
			}
		default:
			d.unknownKey(f, known, nil)
		}
	}
}

func (d *decoder) objects(n *yaml.Node) {
	for i, item := range d.items(n, "items", "a list of objects") {
		item = d.resolve(item)
		d.object(d.fields(item, "item "+strconv.Itoa(i+1)), item.Line, false)
	}
}
