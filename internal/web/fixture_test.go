package web

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/config"
	"tocsin/rules"
)

// pairs returns name, value, name, value ... as pairs.
func pairs(nv ...string) []config.Pair {
	var list []config.Pair
	for i := 0; i < len(nv); i += 2 {
		list = append(list, config.Pair{Name: nv[i], Value: nv[i+1]})
	}
	return list
}

func at(s string) rules.Instant {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		panic(err)
	}
	return rules.InstantOf(t)
}

// demo is the groups from which the files in testdata were captured, as they
// were when /api/v1/rules was asked.
func demo() []*rules.Snapshot {
	return []*rules.Snapshot{demoGroup(), secondGroup()}
}

const brokenError = "unexpected response code 422 for http://127.0.0.1:8428/api/v1/query?query=label_replace%28vector%281%29%2C+%22a%22%2C+%22b%22%2C+%22c%22%2C+%22%28%22%29&step=300s&time=2026-11-22T13%3A47%3A40Z. Response body {\"status\":\"error\",\"errorType\":\"422\",\"error\":\"cannot evaluate \\\"label_replace(vector(1), \\\\\\\"a\\\\\\\", \\\\\\\"b\\\\\\\", \\\\\\\"c\\\\\\\", \\\\\\\"(\\\\\\\")\\\": cannot compile regex \\\"(\\\": error parsing regexp: missing closing ): `^(?:()$`\"}"

// shownRule is rule r with its merged labels and what it remembers.
func shownRule(r *config.Rule, merged []config.Pair, m rules.RuleMemory) rules.RuleSnapshot {
	return rules.RuleSnapshot{RuleIdentity: &rules.RuleIdentity{Rule: r, ID: r.ID(), Labels: merged}, RuleMemory: &m}
}

// setAlerts replaces the alerts of r.
func setAlerts(r *rules.RuleSnapshot, alerts ...rules.Instance) {
	m := r.RuleMemory.WithAlerts(alerts...)
	r.RuleMemory = &m
}

func demoGroup() *rules.Snapshot {
	const slot = "2026-11-22T13:47:40Z"
	began := at("2026-11-22T13:47:22Z")
	g := &config.Group{
		Key: config.Key{File: "rules.yml", Name: "demo"}, Type: config.Prometheus,
		Interval: 2 * time.Second, EvalAlignment: true, Concurrency: 1, Labels: pairs("team", "infra"),
		Rules: []config.Rule{
			{Kind: config.Recording, Name: "demo:up:sum", Expr: "sum(up) by (job)", Labels: pairs("kind", "rec"), UpdateEntries: 20},
			{Kind: config.Alerting, Name: "AlwaysFiring", Expr: "vector(1) > 0", Labels: pairs("severity", "page"), UpdateEntries: 20,
				Annotations: pairs("description", "{{ $labels.alertname }} of {{ $externalURL }}", "summary", "value {{ $value }} at {{ $activeAt }}")},
			{Kind: config.Alerting, Name: "Pending", Expr: "vector(2)", For: time.Hour, UpdateEntries: 20},
			{Kind: config.Alerting, Name: "Broken", Expr: `label_replace(vector(1), "a", "b", "c", "(")`, UpdateEntries: 20},
			{Kind: config.Alerting, Name: "NoMatch", Expr: "absent_metric_xyz > 1", UpdateEntries: 20},
		},
	}
	common := pairs("cluster", "dev", "team", "infra")
	return &rules.Snapshot{
		Group: g, ID: g.ID(), LastEvaluation: at("2026-11-22T13:47:42.178250023Z"),
		Rules: []rules.RuleSnapshot{
			shownRule(&g.Rules[0], pairs("cluster", "dev", "kind", "rec", "team", "infra"), rules.RuleMemory{
				History: rules.HistoryOf(rules.Update{Began: at("2026-11-22T13:47:42.178254231Z"), At: at(slot), Duration: 554908}),
			}),
			shownRule(&g.Rules[1], pairs("cluster", "dev", "severity", "page", "team", "infra"), rules.RuleMemory{
				History: rules.HistoryOf(rules.Update{Began: at("2026-11-22T13:47:42.178823016Z"), At: at(slot), Duration: 343433, Samples: 1}),
			}.WithAlerts(rules.Instance{
				State: rules.Firing, ID: 11145849433096643897, Value: 1, ActiveAt: began, StartsAt: began,
				Labels:      labels.FromStrings("alertgroup", "demo", "alertname", "AlwaysFiring", "cluster", "dev", "severity", "page", "team", "infra"),
				Annotations: labels.FromStrings("description", "AlwaysFiring of http://tocsin.example", "summary", "value 1 at 2026-11-22 13:47:22 +0000 UTC"),
			})),
			shownRule(&g.Rules[2], common, rules.RuleMemory{
				History: rules.HistoryOf(rules.Update{Began: at("2026-11-22T13:47:42.180068362Z"), At: at(slot), Duration: 247444, Samples: 1}),
			}.WithAlerts(rules.Instance{
				State: rules.Pending, ID: 1866284317657877359, Value: 2, ActiveAt: began,
				Labels: labels.FromStrings("alertgroup", "demo", "alertname", "Pending", "cluster", "dev", "team", "infra"),
			})),
			shownRule(&g.Rules[3], common, rules.RuleMemory{
				History: rules.HistoryOf(rules.Update{Began: at("2026-11-22T13:47:42.180365343Z"), At: at(slot), Duration: 223823, SeriesFetched: -1, Error: brokenError}),
			}),
			shownRule(&g.Rules[4], common, rules.RuleMemory{
				History: rules.HistoryOf(rules.Update{Began: at("2026-11-22T13:47:42.180600065Z"), At: at(slot), Duration: 248372}),
			}),
		},
	}
}

func secondGroup() *rules.Snapshot {
	g := &config.Group{
		Key: config.Key{File: "rules.yml", Name: "second"}, Type: config.Prometheus,
		Interval: 5 * time.Second, EvalAlignment: true, Concurrency: 2,
		EvalOffset: config.Duration{Duration: time.Second, Set: true},
		Params:     map[string][]string{"nocache": {"1"}},
		Rules: []config.Rule{
			{Kind: config.Alerting, Name: "Up", Expr: "up == 0", For: 4 * time.Second, KeepFiringFor: time.Minute, UpdateEntries: 20},
		},
	}
	return &rules.Snapshot{
		Group: g, ID: g.ID(), LastEvaluation: at("2026-11-22T13:47:41.000616007Z"),
		Rules: []rules.RuleSnapshot{
			shownRule(&g.Rules[0], pairs("cluster", "dev"), rules.RuleMemory{
				History: rules.HistoryOf(rules.Update{Began: at("2026-11-22T13:47:41.000658665Z"), At: at("2026-11-22T13:47:41Z"), Duration: 1102861}),
			}),
		},
	}
}

// simpleGroup is a group of alerting rules that were never evaluated.
func simpleGroup(file, name string, alerts ...string) *rules.Snapshot {
	g := &config.Group{
		Key: config.Key{File: file, Name: name}, Type: config.Prometheus, Interval: time.Minute, Concurrency: 1,
	}
	for _, a := range alerts {
		g.Rules = append(g.Rules, config.Rule{Kind: config.Alerting, Name: a, Expr: "up == 0", UpdateEntries: 20})
	}
	s := &rules.Snapshot{Group: g, ID: g.ID()}
	for i := range g.Rules {
		s.Rules = append(s.Rules, shownRule(&g.Rules[i], nil, rules.RuleMemory{}))
	}
	return s
}

// firing returns n alerts that fire.
func firing(n int) []rules.Instance {
	all := make([]rules.Instance, n)
	for i := range all {
		all[i] = rules.Instance{State: rules.Firing, ID: uint64(i)}
	}
	return all
}

// demoLink makes the source of alerts as vmalert does without a template.
func demoLink(g *config.Group) rules.GroupLinker {
	base := fmt.Sprintf("http://tocsin.example/vmalert/alert?group_id=%d&alert_id=", g.ID())
	return func(_ *config.Rule, a *rules.Instance) rules.Link { return rules.Link{Base: base, AlertID: a.ID} }
}

// linkTo gives every alert the address that text holds.
func linkTo(text *string) rules.Linker {
	return func(*config.Group) rules.GroupLinker {
		return func(*config.Rule, *rules.Instance) rules.Link { return rules.Link{Base: *text} }
	}
}

// demoState shows the given groups.
func demoState(groups ...*rules.Snapshot) State {
	return State{
		Groups:      func() []*rules.Snapshot { return groups },
		Link:        demoLink,
		RequestLine: func(q rules.Query) string { return "curl " + q.Expr + " " + q.Time.Format(time.RFC3339) },
		Notifiers: func() []NotifierGroup {
			return []NotifierGroup{{Kind: "static", Targets: []NotifierTarget{{Address: "http://127.0.0.1:9093/api/v2/alerts"}}}}
		},
	}
}

func demoServer() *Server { return New(Options{State: demoState(demo()...), Version: "v1"}) }

// get asks s for target and returns the answer with its body read.
func get(t testing.TB, s http.Handler, target string) (*http.Response, string) {
	t.Helper()
	return send(t, s, httptest.NewRequest(http.MethodGet, target, nil))
}

func send(t testing.TB, s http.Handler, r *http.Request) (*http.Response, string) {
	t.Helper()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	resp := w.Result()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("reading the answer to %s: %s", r.URL, err)
	}
	return resp, string(b)
}

// getOK is get for what must succeed.
func getOK(t testing.TB, s http.Handler, target string) string {
	t.Helper()
	resp, body := get(t, s, target)
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: status %d: %s", target, resp.StatusCode, body)
	}
	return body
}

// post asks with a form in the body.
func post(t testing.TB, s http.Handler, target string, form url.Values) (*http.Response, string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return send(t, s, r)
}
