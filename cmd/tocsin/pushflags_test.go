package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/internal/app"
	"tocsin/internal/pushmetrics"
)

func TestPushFlags(t *testing.T) {
	o := mustParse(t, "-metrics.exposeMetadata", "-pushmetrics.url=http://a.example/x?y=1,2", "-pushmetrics.url=http://b.example,",
		"-pushmetrics.interval=1m", `-pushmetrics.extraLabel=instance="foo"`, `-pushmetrics.extraLabel=job="a",zone="b"`,
		"-pushmetrics.header=Authorization: Basic foobar", "-pushmetrics.disableCompression").Metrics
	want := app.MetricsOptions{
		ExposeMetadata: true, PushURLs: []string{"http://a.example/x?y=1,2", "http://b.example"}, PushInterval: time.Minute,
		PushLabels:  []pushmetrics.Label{{Name: "instance", Value: "foo"}, {Name: "job", Value: "a"}, {Name: "zone", Value: "b"}},
		PushHeaders: []string{"Authorization: Basic foobar"}, PushUncompressed: true,
	}
	if diff := cmp.Diff(want, o); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
}

func TestNothingIsPushedUnasked(t *testing.T) {
	if diff := cmp.Diff(app.MetricsOptions{PushInterval: 10 * time.Second}, mustParse(t).Metrics); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
}

func TestPushFlagsThatMakeNoSense(t *testing.T) {
	for arg, want := range map[string]string{
		"-pushmetrics.url=vm:8428":        "-pushmetrics.url: address 1: ",
		"-pushmetrics.interval=0":         "-pushmetrics.interval must be more than 0",
		"-pushmetrics.extraLabel=foo":     "-pushmetrics.extraLabel: not of the form",
		"-pushmetrics.extraLabel=foo=bar": "-pushmetrics.extraLabel: the value of foo is not in double quotes",
		"-pushmetrics.header=s3cret":      "-pushmetrics.header: header 1 is not",
	} {
		_, err := parse(valid(arg), noEnv)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: got %v, want %s", arg, err, want)
		}
	}
}

func TestPushSecretsAreMasked(t *testing.T) {
	o := mustParse(t, "-pushmetrics.url=http://ann:hunter2@vm.example", "-pushmetrics.header=X-Any: hunter2")
	for _, f := range o.Flags {
		if strings.Contains(f.Value, "hunter2") {
			t.Errorf("-%s=%s", f.Name, f.Value)
		}
	}
}
