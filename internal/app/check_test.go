package app

import (
	"testing"
	"time"
)

// checked starts a daemon that looks for changed files often.
func checked(t *testing.T, text string) (d *running, path string) {
	return reloadable(t, text, func(o *Options) { o.Rules.ConfigCheckInterval = 2 * time.Millisecond })
}

// awaitErrors waits until n reloads have failed.
func (d *running) awaitErrors(n float64) {
	d.t.Helper()
	await(d.t, "reloads fail", func() bool { return d.metric(reloadErrors) >= n })
}

func TestCheckFindsChangedFiles(t *testing.T) {
	d, path := checked(t, group("one", "up"))
	write(t, path, group("two", "up"))
	if r := d.awaitLog("rules reloaded", 1); attr(r, "trigger") != "check" {
		t.Errorf("logged %v", r)
	}
	d.expectGroups("two")
	d.expectReloads(1, 0, 1)
}

func TestCheckOfUnchangedFilesReportsNothing(t *testing.T) {
	s := startServed(t, group("one", "up"), func(o *Options) { o.Rules.ConfigCheckInterval = time.Millisecond })
	s.awaitChecks(10)
	s.expectReloads(0, 0, 1)
	if n := len(s.log.records("rules reloaded")); n != 0 {
		t.Errorf("%d reloads were logged:\n%s", n, s.log)
	}
}

// awaitChecks waits for n further looks at the rule file.
func (s *served) awaitChecks(n int64) {
	s.t.Helper()
	goal := s.served.Load() + n
	await(s.t, "the rule file is looked at", func() bool { return s.served.Load() >= goal })
}

func TestCheckReportsABadFileOnce(t *testing.T) {
	s := startServed(t, group("one", "up"), func(o *Options) { o.Rules.ConfigCheckInterval = time.Millisecond })
	s.serves(badGroup)
	s.awaitErrors(1)
	s.awaitChecks(10)
	if n := len(s.log.records("configuration has a problem")); n != 1 {
		t.Errorf("%d failures were logged:\n%s", n, s.log)
	}
	s.expectGroups("one")
	s.expectReloads(1, 1, 0)
}

func TestCheckReportsAFileThatIsBadInAnotherWay(t *testing.T) {
	d, path := checked(t, group("one", "up"))
	write(t, path, badGroup)
	d.awaitErrors(1)
	write(t, path, "groups: [{name: g, rules: [{alert: A}]}]")
	if r := d.awaitLog("configuration has a problem", 2); attr(r, "error") == "" {
		t.Errorf("logged %v", r)
	}
}

func TestCheckRecoversWhenFilesAreRolledBack(t *testing.T) {
	d, path := checked(t, group("one", "up"))
	before := d.metric(reloadTimestamp)
	write(t, path, badGroup)
	d.awaitErrors(1)
	awaitNextSecond(t, before)
	write(t, path, group("one", "up"))
	await(t, "the configuration is good again", func() bool { return d.metric(reloadSuccessful) == 1 })
	if got := d.metric(reloadTimestamp); got != before {
		t.Errorf("time of the last success is %v, was %v", got, before)
	}
	if n := len(d.log.records("rules reloaded")); n != 0 {
		t.Errorf("a reload was logged:\n%s", d.log)
	}
	if got := d.metric(reloadTotal); got != 1 {
		t.Errorf("%v reloads, want only the failed one", got)
	}
}

func TestSlowCheckDoesNotDelayTheEnd(t *testing.T) {
	s := startServed(t, group("one", "up"), func(o *Options) { o.Rules.ConfigCheckInterval = time.Millisecond })
	arrived, _ := s.w.block(t, s.rules)
	<-arrived
	if err := s.stop(); err != nil {
		t.Errorf("end of the daemon: %v", err)
	}
}
