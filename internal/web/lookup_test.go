package web

import (
	"testing"

	"tocsin/rules"
)

func TestGroupsOfOneNameInTwoFilesAreKeptApart(t *testing.T) {
	first, second := simpleGroup("a.yml", "same", "A"), simpleGroup("b.yml", "same", "A")
	setAlerts(&first.Rules[0], rules.Instance{State: rules.Firing, ID: 1, Value: 1})
	setAlerts(&second.Rules[0], rules.Instance{State: rules.Firing, ID: 1, Value: 2})
	s := New(Options{State: demoState(first, second)})
	if got := askRules(t, s, "file[]=b.yml").Data.Groups; len(got) != 1 || got[0].File != "b.yml" || got[0].Rules[0].Alerts[0].Value != "2" {
		t.Errorf("of b.yml: %+v", got)
	}
	for g, want := range map[*rules.Snapshot]string{first: "1", second: "2"} {
		file := g.Group.Key.File
		if got := decode[groupAnswer](t, getOK(t, s, "/api/v1/group?group_id="+id(g.ID))); got.File != file {
			t.Errorf("group %d is of %s, want %s", g.ID, got.File, file)
		}
		body := getOK(t, s, "/api/v1/alert?alert_id=1&group_id="+id(g.ID))
		source := demoLink(g.Group)(nil, &g.Rules[0].Alerts()[0]).String()
		if got := decode[alertAnswer](t, body); got.Value != want || got.Source != source {
			t.Errorf("alert of %s: got %+v, want value %s", file, got, want)
		}
	}
}

// An expression such as vector(1) reads no series, yet has a result.
func TestResultWithoutSeriesIsAMatch(t *testing.T) {
	g := simpleGroup("a.yml", "g", "Constant")
	g.Rules[0].History = rules.HistoryOf(rules.Update{At: at("2026-11-22T13:00:00Z"), Samples: 1, SeriesFetched: 0})
	s := New(Options{State: demoState(g)})
	if got := askRules(t, s, "extended_states=true").Data.Groups[0].Rules[0].State; got != "inactive" {
		t.Errorf("state %q, want inactive", got)
	}
	// Nor is it no match when the datasource does not say what it read.
	g.Rules[0].History = rules.HistoryOf(rules.Update{At: at("2026-11-22T13:00:00Z"), SeriesFetched: -1})
	if got := askRules(t, s, "extended_states=true").Data.Groups[0].Rules[0].State; got != "inactive" {
		t.Errorf("state %q, want inactive", got)
	}
}
