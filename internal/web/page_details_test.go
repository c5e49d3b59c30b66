package web

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/rules"
)

func TestEveryPageTellsThatTheLastReloadWentWrong(t *testing.T) {
	stale := errors.New("a.yml:3: bad expr")
	s := reloadsServer(demoReloads(), stale)
	targets := append(pagesOf(demoGroup(), 1), "/vmalert/rule?group_id=1&rule_id=1")
	for _, target := range targets {
		_, body := get(t, s, target)
		if !strings.Contains(body, "The last reload was refused") || strings.Count(body, `id="problems"`)+strings.Count(body, `home#problems"`) != 1 {
			t.Errorf("%s: the reload is not mentioned once, with a way to its problems", target)
		}
	}
	for _, target := range targets {
		if _, body := get(t, reloadsServer(demoReloads(), nil), target); strings.Contains(body, "problems\"") {
			t.Errorf("%s: trouble, though what runs is what the files say", target)
		}
	}
}

func TestEveryPageTellsThatNothingRunsYet(t *testing.T) {
	s := New(Options{Control: Control{Ready: func() error { return errors.New("loading") }}})
	for _, target := range []string{"/vmalert/groups", "/vmalert/alerts", "/vmalert/notifiers"} {
		if body := getOK(t, s, target); !strings.Contains(body, "not ready") {
			t.Errorf("%s does not say so", target)
		}
	}
}

func TestEveryPageCountsWhatFires(t *testing.T) {
	for _, target := range pagesOf(demoGroup(), 1) {
		if body := getOK(t, demoServer(), target); !strings.Contains(body, `<span class="state firing">1<span class="unseen"> firing</span>`) {
			t.Errorf("%s: no count", target)
		}
	}
	if body := getOK(t, New(Options{}), "/vmalert/alerts"); strings.Contains(body, "unseen") {
		t.Error("a count of none")
	}
}

func TestAlertPageTellsWhoHasAcceptedIt(t *testing.T) {
	g := demoGroup()
	a := &g.Rules[1].Alerts()[0]
	a.LastSent = at("2026-11-22T13:47:40Z")
	state := demoState(g)
	state.Deliveries = func(l labels.Labels) []Delivery {
		if l.Get("alertname") != "AlwaysFiring" {
			return nil
		}
		return []Delivery{
			{Target: NotifierTarget{Address: "am-1", LastSuccess: time.Unix(7, 0)}},
			{Target: NotifierTarget{Address: "am-2", LastError: "refused"}, Waiting: true},
			{Target: NotifierTarget{Address: "am-3"}, Waiting: true},
			{Target: NotifierTarget{Address: "am-4", LastError: "not about this"}, Dropped: true},
		}
	}
	body := getOK(t, New(Options{State: state}), pagesOf(g, 1)[11])
	var cells []string
	for _, e := range elements(t, body) {
		if e.is("state") || e.attrs["data-label"] == "Notifier" || e.is("error") || e.name == "time" && strings.HasPrefix(e.attrs["datetime"], "1970") {
			cells = append(cells, e.text)
		}
	}
	got := strings.Join(cells, "|")
	for _, want := range []string{"accepted|am-1|", "|failing|am-2|refused|", "|on its way|am-3|", "|dropped by relabeling|am-4"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
	if strings.Contains(body, "not about this") {
		t.Error("a target that is not to be told is blamed")
	}
}

func TestPendingAlertPageTellsWhenItFires(t *testing.T) {
	g := demoGroup()
	a := &g.Rules[2].Alerts()[0]
	a.ActiveAt = rules.InstantOf(time.Now().Add(-30*time.Minute - 5*time.Second))
	a.Restored = true
	s := New(Options{State: demoState(g)})
	body := getOK(t, s, pagesOf(g, 2)[11])
	for _, want := range []string{"must hold for 1h", "the alert fires", ">in 29m", "as storage remembered it", "Nobody yet, as it is not firing"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s", want)
		}
	}
	if list := getOK(t, s, "/vmalert/alerts?state=pending"); !strings.Contains(list, ">in 29m") {
		t.Error("the list does not tell")
	}
}

func TestRulePageExplainsWhatItShows(t *testing.T) {
	g := demoGroup()
	for i := range g.Group.Rules {
		g.Group.Rules[i].Line = 10 + i
	}
	s := New(Options{State: demoState(g)})
	rule := func(i int) string {
		return getOK(t, s, "/vmalert/rule?group_id="+id(g.ID)+"&rule_id="+id(g.Rules[i].ID))
	}
	for i, wants := range map[int][]string{
		0: {"recording", "rules.yml, line 10"},
		1: {"Try it", "<pre>curl vector(1) &gt; 0", "{{ $labels.alertname }} of", "1 firing, 0 pending", "1 sample from 0 series"},
		2: {"Must hold for", "1h"},
		3: {"missing closing )"},
		4: {"read no series", "No alert of this rule is active"},
	} {
		body := rule(i)
		for _, want := range wants {
			if !strings.Contains(body, want) {
				t.Errorf("rule %d: no %s", i, want)
			}
		}
	}
	if body := rule(0); strings.Contains(body, "<h2>Alerts") {
		t.Error("a recording rule has alerts")
	}
	if body := rule(1); strings.Contains(body, "read no series") {
		t.Error("a rule that fires is said to read nothing")
	}
}

func TestNotifiersPageTellsThatDiscoveryFails(t *testing.T) {
	state := State{
		Waiting: func() int { return 4 },
		Notifiers: func() []NotifierGroup {
			return []NotifierGroup{{Kind: "DNSSD", LastError: "no such host"}}
		},
	}
	body := getOK(t, New(Options{State: state}), "/vmalert/notifiers")
	for _, want := range []string{"DNSSD", "Discovery fails", "no such host", "Discovery finds none", "4 alerts wait", "-notifier.config"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s", want)
		}
	}
}

func TestOverviewWarnsThatNobodyIsTold(t *testing.T) {
	state := demoState(demo()...)
	state.Notifiers = nil
	if body := getOK(t, New(Options{State: state}), "/"); !strings.Contains(body, "nobody is told") {
		t.Error("alerts without a notifier go unmentioned")
	}
	record := demoGroup()
	record.Rules = record.Rules[:1]
	state.Groups = func() []*rules.Snapshot { return []*rules.Snapshot{record} }
	if body := getOK(t, New(Options{State: state}), "/"); strings.Contains(body, "nobody is told") {
		t.Error("recording rules need a notifier")
	}
}

func TestOverviewWithoutRulesSaysWhereTheyComeFrom(t *testing.T) {
	for _, target := range []string{"/", "/vmalert/groups"} {
		if body := getOK(t, New(Options{}), target); !strings.Contains(body, "<code>-rule</code>") {
			t.Errorf("%s: no hint", target)
		}
	}
}

func TestOverviewNamesLateGroups(t *testing.T) {
	late, fine, fresh := simpleGroup("f.yml", "late", "A"), simpleGroup("f.yml", "fine", "A"), simpleGroup("f.yml", "fresh", "A")
	late.LastEvaluation = rules.InstantOf(time.Now().Add(-10 * time.Minute))
	fine.LastEvaluation = rules.InstantOf(time.Now().Add(-30 * time.Second))
	body := getOK(t, New(Options{State: demoState(late, fine, fresh)}), "/")
	if !strings.Contains(body, "1</b> late groups") || !strings.Contains(body, ">late</a>") || strings.Contains(body, ">fine</a>") || strings.Contains(body, ">fresh</a>") {
		t.Errorf("got %s", body)
	}
}
