package web

import (
	"strings"
	"testing"
	"time"

	"tocsin/config"
	"tocsin/rules"
)

func TestGroupTellsOfItsGaps(t *testing.T) {
	at := func(s int) rules.Instant { return rules.InstantOf(time.Unix(int64(s), 0)) }
	snapshot := &rules.Snapshot{Group: &config.Group{Key: config.Key{File: "f", Name: "g"}}}
	state := State{Groups: func() []*rules.Snapshot { return []*rules.Snapshot{snapshot} }}
	if body := getOK(t, New(Options{State: state}), "/api/v1/rules"); strings.Contains(body, "gaps") {
		t.Errorf("a group without gaps tells of them: %s", body)
	}
	snapshot.Stats.Gaps = []rules.Gap{
		{From: at(60), To: at(120), Filled: 4, Unfilled: 2}, {From: at(300), To: at(300), Filled: 2},
	}
	const want = `,"gaps":[{"from":"1970-01-01T00:01:00Z","to":"1970-01-01T00:02:00Z","filled":4,"unfilled":2},` +
		`{"from":"1970-01-01T00:05:00Z","to":"1970-01-01T00:05:00Z","filled":2,"unfilled":0}]`
	if body := getOK(t, New(Options{State: state}), "/api/v1/rules"); !strings.Contains(body, want) {
		t.Errorf("got %s, want %s in it", body, want)
	}
}

func TestNotifiersTellWhatWaits(t *testing.T) {
	target := NotifierTarget{
		Address: "am", LastSuccess: time.Unix(60, 0).UTC(), Queued: 3, Oldest: time.Unix(90, 0).UTC(),
	}
	state := State{Notifiers: func() []NotifierGroup { return []NotifierGroup{{Kind: "static", Targets: []NotifierTarget{target}}} }}
	const want = `"lastError":"","lastSuccess":"1970-01-01T00:01:00Z","queued":3,"oldest":"1970-01-01T00:01:30Z"}`
	if body := getOK(t, New(Options{State: state}), "/api/v1/notifiers"); !strings.Contains(body, want) {
		t.Errorf("got %s, want %s in it", body, want)
	}
}
