package web

import (
	"strconv"
	"strings"
	"testing"

	"tocsin/config"
	"tocsin/rules"
)

// bigServer has 60 groups of 10 rules. Of the second, one rule fires and one fails.
func bigServer() *Server {
	var groups []*rules.Snapshot
	for i := range 60 {
		var names []string
		for j := range 10 {
			names = append(names, "Rule"+itoa(j))
		}
		g := simpleGroup("f"+itoa(i%3)+".yml", "group"+itoa(100+i), names...)
		for j := range g.Rules {
			g.Rules[j].History = rules.HistoryOf(rules.Update{Began: 1, At: 1, Samples: 1})
		}
		groups = append(groups, g)
	}
	second := groups[1]
	setAlerts(&second.Rules[7], firing(1)...)
	second.Rules[8].History = rules.HistoryOf(rules.Update{Began: 1, At: 1, Error: "boom"})
	return New(Options{State: demoState(groups...)})
}

// namesOn returns the rules that a page lists, in order.
func namesOn(t *testing.T, page string) string {
	var names []string
	for _, e := range elements(t, page) {
		if e.name == "a" && e.is("name") {
			names = append(names, e.text)
		}
	}
	return strings.Join(names, " ")
}

func TestPageOfManyRulesListsThoseInTrouble(t *testing.T) {
	body := getOK(t, bigServer(), "/vmalert/groups")
	if got := namesOn(t, body); got != "Rule7 Rule8" {
		t.Errorf("rules listed: %s", got)
	}
	if !strings.Contains(body, "60 groups, 600 rules") || !strings.Contains(body, ">8 more rules<") || !strings.Contains(body, ">10 rules<") {
		t.Error("the page does not count what it leaves out")
	}
	open := 0
	for _, e := range elements(t, body) {
		if _, is := e.attrs["open"]; is {
			open++
		}
	}
	if open != 1 {
		t.Errorf("%d groups are open, want the one in trouble", open)
	}
}

func TestPageOfManyMatchesListsTheFirstOfEachGroup(t *testing.T) {
	body := getOK(t, bigServer(), "/vmalert/groups?state=inactive")
	if got := strings.Count(namesOn(t, body), "Rule"); got != 50*rulesInBrief {
		t.Errorf("%d rules are listed", got)
	}
	if !strings.Contains(body, ">5 more rules<") || !strings.Contains(body, "state=inactive\"") {
		t.Error("no way to the others")
	}
}

func TestFewMatchesAreListedWhole(t *testing.T) {
	body := getOK(t, bigServer(), "/vmalert/groups?file[]=f1.yml")
	if got := strings.Count(namesOn(t, body), "Rule"); got != 200 {
		t.Errorf("%d rules are listed, want those of 20 groups", got)
	}
	if strings.Contains(body, "more rules") {
		t.Error("the page says that it leaves some out")
	}
}

func TestOneGroupIsShownWithAllItsRules(t *testing.T) {
	g := many(450)
	s := New(Options{State: demoState(g, demoGroup())})
	target := "/vmalert/groups?group_id=" + id(g.ID)
	first, last := getOK(t, s, target), getOK(t, s, target+"&page_num=3")
	if n := strings.Count(namesOn(t, first), "Rule"); n != 200 || !strings.Contains(first, "page 1 of 3") {
		t.Errorf("the first page lists %d rules", n)
	}
	if n := strings.Count(namesOn(t, last), "Rule"); n != 50 || !strings.Contains(last, ">Rule449</a>") {
		t.Errorf("the last page lists %d rules", n)
	}
	if !strings.Contains(first, "<b>"+g.Group.Key.Name+"</b>") {
		t.Error("the form does not name the group")
	}
	if body := getOK(t, s, "/vmalert/groups?group_id=1"); !strings.Contains(body, "No rule is like that") {
		t.Error("a group that is gone is not missed")
	}
	if resp, _ := get(t, s, "/vmalert/groups?group_id=x"); resp.StatusCode != 400 {
		t.Errorf("bad id: %d", resp.StatusCode)
	}
}

func TestGroupsPageTakesTheParametersOfVmalert(t *testing.T) {
	for query, want := range map[string]string{
		"type=record":                  "demo:up:sum",
		"type=alert&state=inactive":    "",
		"rule_name[]=Broken":           "Broken",
		"rule_group[]=second":          "Up",
		"file[]=nosuch.yml":            "",
		"datasource_type=vlogs":        "",
		"datasource_type=prometheus":   "demo:up:sum AlwaysFiring Pending Broken NoMatch Up",
		"state=firing,pending":         "AlwaysFiring Pending",
		"state=error":                  "Broken",
		"state=recovering":             "",
		`match[]={severity="page"}`:    "AlwaysFiring",
		"extended_states=true":         "demo:up:sum AlwaysFiring Pending Broken NoMatch Up",
		"group_limit=1&page_num=1":     "demo:up:sum AlwaysFiring Pending Broken NoMatch Up",
		"search=&type=&state=&filter=": "demo:up:sum AlwaysFiring Pending Broken NoMatch Up",
	} {
		for _, path := range []string{"/vmalert/groups?", "/rules?"} {
			if got := shown(getOK(t, demoServer(), path+escaped(query))); got != want {
				t.Errorf("%s%s: got %q, want %q", path, query, got, want)
			}
		}
	}
}

func TestFormKeepsWhatItHasNoFieldFor(t *testing.T) {
	body := getOK(t, demoServer(), "/vmalert/groups?rule_group[]=demo&file[]=rules.yml&state=firing&authKey=secret&page_num=7")
	hidden := map[string]string{}
	var without []string
	for _, e := range elements(t, body) {
		if e.attrs["type"] == "hidden" {
			hidden[e.attrs["name"]] = e.attrs["value"]
		}
		if e.name == "a" && e.text == "✕" {
			without = append(without, e.attrs["href"])
		}
	}
	if len(hidden) != 2 || hidden["rule_group[]"] != "demo" || hidden["file[]"] != "rules.yml" {
		t.Errorf("hidden fields are %v", hidden)
	}
	want := "?file%5B%5D=rules.yml&state=firing ?rule_group%5B%5D=demo&state=firing"
	if got := strings.Join(without, " "); got != want {
		t.Errorf("links that widen the list are %s, want %s", got, want)
	}
	if strings.Contains(body, "secret") {
		t.Error("a key is in the page")
	}
}

func TestEmptyGroupsAreShownUnlessSomethingIsSearched(t *testing.T) {
	s := New(Options{State: demoState(simpleGroup("e.yml", "nothing in it"), demoGroup())})
	if body := getOK(t, s, "/vmalert/groups"); !strings.Contains(body, "nothing in it") || !strings.Contains(body, "has no rules") {
		t.Error("an empty group is not shown")
	}
	if body := getOK(t, s, "/vmalert/groups?state=firing"); strings.Contains(body, "nothing in it") {
		t.Error("an empty group is shown among rules that fire")
	}
}

func TestRulesBeforeTheirFirstEvaluationAreUnknown(t *testing.T) {
	g := simpleGroup("f.yml", "g", "A", "B")
	body := getOK(t, New(Options{State: demoState(g)}), "/vmalert/groups")
	if !strings.Contains(body, "2 unknown") || !strings.Contains(body, "waits for its first round") {
		t.Errorf("got %s", body)
	}
}

func TestGroupInAnotherLanguageSaysSo(t *testing.T) {
	g := simpleGroup("f.yml", "g", "A")
	g.Group.Type = config.Graphite
	if body := getOK(t, New(Options{State: demoState(g)}), "/vmalert/groups"); !strings.Contains(body, "graphite · ") {
		t.Error("the language is not shown")
	}
}

func TestAlertsPageShowsTheNewestFirst(t *testing.T) {
	g := simpleGroup("f.yml", "g", "A")
	for i := range 3 {
		setAlerts(&g.Rules[0], append(g.Rules[0].Alerts(), rules.Instance{State: rules.Firing, ID: uint64(i), ActiveAt: rules.Instant(1+(i*2)%3) * 1e9})...)
	}
	body := getOK(t, New(Options{State: demoState(g)}), "/vmalert/alerts")
	var order []string
	for _, e := range elements(t, body) {
		if _, id, ok := strings.Cut(e.attrs["href"], "alert_id="); ok {
			order = append(order, id)
		}
	}
	if got := strings.Join(order, " "); got != "1 2 0" {
		t.Errorf("alerts are %s", got)
	}
}

func TestAlertsOfOneGroup(t *testing.T) {
	g := demoGroup()
	s := New(Options{State: demoState(g, secondGroup())})
	for query, want := range map[string]string{
		"group_id=" + strconv.FormatUint(g.ID, 10): "AlwaysFiring Pending",
		"group_id=" + id(secondGroup().ID):         "",
		"file[]=rules.yml&state=pending":           "Pending",
	} {
		if got := shown(getOK(t, s, "/vmalert/alerts?"+escaped(query))); got != want {
			t.Errorf("%s: got %q, want %q", query, got, want)
		}
	}
	if resp, _ := get(t, s, "/vmalert/alerts?group_id=x"); resp.StatusCode != 400 {
		t.Errorf("bad id: %d", resp.StatusCode)
	}
}
