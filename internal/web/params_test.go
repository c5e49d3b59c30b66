package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"tocsin/config"
	"tocsin/rules"
)

// ruleNames lists the rules of an answer as group/rule.
func ruleNames(a rulesAnswer) []string {
	names := []string{}
	for _, g := range a.Data.Groups {
		for _, r := range g.Rules {
			names = append(names, g.Name+"/"+r.Name)
		}
		if len(g.Rules) == 0 {
			names = append(names, g.Name+"/")
		}
	}
	return names
}

// filterServer has the demo groups, a VictoriaLogs group and one without rules.
func filterServer() *Server {
	logs := simpleGroup("dir/Logs.yml", "logs", "TooManyErrors")
	logs.Group.Type = config.VLogs
	return New(Options{State: demoState(append(demo(), logs, simpleGroup("dir/x.yml", "void"))...)})
}

func TestRuleFilters(t *testing.T) {
	const all = "demo/demo:up:sum demo/AlwaysFiring demo/Pending demo/Broken demo/NoMatch logs/TooManyErrors second/Up void/"
	for query, want := range map[string]string{
		"": all,
		"datasource_type=&search=&type=&state=&exclude_alerts=&extended_states=&group_limit=&page_num=": all,

		"type=alert":  "demo/AlwaysFiring demo/Pending demo/Broken demo/NoMatch logs/TooManyErrors second/Up void/",
		"type=record": "demo/demo:up:sum void/",

		"rule_name[]=Up":                         "second/Up void/",
		"rule_name[]=Up&rule_name[]=Pending":     "demo/Pending second/Up void/",
		"rule_name=Up":                           "second/Up void/",
		"rule_name[]=up":                         "void/",
		"rule_group[]=second":                    "second/Up",
		"rule_group=second":                      "second/Up",
		"rule_group[]=second&rule_group[]=logs":  "logs/TooManyErrors second/Up",
		"file[]=dir/Logs.yml":                    "logs/TooManyErrors",
		"file=dir/Logs.yml":                      "logs/TooManyErrors",
		"file[]=":                                all,
		"rule_group[]=second&rule_name[]=Broken": "",

		"datasource_type=vlogs":      "logs/TooManyErrors",
		"datasource_type=graphite":   "",
		"datasource_type=prometheus": "demo/demo:up:sum demo/AlwaysFiring demo/Pending demo/Broken demo/NoMatch second/Up void/",

		"state=firing":               "demo/AlwaysFiring void/",
		"filter=firing":              "demo/AlwaysFiring void/",
		"state=firing,pending":       "demo/AlwaysFiring demo/Pending void/",
		"state=firing&state=pending": "demo/AlwaysFiring demo/Pending void/",
		"state=normal":               "demo/Broken demo/NoMatch logs/TooManyErrors second/Up void/",
		"state=recovering":           "void/",
		"state=ok":                   "void/",

		"state=ok&extended_states=true":        "void/",
		"state=nomatch&extended_states=true":   "demo/demo:up:sum demo/NoMatch second/Up void/",
		"state=noData&extended_states=1":       "demo/demo:up:sum demo/NoMatch second/Up void/",
		"state=unhealthy&extended_states=true": "demo/Broken void/",
		"state=error&extended_states=true":     "demo/Broken void/",
		"state=inactive&extended_states=true":  "logs/TooManyErrors void/",

		"search=PENDING":       "demo/Pending void/",
		"search=second":        "second/Up void/",
		"search=logs.YML":      "logs/TooManyErrors void/",
		"search=up":            "demo/demo:up:sum second/Up void/",
		"search=absent_metric": "void/",

		`match[]={severity="page"}`:                                 "demo/AlwaysFiring void/",
		`match[]={severity="page"}&match[]={kind="rec"}`:            "demo/demo:up:sum demo/AlwaysFiring void/",
		`match[]={severity="page" or kind="rec"}`:                   "demo/demo:up:sum demo/AlwaysFiring void/",
		`match[]={severity=~"pa.*",team="infra"}`:                   "demo/AlwaysFiring void/",
		`match[]={severity=~"pa"}`:                                  "void/",
		`match[]={cluster!="dev"}`:                                  "logs/TooManyErrors void/",
		`match[]={team!~"inf.*",cluster="dev"}`:                     "second/Up void/",
		`match[]={nosuch=""}`:                                       all,
		`match[]={severity="page"}&state=pending&rule_name=Pending`: "void/",
	} {
		t.Run(query, func(t *testing.T) {
			got := strings.Join(ruleNames(askRules(t, filterServer(), escaped(query))), " ")
			// Groups that had no rules to begin with survive filters on rules.
			if got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

// escaped returns a query written for people as a URL has it.
func escaped(query string) string {
	v := url.Values{}
	for part := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(part, "=")
		if name != "" {
			v.Add(name, value)
		}
	}
	return v.Encode()
}

func TestBadParametersAreRefused(t *testing.T) {
	for path, queries := range map[string][]string{
		"/api/v1/rules": {
			"type=alerts", "type=recording", "state=nosuch", "filter=firing,nosuch", "datasource_type=sql",
			"match[]=", "match[]=sum(up)", "match[]={", `match[]={a=~"("}`, "match[]={}", "match[]=1",
			"exclude_alerts=maybe", "extended_states=2",
			"page_num=1", "group_limit=0", "group_limit=-1", "group_limit=x", "group_limit=1&page_num=0",
			"group_limit=1&page_num=x", "group_limit=1&page_num=99", "group_next_token=abc",
			"group_limit=1&group_next_token=abc", "group_limit=1&page_num=1&group_next_token=abc",
		},
		"/api/v1/alerts": {"datasource_type=sql", "match[]=sum(up)"},
		"/api/v1/group":  {"", "group_id=", "group_id=x", "group_id=-1", "group_id=99999999999999999999"},
		"/api/v1/rule":   {"", "group_id=1", "rule_id=1", "group_id=1&rule_id=x"},
		"/api/v1/alert":  {"", "group_id=1", "alert_id=1", "group_id=1&alert_id=x"},
	} {
		for _, query := range queries {
			resp, body := get(t, demoServer(), "/vmalert"+path+"?"+escaped(query))
			checkError(t, path+"?"+query, http.StatusBadRequest, "bad_data", resp, body)
		}
	}
}

func TestUnknownIDsAreNotFound(t *testing.T) {
	group := "group_id=" + id(demoGroup().ID)
	for _, target := range []string{
		"/api/v1/group?group_id=1", "/api/v1/rule?group_id=1&rule_id=1", "/api/v1/alert?group_id=1&alert_id=1",
		"/api/v1/rule?" + group + "&rule_id=1", "/api/v1/alert?" + group + "&alert_id=1",
	} {
		resp, body := get(t, demoServer(), target)
		checkError(t, target, http.StatusNotFound, "not_found", resp, body)
	}
}

// checkError checks an error answer of the API: vmalert's fields and Prometheus'.
func checkError(t *testing.T, what string, status int, reason string, resp *http.Response, body string) {
	t.Helper()
	if resp.StatusCode != status || resp.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%s: status %d, type %s, body %s", what, resp.StatusCode, resp.Header.Get("Content-Type"), body)
		return
	}
	got := decode[struct {
		Error, Status, Reason string
		ErrorType             int
	}](t, body)
	if got.Error == "" || got.ErrorType != status || got.Status != "error" || got.Reason != reason {
		t.Errorf("%s: got %s", what, body)
	}
}

func TestErrorTextWithQuotesIsValidJSON(t *testing.T) {
	_, body := get(t, demoServer(), "/api/v1/rules?type="+url.QueryEscape("a\"\\\x01\xff</script>"))
	got := decode[map[string]any](t, body)
	if !strings.Contains(got["error"].(string), "</script>") || strings.Contains(body, "</script>") {
		t.Errorf("got %s", body)
	}
}

func TestMalformedQueryIsRefused(t *testing.T) {
	resp, body := get(t, demoServer(), "/api/v1/rules?state=%zz")
	checkError(t, "malformed", http.StatusBadRequest, "bad_data", resp, body)
}

func TestParametersMayBePosted(t *testing.T) {
	resp, body := post(t, demoServer(), "/api/v1/rules", url.Values{"rule_name[]": {"Up"}})
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("status %d: %s", resp.StatusCode, body)
	}
	if got := ruleNames(decode[rulesAnswer](t, body)); !slices.Equal(got, []string{"second/Up"}) {
		t.Errorf("got %q", got)
	}
}

func TestHugeFormIsRefused(t *testing.T) {
	resp, body := post(t, demoServer(), "/api/v1/rules", url.Values{"search": {strings.Repeat("x", maxRequestBody)}})
	checkError(t, "huge form", http.StatusBadRequest, "bad_data", resp, body)
}

func TestAlertsCanBeExcluded(t *testing.T) {
	body := getOK(t, demoServer(), "/api/v1/rules?exclude_alerts=true")
	if strings.Contains(body, `"alerts"`) {
		t.Errorf("alerts are there: %s", body)
	}
	if got := decode[rulesAnswer](t, body).Data.Groups[0].Rules[1].State; got != "firing" {
		t.Errorf("state %q", got)
	}
}

func TestExtendedStatesTellRulesApart(t *testing.T) {
	g := demoGroup()
	last, _ := g.Rules[0].History.Last()
	last.SeriesFetched, last.Samples = 2, 1
	g.Rules[0].History = rules.HistoryOf(last)
	got := askRules(t, New(Options{State: demoState(g)}), "extended_states=true").Data.Groups[0]
	var states []string
	for _, r := range got.Rules {
		states = append(states, r.State)
	}
	if want := []string{"ok", "firing", "pending", "unhealthy", "nomatch"}; !slices.Equal(states, want) {
		t.Errorf("got %q, want %q", states, want)
	}
	if fmt.Sprint(got.States) != "map[firing:1 nomatch:1 ok:1 pending:1 unhealthy:1]" {
		t.Errorf("states %v", got.States)
	}
}

func TestStatesCountOnlyReturnedRules(t *testing.T) {
	got := askRules(t, demoServer(), "state=firing").Data.Groups[0].States
	if fmt.Sprint(got) != "map[firing:1]" {
		t.Errorf("got %v", got)
	}
}

func TestAlertFilters(t *testing.T) {
	for query, want := range map[string]string{
		"":                                "AlwaysFiring Pending",
		"datasource_type=vlogs":           "",
		"datasource_type=prometheus":      "AlwaysFiring Pending",
		"rule_group[]=second":             "",
		"rule_group[]=demo":               "AlwaysFiring Pending",
		"file[]=other.yml":                "",
		`match[]={alertname="Pending"}`:   "Pending",
		`match[]={severity="page"}`:       "AlwaysFiring",
		`match[]={alertgroup=~"de.+"}`:    "AlwaysFiring Pending",
		`match[]={severity!="page"}`:      "Pending",
		"type=nonsense&state=alsoignored": "AlwaysFiring Pending",
	} {
		got := decode[struct {
			Data struct{ Alerts []alertAnswer }
		}](t, getOK(t, demoServer(), "/api/v1/alerts?"+escaped(query)))
		var names []string
		for _, a := range got.Data.Alerts {
			names = append(names, a.Name)
		}
		if strings.Join(names, " ") != want {
			t.Errorf("%s: got %q, want %q", query, names, want)
		}
	}
}

func TestAlertsAreSortedByTheTextOfTheirIDs(t *testing.T) {
	g := simpleGroup("a.yml", "g", "A")
	for _, n := range []uint64{9, 10, 2, 1, 18446744073709551615, 100} {
		setAlerts(&g.Rules[0], append(g.Rules[0].Alerts(), rules.Instance{State: rules.Firing, ID: n})...)
	}
	got := decode[struct {
		Data struct{ Alerts []alertAnswer }
	}](t, getOK(t, New(Options{State: demoState(g)}), "/api/v1/alerts"))
	var ids []string
	for _, a := range got.Data.Alerts {
		ids = append(ids, a.ID)
	}
	if want := []string{"1", "10", "100", "18446744073709551615", "2", "9"}; !slices.Equal(ids, want) {
		t.Errorf("got %q, want %q", ids, want)
	}
}
