package web

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/labels"

	"tocsin/config"
	"tocsin/rules"
)

// specified is a group whose rules are in every state that the specification of
// alert generators knows.
func specified() *rules.Snapshot {
	g := simpleGroup("a.yml", "specified", "Firing", "Pending", "Inactive", "Failing")
	g.Group.Interval = 90 * time.Second
	g.Group.Rules[0] = config.Rule{
		Kind: config.Alerting, Name: "Firing", Expr: "up == 0", For: 150 * time.Second,
		Labels: pairs("team", "{{ $labels.job }}"), Annotations: pairs("summary", "{{ $value }} of {{ $labels.job }}"),
	}
	evaluated := rules.Update{Began: at("2026-11-22T13:47:42.25Z"), At: at("2026-11-22T13:47:42Z"), Duration: 1500 * time.Microsecond, Samples: 1}
	for i := range g.Rules {
		g.Rules[i].History = rules.HistoryOf(evaluated)
	}
	failed := evaluated
	failed.Error = "two results have the same labels"
	g.Rules[3].History = rules.HistoryOf(failed)
	g.Rules[0].Labels = g.Group.Rules[0].Labels

	setAlerts(&g.Rules[0],
		specifiedAlert(1, rules.Pending, 1.5), specifiedAlert(2, rules.Firing, -2), specifiedAlert(3, rules.Inactive, 3),
	)
	setAlerts(&g.Rules[1], specifiedAlert(4, rules.Pending, 1e100))
	setAlerts(&g.Rules[2], specifiedAlert(5, rules.Inactive, 5))
	return g
}

func specifiedAlert(id uint64, s rules.State, v float64) rules.Instance {
	return rules.Instance{
		ID: id, State: s, Value: v, ActiveAt: at("2026-11-22T13:40:00.25Z"),
		Labels:      labels.FromStrings("alertname", "any", "id", strconv.FormatUint(id, 10)),
		Annotations: labels.FromStrings("summary", "expanded"),
	}
}

type (
	object = map[string]any
	array  = []any
)

// has reports which of the keys an object lacks, and fails if there are some.
func has(t *testing.T, what string, o object, keys ...string) {
	t.Helper()
	keys = slices.DeleteFunc(keys, func(k string) bool { _, there := o[k]; return there })
	if len(keys) > 0 {
		t.Errorf("%s lacks %s", what, strings.Join(keys, ", "))
	}
}

func TestRulesHaveTheSpecifiedFields(t *testing.T) {
	s := New(Options{State: demoState(specified())})
	answer := decode[object](t, getOK(t, s, "/api/v1/rules"))
	if answer["status"] != "success" {
		t.Errorf("status %v", answer["status"])
	}
	group := answer["data"].(object)["groups"].(array)[0].(object)
	has(t, "group", group, "name", "interval", "lastEvaluation", "rules")
	if group["name"] != "specified" || group["interval"] != 90.0 {
		t.Errorf("group %v every %v", group["name"], group["interval"])
	}
	var states []string
	for _, r := range group["rules"].(array) {
		rule := r.(object)
		has(t, "rule", rule, "type", "name", "query", "duration", "lastEvaluation", "evaluationTime", "health", "state")
		states = append(states, rule["name"].(string)+" "+rule["state"].(string)+" "+rule["health"].(string)+" "+rule["lastError"].(string))
	}
	want := []string{
		"Firing firing ok ", "Pending pending ok ", "Inactive inactive ok ",
		"Failing inactive err two results have the same labels",
	}
	if diff := gocmp.Diff(want, states); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
}

func TestRulesAreShownAsWritten(t *testing.T) {
	s := New(Options{State: demoState(specified())})
	answer := decode[object](t, getOK(t, s, "/api/v1/rules"))
	rule := answer["data"].(object)["groups"].(array)[0].(object)["rules"].(array)[0].(object)
	want := object{
		"type": "alerting", "query": "up == 0", "duration": 150.0, "evaluationTime": 0.0015,
		"labels":      object{"team": "{{ $labels.job }}"},
		"annotations": object{"summary": "{{ $value }} of {{ $labels.job }}"},
	}
	got := object{}
	for key := range want {
		got[key] = rule[key]
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("rule (-want +got):\n%s", diff)
	}
	if _, err := time.Parse(time.RFC3339Nano, rule["lastEvaluation"].(string)); err != nil {
		t.Error(err)
	}
}

// The alerts that pend or fire are the same in both lists, and no others are there.
func TestAlertsAreThoseOfAllRules(t *testing.T) {
	s := New(Options{State: demoState(specified(), demoGroup())})
	var ofRules array
	answer := decode[object](t, getOK(t, s, "/api/v1/rules"))
	for _, g := range answer["data"].(object)["groups"].(array) {
		for _, r := range g.(object)["rules"].(array) {
			alerts, _ := r.(object)["alerts"].(array)
			ofRules = append(ofRules, alerts...)
		}
	}
	answer = decode[object](t, getOK(t, s, "/api/v1/alerts"))
	all := answer["data"].(object)["alerts"].(array)
	for _, list := range []array{ofRules, all} {
		slices.SortFunc(list, func(a, b any) int {
			return cmp.Compare(a.(object)["id"].(string), b.(object)["id"].(string))
		})
	}
	if diff := gocmp.Diff(ofRules, all); diff != "" {
		t.Errorf("alerts (-of rules +of the list):\n%s", diff)
	}
	if len(all) != 5 {
		t.Errorf("%d alerts, want 5 that pend or fire", len(all))
	}
	for _, a := range all {
		alert := a.(object)
		has(t, "alert", alert, "activeAt", "state", "value", "labels", "annotations")
		if state := alert["state"]; state != "pending" && state != "firing" {
			t.Errorf("an alert is %s", state)
		}
		if _, err := strconv.ParseFloat(alert["value"].(string), 64); err != nil {
			t.Error(err)
		}
		if _, err := time.Parse(time.RFC3339Nano, alert["activeAt"].(string)); err != nil {
			t.Error(err)
		}
	}
}
