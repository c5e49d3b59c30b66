package web

import (
	"strings"
	"testing"
	"time"

	"tocsin/config"
	"tocsin/rules"
)

// asked is a request for a page at that moment.
func asked(now string) pageRequest { return pageRequest{now: at(now).Time(), base: "./", root: "../"} }

func TestGroupClockTellsWhenTheNextRoundIs(t *testing.T) {
	g := demoGroup() // every 2s, last at 13:47:42.178
	g.Group.Interval = 10 * time.Second
	for now, want := range map[string]groupClock{
		"2026-11-22T13:47:45.178Z": {},
		"2026-11-22T13:47:53Z":     {Due: true},
		"2026-11-22T13:48:03Z":     {Due: true, Late: true},
	} {
		c := asked(now).groupClock(g)
		if c.Due != want.Due || c.Late != want.Late || c.Next.Stamp != "2026-11-22T13:47:52Z" || !c.Begun {
			t.Errorf("at %s: got %+v", now, c)
		}
	}
	if c := asked("2026-11-22T13:47:45Z").groupClock(simpleGroup("f", "g", "A")); c.Begun || c.Late || c.Took != "" {
		t.Errorf("before the first round: %+v", c)
	}
}

func TestGroupClockWarnsOfRoundsThatTakeLong(t *testing.T) {
	for took, want := range map[time.Duration]groupClock{
		time.Millisecond: {Share: "under 1%"},
		time.Second:      {Share: "50%"},
		1600 * time.Millisecond: {
			Share: "80%", Slow: true,
		},
		3 * time.Second: {Share: "150%", Slow: true},
	} {
		g := simpleGroup("f", "g", "A")
		g.Group.Interval, g.LastEvaluation = 2*time.Second, at("2026-11-22T13:00:00Z")
		g.Rules[0].History = rules.HistoryOf(rules.Update{Began: g.LastEvaluation, At: g.LastEvaluation, Duration: took})
		if c := asked("2026-11-22T13:00:01Z").groupClock(g); c.Share != want.Share || c.Slow != want.Slow {
			t.Errorf("%s of 2s: got %+v", took, c)
		}
	}
}

func TestOutlookOfAnAlert(t *testing.T) {
	rule := &config.Rule{For: time.Hour, KeepFiringFor: 5 * time.Minute}
	began := at("2026-11-22T13:00:00Z")
	for name, test := range map[string]struct {
		alert rules.Instance
		now   string
		want  outlook
	}{
		"pending": {
			rules.Instance{State: rules.Pending, ActiveAt: began}, "2026-11-22T13:48:00Z",
			outlook{What: "fires", At: when{"2026-11-22T14:00:00Z", "in 12m"}},
		},
		"pending long enough": {
			rules.Instance{State: rules.Pending, ActiveAt: began}, "2026-11-22T14:00:00Z",
			outlook{What: "fires", At: when{"2026-11-22T14:00:00Z", "0s ago"}, Now: true},
		},
		"kept firing": {
			rules.Instance{State: rules.Firing, KeepFiringSince: began}, "2026-11-22T13:01:30Z",
			outlook{What: "ends", At: when{"2026-11-22T13:05:00Z", "in 3m30s"}},
		},
		"firing":   {rules.Instance{State: rules.Firing, ActiveAt: began}, "2026-11-22T13:48:00Z", outlook{}},
		"resolved": {rules.Instance{ActiveAt: began, ResolvedAt: began}, "2026-11-22T13:48:00Z", outlook{}},
	} {
		if got := asked(test.now).outlook(rule, &test.alert); got != test.want {
			t.Errorf("%s: got %+v, want %+v", name, got, test.want)
		}
	}
}

func TestPagesShowMissedRoundsAndGaps(t *testing.T) {
	g := demoGroup()
	g.Stats = rules.GroupStats{
		Missed: 3, Filled: 5, Unfilled: 2,
		Gaps: []rules.Gap{{From: at("2026-11-22T12:00:00Z"), To: at("2026-11-22T12:10:00Z"), Filled: 5, Unfilled: 2}},
	}
	s := New(Options{State: demoState(g, secondGroup())})
	for _, target := range []string{"/vmalert/groups?group_id=" + id(g.ID), pagesOf(g, 1)[10]} {
		body := getOK(t, s, target)
		for _, want := range []string{"3 rounds missed", "5 evaluations made up for", "2 evaluations given up", "2026-11-22T12:00:00Z", "2026-11-22T12:10:00Z"} {
			if !strings.Contains(body, want) {
				t.Errorf("%s: no %s", target, want)
			}
		}
	}
	if body := getOK(t, s, "/vmalert/groups?group_id="+id(secondGroup().ID)); strings.Contains(body, "missed") || strings.Contains(body, "Gaps") {
		t.Error("a group without gaps shows some")
	}
}
