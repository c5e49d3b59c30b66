package web

import (
	"encoding/json"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/config"
	"tocsin/rules"
)

// The types below are the answers as a client reads them.

type rulesAnswer struct {
	Status                                       string
	Page, Total_pages, Total_groups, Total_rules int
	Data                                         struct {
		Groups         []groupAnswer
		GroupNextToken string
	}
}

type groupAnswer struct {
	Name, File, Type string
	Rules            []ruleAnswer
	States           map[string]int
	Params, Headers  []string
	NotifierHeaders  []string `json:"notifier_headers"`
	EvalDelay        float64  `json:"eval_delay"`
	Limit            int
	EvaluationTime   float64
}

type ruleAnswer struct {
	Name, State, Health string
	Labels              map[string]string
	Alerts              []alertAnswer
	KeepFiringFor       *float64
	LastSeriesFetched   *int
	Updates             []struct {
		Error         *string
		SeriesFetched *int `json:"series_fetched"`
		Curl          string
	}
}

type alertAnswer struct {
	State, Name, Value, ID, Source string
	Stabilizing, Restored          bool
	KeepFiringSince                string
	Labels                         map[string]string
}

func decode[T any](t testing.TB, body string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatalf("not JSON: %s\n%s", err, body)
	}
	return v
}

// askRules asks for rules and returns the answer.
func askRules(t testing.TB, s http.Handler, query string) rulesAnswer {
	t.Helper()
	return decode[rulesAnswer](t, getOK(t, s, "/api/v1/rules?"+query))
}

// askRule asks for the only rule of g.
func askRule(t *testing.T, g *rules.Snapshot) ruleAnswer {
	t.Helper()
	body := getOK(t, New(Options{State: demoState(g)}), "/api/v1/rule?group_id="+id(g.ID)+"&rule_id="+id(g.Rules[0].ID))
	return decode[ruleAnswer](t, body)
}

func id(n uint64) string { return strings.Trim(string(appendID(nil, n)), `"`) }

func TestGroupTellsItsLimitAndHowLongItsLastRoundTook(t *testing.T) {
	g := secondGroup()
	g.Group.Limit = 7
	got := askRules(t, New(Options{State: demoState(g)}), "").Data.Groups[0]
	if got.Limit != 7 {
		t.Errorf("limit %d", got.Limit)
	}
	// From the beginning of the round to the end of its last rule.
	if want := (42658*time.Nanosecond + 1102861*time.Nanosecond).Seconds(); got.EvaluationTime != want {
		t.Errorf("evaluationTime %g, want %g", got.EvaluationTime, want)
	}
}

func TestKeepFiringForIsSpelledInBothWays(t *testing.T) {
	body := getOK(t, New(Options{State: demoState(secondGroup())}), "/api/v1/rules")
	for _, want := range []string{`"keep_firing_for":60,`, `"keepFiringFor":60}`} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in %s", want, body)
		}
	}
}

func TestAlertHeldByKeepFiringForIsStabilizingSince(t *testing.T) {
	g := demoGroup()
	g.Rules[1].Alerts()[0].KeepFiringSince = at("2026-11-22T13:47:30Z")
	got := askRules(t, New(Options{State: demoState(g)}), "").Data.Groups[0].Rules[1].Alerts[0]
	if !got.Stabilizing || got.KeepFiringSince != "2026-11-22T13:47:30Z" {
		t.Errorf("got %+v", got)
	}
}

func TestRuleNeverEvaluatedIsOfUnknownHealth(t *testing.T) {
	g := simpleGroup("a.yml", "g", "A")
	got := askRule(t, g)
	if got.Health != "unknown" || got.State != "inactive" || got.LastSeriesFetched != nil {
		t.Errorf("got %+v", got)
	}
}

func TestErrorOfUpdateIsAStringWithItsRequestLine(t *testing.T) {
	g := simpleGroup("a.yml", "g", "A")
	g.Rules[0].History = rules.HistoryOf(
		rules.Update{At: at("2026-11-22T13:00:00Z"), SeriesFetched: 3},
		rules.Update{At: at("2026-11-22T13:01:00Z"), SeriesFetched: -1, Error: `refused: "no"`},
	)
	got := askRule(t, g).Updates
	if len(got) != 2 {
		t.Fatalf("%d updates", len(got))
	}
	failed, fine := got[0], got[1]
	if failed.Error == nil || *failed.Error != `refused: "no"` || failed.SeriesFetched != nil {
		t.Errorf("failed update: %+v", failed)
	}
	if failed.Curl != "curl up == 0 2026-11-22T13:01:00Z" {
		t.Errorf("curl of the failed update: %q", failed.Curl)
	}
	if fine.Error != nil || fine.SeriesFetched == nil || *fine.SeriesFetched != 3 {
		t.Errorf("good update: %+v", fine)
	}
}

func TestNaNValueBreaksNoAnswer(t *testing.T) {
	g := demoGroup()
	g.Rules[1].Alerts()[0].Value = math.NaN()
	s := New(Options{State: demoState(g)})
	if got := askRules(t, s, "").Data.Groups[0].Rules[1].Alerts[0].Value; got != "NaN" {
		t.Errorf("value in rules: %q", got)
	}
	if body := getOK(t, s, "/api/v1/alerts"); !strings.Contains(body, `"value":"NaN"`) {
		t.Errorf("no NaN in %s", body)
	}
}

func TestZeroValueIsShownAsZero(t *testing.T) {
	g := demoGroup()
	g.Rules[1].Alerts()[0].Value = 0
	if got := askRules(t, New(Options{State: demoState(g)}), "").Data.Groups[0].Rules[1].Alerts[0].Value; got != "0" {
		t.Errorf("value %q", got)
	}
}

func TestResolvedAlertIsNotListedButCanBeLookedUp(t *testing.T) {
	g := demoGroup()
	a := &g.Rules[1].Alerts()[0]
	a.State, a.ResolvedAt = rules.Inactive, at("2026-11-22T13:47:40Z")
	s := New(Options{State: demoState(g)})
	if got := askRules(t, s, "").Data.Groups[0].Rules[1]; len(got.Alerts) != 0 || got.State != "inactive" {
		t.Errorf("in rules: %+v", got)
	}
	if body := getOK(t, s, "/api/v1/alerts"); strings.Contains(body, "AlwaysFiring") {
		t.Errorf("in alerts: %s", body)
	}
	body := getOK(t, s, "/api/v1/alert?group_id="+id(g.ID)+"&alert_id="+id(a.ID))
	if got := decode[alertAnswer](t, body); got.State != "inactive" || got.Name != "AlwaysFiring" {
		t.Errorf("looked up: %+v", got)
	}
}

func TestListsAreNeverNull(t *testing.T) {
	s := New(Options{})
	for path, want := range map[string]string{
		"/api/v1/rules":         `{"status":"success","data":{"groups":[]}}`,
		"/api/v1/alerts":        `{"status":"success","data":{"alerts":[]}}`,
		"/api/v1/notifiers":     `{"status":"success","data":{"notifiers":[]}}`,
		"/api/v1/alertmanagers": `{"status":"success","data":{"activeAlertmanagers":[],"droppedAlertmanagers":[]}}`,
	} {
		if got := getOK(t, s, path); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
	body := getOK(t, New(Options{State: demoState(simpleGroup("a.yml", "empty"))}), "/api/v1/rules")
	if !strings.Contains(body, `"rules":[]`) || !strings.Contains(body, `"states":{}`) {
		t.Errorf("group without rules: %s", body)
	}
}

func TestSecretHeadersOfGroupsAreHidden(t *testing.T) {
	g := simpleGroup("a.yml", "g", "A")
	g.Group.Headers = pairs("X-Scope", "team", "Authorization", "Bearer hunter2")
	g.Group.NotifierHeaders = pairs("X-Api-Key", "hunter2")
	g.Group.EvalDelay = config.Duration{Duration: 30 * time.Second, Set: true}
	s := New(Options{State: demoState(g)})
	got := askRules(t, s, "").Data.Groups[0]
	if want := []string{"Authorization: <secret>", "X-Scope: team"}; !slices.Equal(got.Headers, want) {
		t.Errorf("headers %q, want %q", got.Headers, want)
	}
	if want := []string{"X-Api-Key: <secret>"}; !slices.Equal(got.NotifierHeaders, want) {
		t.Errorf("notifier_headers %q, want %q", got.NotifierHeaders, want)
	}
	if got.EvalDelay != 30 {
		t.Errorf("eval_delay %g", got.EvalDelay)
	}
	if page := getOK(t, s, "/vmalert/groups"); strings.Contains(page, "hunter2") {
		t.Error("the page shows a secret header")
	}
}

func TestParamsOfGroupsAreListedInOrder(t *testing.T) {
	g := simpleGroup("a.yml", "g", "A")
	g.Group.Params = map[string][]string{"z": {"1"}, "a": {"2", "1"}, "m": {"x y"}, "authKey": {"hunter2"}}
	got := askRules(t, New(Options{State: demoState(g)}), "").Data.Groups[0].Params
	if want := []string{"a=2", "a=1", "authKey=<secret>", "m=x y", "z=1"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestNotifiersAreListedForPrometheusClientsToo(t *testing.T) {
	body := getOK(t, demoServer(), "/api/v1/alertmanagers")
	if want := `{"status":"success","data":{"activeAlertmanagers":[{"url":"http://127.0.0.1:9093/api/v2/alerts"}],"droppedAlertmanagers":[]}}`; body != want {
		t.Errorf("got %s", body)
	}
}

func TestNotifierLabelsAreSortedAndErrorsShown(t *testing.T) {
	state := State{Notifiers: func() []NotifierGroup {
		return []NotifierGroup{{Kind: "DNSSD", Targets: []NotifierTarget{{
			Address: "http://am", Labels: map[string]string{"z": "1", "a": "2"}, LastError: `status "500"`,
		}}}}
	}}
	body := getOK(t, New(Options{State: state}), "/api/v1/notifiers")
	want := `{"status":"success","data":{"notifiers":[{"kind":"DNSSD","targets":[{"address":"http://am","labels":{"a":"2","z":"1"},"lastError":"status \"500\"","lastSuccess":"0001-01-01T00:00:00Z","queued":0}]}]}}`
	if body != want {
		t.Errorf("got  %s\nwant %s", body, want)
	}
}

func TestBuildInfoOffersNoRuleEditing(t *testing.T) {
	got := decode[struct {
		Status string
		Data   map[string]any
	}](t, getOK(t, demoServer(), "/api/v1/status/buildinfo"))
	if got.Status != "success" || got.Data["version"] != "0.0.0+v1" || got.Data["revision"] != "v1" {
		t.Errorf("got %+v", got)
	}
	if _, ok := got.Data["features"]; ok {
		t.Error("features make Grafana take this for Mimir")
	}
}

func TestStatusFlagsListsAllFlags(t *testing.T) {
	s := New(Options{Flags: []Flag{{"a", "1", true}, {"b", "2", false}}})
	if got, want := getOK(t, s, "/api/v1/status/flags"), `{"status":"success","data":{"a":"1","b":"2"}}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
