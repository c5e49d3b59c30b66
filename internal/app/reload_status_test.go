package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"
)

type shownReload struct {
	Time     time.Time
	Trigger  string
	Duration float64
	Outcome  string
	Totals   shownTotals
	Problems []string
}

// reloads returns the last loads, the latest first.
func (d *running) reloads() []shownReload {
	d.t.Helper()
	code, body := d.get("/api/v1/status/reloads")
	var answer struct {
		Data struct{ Reloads []shownReload }
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || code != http.StatusOK {
		d.t.Fatalf("reloads: %d %s, %v", code, body, err)
	}
	return answer.Data.Reloads
}

func TestFirstLoadIsShownAmongReloads(t *testing.T) {
	before := time.Now()
	d, _ := reloadable(t, group("one", "up"))
	all := d.reloads()
	if len(all) != 1 || all[0].Trigger != "start" || all[0].Outcome != "applied" || all[0].Totals.Groups != (shownCounts{Added: 1}) {
		t.Fatalf("got %+v, want the first load", all)
	}
	if all[0].Time.Before(before.Truncate(time.Second)) || all[0].Duration <= 0 {
		t.Errorf("it began at %s and took %gs", all[0].Time, all[0].Duration)
	}
}

func TestLastTenLoadsAreShown(t *testing.T) {
	d, path := reloadable(t, group("one", "up"))
	for n := range 9 {
		write(t, path, group("one", fmt.Sprintf("v%d", n)))
		d.reloaded()
	}
	write(t, path, badGroup)
	d.post()
	d.reload <- struct{}{}
	d.awaitLog("rules reloaded, files with problems keep what they had", 2)
	all := d.reloads()
	if len(all) != 10 {
		t.Fatalf("%d loads are shown, want 10", len(all))
	}
	for i, want := range []string{"signal partly applied", "http partly applied", "http applied"} {
		if got := all[i].Trigger + " " + all[i].Outcome; got != want {
			t.Errorf("load %d is %q, want %q", i, got, want)
		}
	}
	if n := len(all[0].Problems); n != 1 {
		t.Errorf("the last load has %d problems, want 1", n)
	}
	for i := 2; i < 10; i++ {
		if got := all[i].Totals.Groups; got != (shownCounts{Changed: 1}) {
			t.Errorf("load %d did %+v, want one group changed", i, got)
		}
		if all[i].Time.After(all[i-1].Time) {
			t.Errorf("load %d is later than the one before it", i)
		}
	}
}

func TestReloadIsSummedUpInOneLine(t *testing.T) {
	d, path := reloadable(t, "groups: [{name: g, rules: [{alert: A, expr: a}, {alert: B, expr: b}, {alert: C, expr: c}]}]")
	write(t, path, "groups: [{name: g, rules: [{alert: A, expr: a2}, {alert: B2, expr: b}, {alert: D, expr: d}]}, {name: h}]")
	d.reloaded()
	r := d.awaitLog("rules reloaded", 1)
	for name, want := range map[string]string{
		"trigger": "http", "problems": "0", "added": "1", "changed": "1", "moved": "0", "kept": "0", "removed": "0",
		"rules_added": "1", "rules_changed": "1", "rules_moved": "1", "rules_removed": "1",
		"alerts_resolved": "0", "alerts_reset": "0",
	} {
		if got := attr(r, name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	if d.metric("tocsin_config_last_reload_duration_seconds") <= 0 {
		t.Error("the metric of its duration is not positive")
	}
}

// A check of the files that finds nothing new is not a load.
func TestChecksThatFindNothingAreNotShown(t *testing.T) {
	s := startServed(t, group("one", "up"), func(o *Options) { o.Rules.ConfigCheckInterval = time.Millisecond })
	s.awaitChecks(10)
	if n := len(s.reloads()); n != 1 {
		t.Errorf("%d loads are shown, want the first", n)
	}
	s.serves(group("one", "new"))
	s.awaitLog("rules reloaded", 1)
	if all := s.reloads(); all[0].Trigger != "check" || all[0].Totals.Groups.Changed != 1 {
		t.Errorf("got %+v, want the check first", all)
	}
}

// The timestamp tells since when what runs is what the files say: a load that
// changes nothing leaves it, and so does one that leaves a file broken.
func TestTimestampIsThatOfTheLastChange(t *testing.T) {
	d, _, a, b := twoFiles(t)
	first := d.metric(reloadTimestamp)
	awaitNextSecond(t, first)
	d.reloaded()
	if got := d.metric(reloadTimestamp); got != first {
		t.Errorf("timestamp is %v after a reload of unchanged files, was %v", got, first)
	}
	write(t, a, brokenFile)
	write(t, b, alert("b", "new"))
	d.post()
	if got := d.metric(reloadTimestamp); got != first {
		t.Errorf("timestamp is %v with a broken file, was %v", got, first)
	}
	write(t, a, alert("a", "up"))
	d.reloaded()
	if got := d.metric(reloadTimestamp); got <= first {
		t.Errorf("timestamp is %v once all that was edited is in force, was %v", got, first)
	}
}
