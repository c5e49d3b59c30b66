package relabel

import (
	"strconv"
	"strings"
	"testing"
)

func TestRulesThatCannotBeUsedAreRefused(t *testing.T) {
	good := Config{TargetLabel: "z"}
	for want, c := range map[string]Config{
		`relabeling rule 2: action "explode": there is no such action`:                                               {Action: "explode"},
		`relabeling rule 2: action "replace": target_label must be given`:                                            {},
		`relabeling rule 2: action "replace": regex "(": missing closing )`:                                          {TargetLabel: "z", Regex: text("(")},
		`relabeling rule 2: action "replace_all": source_labels must be given`:                                       {Action: "replace_all", TargetLabel: "z"},
		`relabeling rule 2: action "replace_all": target_label must be given`:                                        {Action: "replace_all", SourceLabels: []string{"a"}},
		`relabeling rule 2: action "replace_all": regex "[": missing closing ]`:                                      {Action: "replace_all", SourceLabels: []string{"a"}, TargetLabel: "z", Regex: text("[")},
		`relabeling rule 2: action "keep": source_labels or if must be given`:                                        {Action: "keep", Regex: text("x")},
		`relabeling rule 2: action "drop": source_labels or if must be given`:                                        {Action: "drop"},
		`relabeling rule 2: action "keep": regex "*": missing argument to repetition operator`:                       {Action: "keep", SourceLabels: []string{"a"}, Regex: text("*")},
		`relabeling rule 2: action "keep_metrics": regex or if must be given`:                                        {Action: "keep_metrics", Regex: text("")},
		`relabeling rule 2: action "drop_metrics": source_labels must not be given`:                                  {Action: "drop_metrics", Regex: text("x"), SourceLabels: []string{"a"}},
		`relabeling rule 2: action "keepequal": target_label must be given`:                                          {Action: "keepequal", SourceLabels: []string{"a"}},
		`relabeling rule 2: action "dropequal": regex must not be given`:                                             {Action: "dropequal", TargetLabel: "a", Regex: text("x")},
		`relabeling rule 2: action "keep_if_equal": source_labels must be two or more`:                               {Action: "keep_if_equal", SourceLabels: []string{"a"}},
		`relabeling rule 2: action "drop_if_equal": target_label must not be given`:                                  {Action: "drop_if_equal", SourceLabels: []string{"a", "b"}, TargetLabel: "c"},
		`relabeling rule 2: action "drop_if_equal": regex must not be given`:                                         {Action: "drop_if_equal", SourceLabels: []string{"a", "b"}, Regex: text("x")},
		`relabeling rule 2: action "keep_if_contains": source_labels must be given`:                                  {Action: "keep_if_contains", TargetLabel: "a"},
		`relabeling rule 2: action "drop_if_contains": target_label must be given`:                                   {Action: "drop_if_contains", SourceLabels: []string{"a"}},
		`relabeling rule 2: action "drop_if_contains": regex must not be given`:                                      {Action: "drop_if_contains", SourceLabels: []string{"a"}, TargetLabel: "a", Regex: text("x")},
		`relabeling rule 2: action "hashmod": modulus must be greater than 0`:                                        {Action: "hashmod", SourceLabels: []string{"a"}, TargetLabel: "z"},
		`relabeling rule 2: action "hashmod": source_labels must be given`:                                           {Action: "hashmod", TargetLabel: "z", Modulus: 1},
		`relabeling rule 2: action "uppercase": target_label must be given`:                                          {Action: "uppercase", SourceLabels: []string{"a"}},
		`relabeling rule 2: action "labelmap": regex "a)": unexpected )`:                                             {Action: "labelmap", Regex: text("a)")},
		`relabeling rule 2: action "labelmap_all": regex "(": missing closing )`:                                     {Action: "labelmap_all", Regex: text("(")},
		`relabeling rule 2: action "labeldrop": regex "(": missing closing )`:                                        {Action: "labeldrop", Regex: text("(")},
		`relabeling rule 2: action "graphite": match and labels must be given`:                                       {Action: "graphite", Match: "a.*"},
		`relabeling rule 2: action "graphite": source_labels, target_label, replacement and regex must not be given`: {Action: "graphite", Match: "a.*", Labels: map[string]string{"a": "$1"}, Replacement: text("x")},
		`relabeling rule 2: action "replace": match and labels are of the action graphite only`:                      {TargetLabel: "z", Match: "a.*"},
		`relabeling rule 2: if "sum(a)": not a series selector`:                                                      {TargetLabel: "z", If: []string{"sum(a)"}},
	} {
		if _, err := Compile([]Config{good, c}); err == nil {
			t.Errorf("taken, want: %s", want)
		} else if got := err.Error(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestConditionsThatAreNoSelectorsAreRefused(t *testing.T) {
	for _, selector := range []string{"{a=", `{a=~"("}`, "", "1", "a or b", `{a="1"}[5m]`, `{a="1"} offset 5m`} {
		_, err := Compile([]Config{{TargetLabel: "z", If: []string{selector}}})
		if err == nil || !strings.HasPrefix(err.Error(), "relabeling rule 1: if "+strconv.Quote(selector)+": ") {
			t.Errorf("%s: %v", selector, err)
		}
	}
}
