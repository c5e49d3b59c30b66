package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/internal/app"
)

func TestNotifierFileIsOneOfThreeWays(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"-notifier.config=n.yml", "-notifier.url=http://am"}, "-notifier.url and -notifier.config exclude each other"},
		{[]string{"-notifier.config=n.yml", "-notifier.blackhole"}, "-notifier.config and -notifier.blackhole exclude each other"},
		{[]string{"-notifier.config=n.yml", "-notifier.blackhole", "-notifier.url=http://am"}, "-notifier.url, -notifier.config and -notifier.blackhole exclude one another"},
	} {
		if diff := cmp.Diff([]string{tt.want}, parseProblems(t, noEnv, valid(tt.args...)...)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestFlagsOfDiscovery(t *testing.T) {
	o := mustParse(t, "-notifier.config=n.yml", "-promscrape.consulSDCheckInterval=10s",
		"-promscrape.consul.waitTime=1m", "-promscrape.dnsSDCheckInterval=5s")
	want := app.DiscoveryOptions{ConsulInterval: 10 * time.Second, ConsulWait: time.Minute, DNSInterval: 5 * time.Second}
	if diff := cmp.Diff(want, o.Notifier.Discovery); diff != "" || o.Notifier.Config != "n.yml" {
		t.Errorf("config is %q, discovery (-want +got):\n%s", o.Notifier.Config, diff)
	}
}

func TestConnectionFlagsBesideNotifierFileAreWarnedOf(t *testing.T) {
	line, err := parse(valid("-notifier.config=n.yml", "-notifier.bearerToken=x", "-notifier.sendTimeout=1s"), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"-notifier.bearerToken is for -notifier.url; with -notifier.config the file has to say it",
		"-notifier.sendTimeout is for -notifier.url; with -notifier.config the file has to say it",
	}
	if diff := cmp.Diff(want, line.warnings); diff != "" {
		t.Error(diff)
	}
}

func TestSecretsInTheAddressOfTheNotifierFileAreHidden(t *testing.T) {
	o := mustParse(t, "-notifier.config=http://u:hunter2@host/n.yml?token=hunter2")
	for _, f := range o.Flags {
		if f.Name == "notifier.config" && f.Value != "http://xxxxx@host/n.yml?token=xxxxx" {
			t.Errorf("shown as %q", f.Value)
		}
	}
}
