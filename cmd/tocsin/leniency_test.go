package main

import (
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/config"
)

// Command lines that vmalert runs with are not refused for what can be understood.

func TestZeroStandsForTheDefaultWhereItDoesInVmalert(t *testing.T) {
	o := mustParse(t, "-remoteWrite.url=http://vm", "-remoteWrite.concurrency=0", "-remoteWrite.flushInterval=0s",
		"-remoteWrite.maxBatchSize=0", "-remoteWrite.maxQueueSize=0", "-remoteWrite.retryMinInterval=0",
		"-remoteWrite.sendTimeout=0", "-rule.defaultRuleType=")
	if got, want := o.RemoteWrite.Concurrency, 2*runtime.GOMAXPROCS(0); got != want {
		t.Errorf("concurrency %d, want %d", got, want)
	}
	if got := o.Rules.DefaultType; got != config.Prometheus {
		t.Errorf("type %q, want prometheus", got)
	}
}

func TestNegativeLimitsAreNone(t *testing.T) {
	o := mustParse(t, "-rule.resultsLimit=-1", "-datasource.roundDigits=-1", "-rule.updateEntriesLimit=-1")
	if o.Rules.ResultsLimit != 0 || o.Rules.UpdateEntriesLimit != 1 {
		t.Errorf("limit %d, entries %d, want 0 and 1", o.Rules.ResultsLimit, o.Rules.UpdateEntriesLimit)
	}
}

func TestNegativeDurationsOfWhatIsOptionalSwitchItOff(t *testing.T) {
	o := mustParse(t, "-configCheckInterval=-1s", "-rule.resendDelay=-1m", "-rule.maxResolveDuration=-1h").Rules
	if o.ConfigCheckInterval != 0 || o.ResendDelay != 0 || o.MaxResolveDuration != 0 {
		t.Errorf("got %s, %s and %s, want 0", o.ConfigCheckInterval, o.ResendDelay, o.MaxResolveDuration)
	}
}

func TestPasswordWithoutAUserIsSentWithAWarning(t *testing.T) {
	line, err := parse(valid(
		"-datasource.basicAuth.username=", "-datasource.basicAuth.passwordFile=/secrets/password",
		"-remoteRead.basicAuth.username=u", "-remoteRead.basicAuth.password=p",
		"-remoteWrite.url=http://vm", "-remoteWrite.basicAuth.password=p",
		"-notifier.url=http://a,http://b,http://c", `-notifier.basicAuth.username="u","",""`, "-notifier.basicAuth.passwordFile=/1,/2,",
	), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"-datasource.basicAuth.password is sent without a user, as -datasource.basicAuth.username is not set",
		"-remoteWrite.basicAuth.password is sent without a user, as -remoteWrite.basicAuth.username is not set",
		"-notifier.basicAuth.password (address 2) is sent without a user, as -notifier.basicAuth.username (address 2) is not set",
	}
	if diff := cmp.Diff(want, line.warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

func TestEmptyTemplateFilesAreNone(t *testing.T) {
	if got := mustParse(t, "-rule.templates=", "-rule.templates=a.tmpl,").Rules.Templates; len(got) != 1 || got[0] != "a.tmpl" {
		t.Errorf("got %q, want a.tmpl only", got)
	}
}

// Helm charts quote headers although no shell takes the quotes.
func TestQuotesAroundHeadersAreNoPartOfThem(t *testing.T) {
	o := mustParse(t, `-datasource.headers='A: b^^C: d'`, `-remoteRead.headers="E: f"`, `-notifier.url=http://a`, `-notifier.headers='G: h^^I: j'`)
	got := [][]string{o.Datasource.Client.Headers, o.RemoteRead.Client.Headers, o.Notifier.Targets[0].Client.Headers}
	want := [][]string{{"A: b", "C: d"}, {"E: f"}, {"G: h", "I: j"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
}

func TestDurationsMayHaveDays(t *testing.T) {
	if got := mustParse(t, "-remoteRead.lookback=1d12h").RemoteRead.Lookback; got != 36*time.Hour {
		t.Errorf("got %s, want 36h", got)
	}
}

func TestFlagsThatAreNotUsedGetOneWarningForEachReason(t *testing.T) {
	line, err := parse(valid("-memory.allowedPercent=40.5", "-licenseFile=/etc/key", "-internStringMaxLen=100", "-eula", "-memory.allowedBytes=1GiB"), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"-eula, -licenseFile: not used, as tocsin needs no licence",
		"-internStringMaxLen, -memory.allowedBytes, -memory.allowedPercent: not used, as there is nothing to be set by them",
	}
	if diff := cmp.Diff(want, line.warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}
