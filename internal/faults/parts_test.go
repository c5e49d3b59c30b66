package main

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/internal/faults/plan"
	"tocsin/internal/faults/verdict"
)

func TestFlagsAreFoundInHelp(t *testing.T) {
	h := help("  -storage.path string\n      Folder\n  -rule.evalDelay duration   How far\n  -rule array\n  see -other.flag\n")
	for flag, want := range map[string]bool{
		"storage.path": true, "rule.evalDelay": true, "rule": true, "storage": false, "rule.eval": false, "other.flag": false,
	} {
		if got := h.has(flag); got != want {
			t.Errorf("has %s: %t, want %t", flag, got, want)
		}
	}
}

func TestListPrintsThePlan(t *testing.T) {
	var out, problems bytes.Buffer
	code := run(t.Context(), []string{"-list", "-faults=storage/*,process/kill", "-kills=5", "-duration=1m"}, &out, &problems)
	if code != 0 || problems.Len() > 0 {
		t.Fatalf("exit code %d: %s", code, problems.String())
	}
	if n := strings.Count(out.String(), "process/kill"); n != 5 || !strings.Contains(out.String(), "storage/") || strings.Contains(out.String(), "disk") {
		t.Errorf("%d kills in\n%s", n, out.String())
	}
}

func TestWrongArgumentsAreRefused(t *testing.T) {
	for _, args := range [][]string{
		{"-faults=storage/kill"}, {"-interval=1500ms"}, {"-unknown"}, {"-list", "-kills=1000", "-duration=10s"},
	} {
		var out, problems bytes.Buffer
		if code := run(t.Context(), args, &out, &problems); code != 2 || problems.Len() == 0 {
			t.Errorf("%q: exit code %d, %q", args, code, problems.String())
		}
	}
}

func TestTallyCountsHolesAtEachFault(t *testing.T) {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	past := []happened{
		{plan.Fault{Target: plan.Storage, Kind: plan.Down, Length: 10 * time.Second}, verdict.Window{From: at(20), To: at(30)}},
		{plan.Fault{Target: plan.Process, Kind: plan.Kill, Length: time.Second}, verdict.Window{From: at(25), To: at(25)}},
		{plan.Fault{Target: plan.Storage, Kind: plan.Down, Length: 5 * time.Second}, verdict.Window{From: at(60), To: at(65)}},
	}
	holes := []time.Time{at(5), at(18), at(25), at(26), at(40)}
	want := []tried{
		{name: "process/kill", times: 1, total: time.Second, longest: time.Second, holes: 2},
		{name: "storage/down", times: 2, total: 15 * time.Second, longest: 10 * time.Second, holes: 3},
	}
	if diff := cmp.Diff(want, tally(past, holes), cmp.AllowUnexported(tried{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestEveryKindOfLossCounts makes each of them happen alone.
func TestEveryKindOfLossCounts(t *testing.T) {
	for name, out := range map[string]*outcome{
		"a sample":               {records: verdict.Records{Missing: 1}},
		"a page":                 {pages: []verdict.Pages{{}, {Losses: verdict.Losses{verdict.Missing: 1}}}},
		"a death":                {course: course{troubles: []string{"it ended of itself"}}},
		"memory":                 {course: course{tooMuch: true}},
		"history, if it is told": {history: verdict.History{Missing: 1}, holesCount: true},
	} {
		if out.lost() != 1 {
			t.Errorf("%s: lost %d, want 1", name, out.lost())
		}
		var text bytes.Buffer
		report(&text, &options{}, []*outcome{out})
		if !strings.Contains(text.String(), "lost in all: 1\n") {
			t.Errorf("%s: the report does not say so:\n%s", name, text.String())
		}
	}
	if n := (&outcome{history: verdict.History{Missing: 1}}).lost(); n != 0 {
		t.Errorf("history that does not count: lost %d", n)
	}
}

func TestDiskIsFullAndThenIsNot(t *testing.T) {
	dir := t.TempDir()
	d, err := mountDisk(dir)
	if err != nil {
		t.Skip(err)
	}
	defer func() {
		if err := d.unmount(); err != nil {
			t.Error(err)
		}
	}()
	write := func() error { return os.WriteFile(dir+"/file", make([]byte, 8192), 0o600) }
	if err := d.fill(); err != nil {
		t.Fatal(err)
	}
	if err := write(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("writing to a full disk: %v", err)
	}
	if err := d.free(); err != nil {
		t.Fatal(err)
	}
	if err := write(); err != nil {
		t.Errorf("writing with space: %v", err)
	}
}
