package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/internal/app"
)

func TestReplayPeriod(t *testing.T) {
	now := time.Date(2024, 5, 10, 12, 30, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"2024-05-01T12:00:00Z":      time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC),
		"2024-05-01T12:00:00.5Z":    time.Date(2024, 5, 1, 12, 0, 0, 5e8, time.UTC),
		"2024-05-01T12:00:00+02:00": time.Date(2024, 5, 1, 10, 0, 0, 0, time.UTC),
		"2024-05-01":                time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC),
		"1714564800":                time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC),
		"now":                       now,
		"now-1d":                    now.Add(-24 * time.Hour),
		"now-1h30m":                 now.Add(-90 * time.Minute),
	} {
		if got, err := readMoment("flag", text, now); err != nil || !got.Equal(want) {
			t.Errorf("%s is %s, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "x", "now+1h", "now-", "now-x", "now--1h", "1h", "-5", "0", "1969-01-01", "2024-05-01T12:00"} {
		if got, err := readMoment("flag", text, now); err == nil {
			t.Errorf("%q is %s, want an error", text, got)
		}
	}
}

func TestReplayFlags(t *testing.T) {
	o := mustParse(t, "-remoteWrite.url=http://vm", "-replay.timeFrom=2024-05-01T12:00:00Z", "-replay.timeTo=2024-05-02T12:00:00Z",
		"-replay.maxDatapointsPerQuery=10", "-replay.ruleEvaluationConcurrency=3", "-replay.ruleRetryAttempts=2",
		"-replay.rulesDelay=5s", "-replay.continueWithExecutionErr", "-replay.disableProgressBar", "-replay.resume=false")
	want := app.ReplayOptions{
		Wanted: true, From: time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC), To: time.Date(2024, 5, 2, 12, 0, 0, 0, time.UTC),
		Written: "2024-05-01T12:00:00Z 2024-05-02T12:00:00Z", MaxPoints: 10, Concurrency: 3, Attempts: 2,
		RulesDelay: 5 * time.Second, SkipFailing: true, Lines: true,
	}
	if diff := cmp.Diff(want, o.Replay); diff != "" {
		t.Errorf("options (-want +got):\n%s", diff)
	}
}

func TestReplayEndsNowByDefault(t *testing.T) {
	before := time.Now()
	o := mustParse(t, "-remoteWrite.url=http://vm", "-replay.timeFrom=now-1h").Replay
	if !o.Open || o.To.Before(before) || o.To.Sub(o.From) != time.Hour {
		t.Errorf("period is %s to %s, open=%t; want the last hour", o.From, o.To, o.Open)
	}
	if mustParse(t).Replay.Wanted {
		t.Error("without -replay.timeFrom something is replayed")
	}
}

func TestReplayFlagsThatCannotBeMeant(t *testing.T) {
	const from, write = "-replay.timeFrom=2024-05-01T12:00:00Z", "-remoteWrite.url=http://vm"
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{from}, "-replay.timeFrom needs -remoteWrite.url"},
		{[]string{write, "-replay.timeTo=2024-05-01T12:00:00Z"}, "-replay.timeTo needs -replay.timeFrom"},
		{[]string{write, "-replay.timeFrom=yesterday"}, `-replay.timeFrom: "yesterday" is not a time`},
		{[]string{write, from, "-replay.timeTo=2024-05-01T12:00:00Z"}, "is not after -replay.timeFrom"},
		{[]string{write, from, "-replay.maxDatapointsPerQuery=0"}, "-replay.maxDatapointsPerQuery must be more than 0"},
		{[]string{write, from, "-replay.ruleRetryAttempts=0"}, "-replay.ruleRetryAttempts must be more than 0"},
		{[]string{write, from, "-replay.ruleEvaluationConcurrency=0"}, "-replay.ruleEvaluationConcurrency must be more than 0"},
		{[]string{write, from, "-replay.rulesDelay=-1s"}, "-replay.rulesDelay must not be negative"},
	} {
		_, err := parse(append([]string{"-datasource.url=http://vm"}, c.args...), func(string) (string, bool) { return "", false })
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q gives %v, want %q", c.args, err, c.want)
		}
	}
	// A check of the rules evaluates nothing.
	mustParse(t, from, "-dryRun")
}

func FuzzReplayPeriod(f *testing.F) {
	for _, text := range []string{"now-1d", "2024-05-01T12:00:00Z", "1714564800", "now--9y"} {
		f.Add(text)
	}
	now := time.Date(2024, 5, 10, 12, 30, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		if at, err := readMoment("flag", text, now); err == nil && at.Unix() <= 0 {
			t.Errorf("%q is %s", text, at)
		}
	})
}
