package config

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"tocsin/internal/typo"
)

var groupKeys = []string{
	"name", "interval", "eval_offset", "eval_delay", "eval_alignment", "limit", "concurrency", "type",
	"params", "headers", "notifier_headers", "labels", "debug", "tenant", "rules",
}

// foreignGroupKeys are keys of other programs, with what to use instead.
var foreignGroupKeys = map[string]string{
	"query_offset":              "eval_delay does this",
	"partial_response_strategy": "only Thanos knows it; remove it",
	"extra_filter_labels":       "use params with extra_label",
	"source_tenants":            "only Mimir knows it; remove it",
}

// decodeGroup reads one group and adds it, problems or not: a file with problems
// is refused as a whole.
func (d *decoder) decodeGroup(n *yaml.Node, from dialect) {
	n = d.resolve(n)
	if n.Kind != yaml.MappingNode && !isNull(n) {
		d.wrongType(n, "groups", "a mapping for each group")
		return
	}
	before := len(d.problems)
	set := d.fields(n, "group")
	if f, ok := set.find("name"); ok {
		d.group = d.text(f.value, "name")
		d.placeSince(before)
	}
	g := Group{
		Key: Key{File: d.file, Name: d.group}, Line: n.Line, Type: d.defaults.Type,
		EvalDelay: Duration{Duration: d.defaults.EvalDelay}, EvalAlignment: true,
		Limit: d.defaults.Limit, Concurrency: 1,
	}
	var rules *yaml.Node
	for _, f := range set.list {
		if f.name == "rules" {
			rules = f.value
		} else if !d.groupSetting(&g, f) && !(from == prometheusRule && d.prometheusSetting(&g, f)) {
			d.unknownKey(f, groupKeys, foreignGroupKeys)
		}
	}
	d.checkName(&g)
	d.checkTiming(&g)
	d.settleTenant(&g, set)
	// Rules come last: they inherit from the group, whatever the order of its keys.
	if rules != nil {
		d.decodeRules(&g, rules)
	}
	d.groups = append(d.groups, g)
}

// groupSetting reads one key of a group; false if there is none of this name.
func (d *decoder) groupSetting(g *Group, f field) bool {
	switch f.name {
	case "name", "tenant": // see decodeGroup
	case "interval":
		g.Interval = d.duration(f.value, f.name).Duration
	case "eval_offset":
		g.EvalOffset = d.duration(f.value, f.name)
	case "eval_delay":
		if delay := d.duration(f.value, f.name); delay.Set {
			g.EvalDelay = delay
		}
	case "eval_alignment":
		g.EvalAlignment = d.boolean(f.value, f.name, g.EvalAlignment)
	case "limit":
		g.Limit = d.notNegative(f, g.Limit)
	case "concurrency":
		g.Concurrency = max(1, d.notNegative(f, g.Concurrency))
	case "type":
		g.Type = d.groupType(f)
	case "params":
		g.Params = d.params(f.value)
	case "headers":
		g.Headers = d.headers(f)
	case "notifier_headers":
		g.NotifierHeaders = d.headers(f)
	case "labels":
		g.Labels = d.labels(f.value)
	case "debug":
		g.Debug = d.boolean(f.value, f.name, false)
	default:
		return false
	}
	return true
}

// prometheusSetting reads a key that only a PrometheusRule's group has.
func (d *decoder) prometheusSetting(g *Group, f field) bool {
	switch f.name {
	case "query_offset":
		if delay := d.duration(f.value, f.name); delay.Set {
			g.EvalDelay = delay
		}
	case "partial_response_strategy":
	default:
		return false
	}
	return true
}

func (d *decoder) groupType(f field) Type {
	t := Type(d.text(f.value, f.name))
	if n := d.resolve(f.value); isNull(n) || n.Kind != yaml.ScalarNode {
		return d.defaults.Type
	}
	switch t {
	case Prometheus, Graphite, VLogs:
		return t
	default:
		hint := ""
		if near := typo.Nearest(string(t), []string{string(Prometheus), string(Graphite), string(VLogs)}); near != "" {
			hint = "did you mean " + near + "?"
		}
		d.problem(f.line, hint, "unknown type %q; expected prometheus, graphite or vlogs", clip(string(t)))
		return t
	}
}

func (d *decoder) notNegative(f field, was int) int {
	v := d.integer(f.value, f.name, was)
	if v < 0 {
		d.problem(f.line, "", "%s must not be negative, but is %d", f.name, v)
		return was
	}
	return v
}

func (d *decoder) params(n *yaml.Node) map[string][]string {
	set := d.fields(n, "params")
	if len(set.list) == 0 {
		return nil
	}
	params := make(map[string][]string, len(set.list))
	for _, f := range set.list {
		value := d.resolve(f.value)
		if value.Kind == yaml.ScalarNode && !isNull(value) {
			d.problem(value.Line, `write it as a list: ["..."]`, "params: expected a list of texts for %q", clip(f.name))
			continue
		}
		values := []string{}
		for _, item := range d.items(value, "params", "a list of texts") {
			values = append(values, d.text(item, "params"))
		}
		params[f.name] = values
	}
	return params
}

// headers reads a list of "Key: value". Its problems do not show what is written:
// it may be a password that lacks its key.
func (d *decoder) headers(f field) []Pair {
	var headers []Pair
	for _, item := range d.items(f.value, f.name, `a list of "Key: value"`) {
		item = d.resolve(item)
		if item.Kind != yaml.ScalarNode {
			d.problem(item.Line, "put the whole header in quotes", `%s: expected the text "Key: value", found %s`, f.name, describe(item))
			continue
		}
		name, value, found := strings.Cut(item.Value, ":")
		name = strings.TrimSpace(name)
		switch {
		case !found:
			d.problem(item.Line, "", `%s: expected "Key: value", found no colon`, f.name)
		case !isHeaderName(name):
			d.problem(item.Line, "", `%s: expected "Key: value", found a key that is not a valid header name`, f.name)
		default:
			headers = append(headers, Pair{name, strings.TrimSpace(value)})
		}
	}
	return headers
}

func isHeaderName(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}

// labels reads the labels of a group or a rule.
func (d *decoder) labels(n *yaml.Node) []Pair {
	pairs := d.pairs(n, "labels")
	for _, p := range pairs {
		switch p.Name {
		case "":
			d.problem(n.Line, "", "labels: a label needs a name")
		case "__name__":
			d.problem(n.Line, "the name of a recorded metric is the value of record", "labels: __name__ is not allowed")
		}
	}
	return pairs
}

// pairs reads a mapping of texts, sorted by name.
func (d *decoder) pairs(n *yaml.Node, what string) []Pair {
	set := d.fields(n, what)
	if len(set.list) == 0 {
		return nil
	}
	pairs := make([]Pair, 0, len(set.list))
	for _, f := range set.list {
		value := d.resolve(f.value)
		if value.Kind != yaml.ScalarNode {
			d.problem(value.Line, "", "%s: expected text for %q, found %s", what, clip(f.name), describe(value))
			continue
		}
		pairs = append(pairs, Pair{d.intern(f.name), d.intern(d.text(value, what))})
	}
	slices.SortFunc(pairs, func(a, b Pair) int { return strings.Compare(a.Name, b.Name) })
	return d.internList(pairs)
}
