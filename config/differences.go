package config

import "reflect"

// groupSettings and ruleSettings are the keys of rule files by the fields that
// hold them. Fields that
// are missing here are compared on their own: identity, place and rules.
var groupSettings = map[string]string{
	"Type": "type", "Interval": "interval", "EvalOffset": "eval_offset", "EvalDelay": "eval_delay",
	"EvalAlignment": "eval_alignment", "Limit": "limit", "Concurrency": "concurrency",
	"Params": "params", "Headers": "headers", "NotifierHeaders": "notifier_headers",
	"Labels": "labels", "Debug": "debug", "Tenant": "tenant",
}

var ruleSettings = map[string]string{
	"Expr": "expr", "For": "for", "KeepFiringFor": "keep_firing_for", "Labels": "labels",
	"Annotations": "annotations", "Debug": "debug", "UpdateEntries": "update_entries_limit",
}

// Differences returns the keys under which rule files give the settings of the
// group that differ between g and o, in the order of their fields. Rules are not
// compared.
func (g *Group) Differences(o *Group) []string {
	return differences(reflect.ValueOf(g).Elem(), reflect.ValueOf(o).Elem(), groupSettings)
}

// Differences returns the keys under which rule files give the settings that
// differ between r and o, in the order of their fields. Kind and name are not
// compared.
func (r *Rule) Differences(o *Rule) []string {
	return differences(reflect.ValueOf(r).Elem(), reflect.ValueOf(o).Elem(), ruleSettings)
}

func differences(a, b reflect.Value, settings map[string]string) []string {
	var keys []string
	for i := range a.NumField() {
		key, ok := settings[a.Type().Field(i).Name]
		if ok && !reflect.DeepEqual(a.Field(i).Interface(), b.Field(i).Interface()) {
			keys = append(keys, key)
		}
	}
	return keys
}
