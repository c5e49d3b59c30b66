package web

import (
	"errors"
	"strings"
	"testing"

	"tocsin/internal/httpx"
	"tocsin/rules"
)

// shown returns which of the demo rules a page names.
func shown(body string) string {
	var names []string
	for _, name := range []string{"demo:up:sum", "AlwaysFiring", "Pending", "Broken", "NoMatch", "Up"} {
		if strings.Contains(body, ">"+name+"</a>") {
			names = append(names, name)
		}
	}
	return strings.Join(names, " ")
}

func TestGroupsPageSearchesNamesExpressionsAndLabels(t *testing.T) {
	for query, want := range map[string]string{
		"":                         "demo:up:sum AlwaysFiring Pending Broken NoMatch Up",
		"search=SECOND":            "Up",
		"search=absent_metric":     "NoMatch",
		"search=severity=page":     "AlwaysFiring",
		"state=unhealthy":          "Broken",
		"filter=unhealthy":         "Broken",
		"state=nomatch":            "demo:up:sum NoMatch Up",
		"state=pending&search=pen": "Pending",
		"search=nosuch":            "",
	} {
		body := getOK(t, demoServer(), "/vmalert/groups?"+escaped(query))
		if got := shown(body); got != want {
			t.Errorf("%s: got %q, want %q", query, got, want)
		}
	}
}

func TestGroupsPageKeepsWhatWasSearched(t *testing.T) {
	body := getOK(t, demoServer(), "/vmalert/groups?search=a%22b&state=firing")
	if !strings.Contains(body, `value="a&#34;b"`) || !strings.Contains(body, "<option selected>firing</option>") {
		t.Errorf("got %s", body)
	}
}

func TestAlertsPageSearches(t *testing.T) {
	for query, want := range map[string]string{
		"":                              "AlwaysFiring Pending",
		"state=firing":                  "AlwaysFiring",
		"state=pending":                 "Pending",
		"search=severity=PAGE":          "AlwaysFiring",
		"search=tocsin.example":         "AlwaysFiring",
		"search=nosuch":                 "",
		"rule_group[]=second":           "",
		`match[]={alertname="Pending"}`: "Pending",
	} {
		if got := shown(getOK(t, demoServer(), "/vmalert/alerts?"+escaped(query))); got != want {
			t.Errorf("%s: got %q, want %q", query, got, want)
		}
	}
}

func TestAlertsPageShowsFiringFirst(t *testing.T) {
	g := simpleGroup("a.yml", "g", "Later", "Sooner")
	setAlerts(&g.Rules[0], rules.Instance{State: rules.Pending})
	setAlerts(&g.Rules[1], firing(1)...)
	body := getOK(t, New(Options{State: demoState(g)}), "/vmalert/alerts")
	if strings.Index(body, "Sooner") > strings.Index(body, "Later") {
		t.Error("pending comes first")
	}
}

func TestLongListsArePaged(t *testing.T) {
	var groups []*rules.Snapshot
	for i := range 120 {
		groups = append(groups, simpleGroup("f.yml", "group"+itoa(1000+i), "A"))
	}
	setAlerts(&groups[0].Rules[0], firing(450)...)
	s := New(Options{State: demoState(groups...)})
	for target, want := range map[string]struct{ count, of string }{
		"/vmalert/groups":                 {"page 1 of 3", "group1000"},
		"/vmalert/groups?page_num=3":      {"page 3 of 3", "group1119"},
		"/vmalert/groups?page_num=99":     {"page 3 of 3", "group1119"},
		"/vmalert/groups?page_num=x":      {"page 1 of 3", "group1000"},
		"/vmalert/groups?search=group111": {"group1110", "group1119"},
		"/vmalert/alerts?page_num=2":      {"page 2 of 3", "alert_id=200"},
	} {
		body := getOK(t, s, target)
		if !strings.Contains(body, want.count) || !strings.Contains(body, want.of) {
			t.Errorf("%s: no %s or no %s", target, want.count, want.of)
		}
	}
	body := getOK(t, s, "/vmalert/groups?page_num=2&state=inactive")
	for _, want := range []string{"?page_num=1&amp;state=inactive", "?page_num=3&amp;state=inactive"} {
		if !strings.Contains(body, want) {
			t.Errorf("no link %s", want)
		}
	}
}

func TestOverviewTellsWhatIsWrong(t *testing.T) {
	state := demoState(demo()...)
	state.Notifiers = func() []NotifierGroup {
		return []NotifierGroup{{Targets: []NotifierTarget{{LastError: "x"}, {}}}}
	}
	s := New(Options{State: state, Control: Control{Ready: func() error { return errors.New("still loading") }}})
	body := getOK(t, s, "/")
	for _, want := range []string{"still loading", `<b class="bad">1</b> firing`, `<b class="warn">1</b> pending`, `<b class="bad">1</b> failing rules`, "<b>6</b> rules in 2 groups", "2</b> notifiers, 1 failing", "missing closing )"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s", want)
		}
	}
}

func TestOverviewOffersNoReloadThatWouldBeRefused(t *testing.T) {
	for key, want := range map[string]bool{"": true, "k": false} {
		s := New(Options{Auth: Auth{ReloadKey: httpx.Secret(key)}})
		if got := strings.Contains(getOK(t, s, "/"), "<form"); got != want {
			t.Errorf("key %q: form %t", key, got)
		}
	}
}

func TestOverviewListsRulesWithMostAlertsAndCountsTheOthers(t *testing.T) {
	g := many(30)
	setAlerts(&g.Rules[29], firing(9)...)
	body := getOK(t, New(Options{State: demoState(g)}), "/")
	if !strings.Contains(body, ">Rule29</a>") || strings.Contains(body, ">Rule25</a>") || !strings.Contains(body, "and 5 more") {
		t.Errorf("got %s", body)
	}
}
