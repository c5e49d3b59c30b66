package config

import (
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

var ruleKeys = []string{
	"record", "alert", "expr", "for", "keep_firing_for", "labels", "annotations", "debug", "update_entries_limit",
}

// foreignRuleKeys are keys that do not belong to a rule, with what to use instead.
var foreignRuleKeys = map[string]string{
	"interval":    "it is a key of the group",
	"limit":       "it is a key of the group",
	"eval_delay":  "it is a key of the group",
	"eval_offset": "it is a key of the group",
	"name":        "use alert or record",
	"severity":    "put it under labels",
	"summary":     "put it under annotations",
	"description": "put it under annotations",
	"runbook_url": "put it under annotations",
}

// decodeRules reads the rules of a group.
func (d *decoder) decodeRules(g *Group, n *yaml.Node) {
	items := d.items(n, "rules", "a list of rules")
	if len(items) == 0 {
		return
	}
	g.Rules = make([]Rule, 0, len(items))
	first := make(map[uint64]int, len(items)) // of equal rules, into g.Rules
	for _, item := range items {
		d.rule = ""
		item = d.resolve(item)
		if item.Kind != yaml.MappingNode && !isNull(item) {
			d.wrongType(item, "rules", "a mapping for each rule")
			continue
		}
		r := d.decodeRule(g, item)
		g.Rules = append(g.Rules, r)
		id := r.ID()
		if i, found := first[id]; !found {
			first[id] = len(g.Rules) - 1
		} else if r.Name != "" {
			d.problem(r.Line, "", "the same as the rule at line %d: %s", g.Rules[i].Line, printed(&r))
		}
	}
	joinTexts(g.Rules)
}

func (d *decoder) decodeRule(g *Group, n *yaml.Node) Rule {
	before := len(d.problems)
	set := d.fields(n, "rule")
	r := Rule{Line: n.Line, Debug: g.Debug, UpdateEntries: d.defaults.UpdateEntries}
	d.nameRule(&r, set)
	d.placeSince(before)
	expr := field{line: n.Line}
	for _, f := range set.list {
		if f.name == "expr" {
			expr = f
		}
		if !d.ruleSetting(&r, f) {
			d.unknownKey(f, ruleKeys, foreignRuleKeys)
		}
	}
	d.checkExpr(g.Type, r.Expr, expr.line)
	return r
}

// nameRule finds out what kind of rule it is and what it is called, which the
// problems of its other keys need.
func (d *decoder) nameRule(r *Rule, set *fieldSet) {
	var record, alert string
	if f, ok := set.find("record"); ok {
		record = d.text(f.value, f.name)
	}
	if f, ok := set.find("alert"); ok {
		alert = d.text(f.value, f.name)
	}
	r.Name = record
	if alert != "" {
		r.Kind, r.Name = Alerting, alert
	}
	d.rule = r.Name
	switch {
	case record != "" && alert != "":
		d.problem(r.Line, "make it two rules", "a rule has either record or alert, this one has both")
	case record == "" && alert == "":
		d.problem(r.Line, "", "a rule needs record or alert")
	}
}

// ruleSetting reads one key of a rule; false if there is none of this name.
func (d *decoder) ruleSetting(r *Rule, f field) bool {
	switch f.name {
	case "record", "alert":
	case "expr":
		r.Expr = d.text(f.value, f.name)
	case "for":
		r.For = d.period(f)
	case "keep_firing_for":
		r.KeepFiringFor = d.period(f)
	case "labels":
		r.Labels = d.labels(f.value)
	case "annotations":
		r.Annotations = d.pairs(f.value, f.name)
	case "debug":
		r.Debug = d.boolean(f.value, f.name, r.Debug)
	case "update_entries_limit":
		r.UpdateEntries = max(1, d.integer(f.value, f.name, r.UpdateEntries))
	default:
		return false
	}
	return true
}

// joinTexts puts the names and expressions of rules, which are read one by one
// among much that is only needed meanwhile, into one piece of memory.
func joinTexts(rules []Rule) {
	var all strings.Builder
	for i := range rules {
		all.WriteString(rules[i].Name)
		all.WriteString(rules[i].Expr)
	}
	rest := strings.Clone(all.String())
	for i := range rules {
		r := &rules[i]
		r.Name, rest = rest[:len(r.Name)], rest[len(r.Name):]
		r.Expr, rest = rest[:len(r.Expr)], rest[len(r.Expr):]
	}
}

// period reads a duration that must not be negative.
func (d *decoder) period(f field) time.Duration {
	v := d.duration(f.value, f.name).Duration
	if v < 0 {
		d.problem(f.line, "", "%s must not be negative, but is %s", f.name, v)
		return 0
	}
	return v
}

// printed shows what makes a rule the same as another.
func printed(r *Rule) string {
	var b strings.Builder
	b.WriteString(r.Kind.String() + " rule " + r.Name + "; expr: " + strings.Join(strings.Fields(r.Expr), " "))
	separator := "; labels: "
	for _, l := range r.Labels {
		b.WriteString(separator + l.Name + "=" + l.Value)
		separator = ", "
	}
	return b.String()
}
