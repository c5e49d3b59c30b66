package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tocsin/internal/app"
)

// given writes the flags that were set as the page /flags does.
func given(o app.Options) []string {
	var lines []string
	for _, f := range o.Flags {
		if f.IsSet {
			lines = append(lines, fmt.Sprintf("-%s=%q", f.Name, f.Value))
		}
	}
	return lines
}

func TestFlagsPageOfVmalert(t *testing.T) {
	o := mustParse(t, "-external.label=cluster=dev", "-external.url=http://tocsin.example", "-group.maxStartDelay=1s",
		"-httpListenAddr=127.0.0.1:8880", "-notifier.url=http://am:9093", "-remoteRead.url=http://vm:8428",
		"-remoteWrite.url=http://vm:8428", "-rule=rules.yml", "-rule.evalDelay=1s")
	want := []string{
		`-datasource.url="secret"`,
		`-external.label="cluster=dev"`,
		`-external.url="http://tocsin.example"`,
		`-group.maxStartDelay="1s"`,
		`-httpListenAddr="127.0.0.1:8880"`,
		`-notifier.url="secret"`,
		`-remoteRead.url="secret"`,
		`-remoteWrite.url="secret"`,
		`-rule="rules.yml"`,
		`-rule.evalDelay="1s"`,
	}
	if diff := cmp.Diff(want, given(o)); diff != "" {
		t.Errorf("flags (-want +got):\n%s", diff)
	}
}

func TestURLsAreShownWhenAsked(t *testing.T) {
	o := mustParse(t, "-datasource.showURL", "-notifier.url=http://am:9093", "-notifier.showURL",
		"-remoteRead.url=http://vm:8428", "-remoteRead.showURL", "-remoteWrite.url=http://vm:8428", "-remoteWrite.showURL")
	shown := strings.Join(given(o), "\n")
	for _, want := range []string{
		`-datasource.url="http://vm:8428"`, `-notifier.url="http://am:9093"`,
		`-remoteRead.url="http://vm:8428"`, `-remoteWrite.url="http://vm:8428"`,
	} {
		if !strings.Contains(shown, want) {
			t.Errorf("%s is missing in\n%s", want, shown)
		}
	}
}

func TestSecretsOfURLsThatAreShownAreHidden(t *testing.T) {
	const at = "https://user:hidden@tocsin.example/x?k=hidden"
	for _, flag := range []string{"rule", "notifier.config", "tlsAutocertDirectoryURL"} {
		args := []string{"-datasource.url=http://vm:8428", "-" + flag + "=" + at}
		line, err := parse(args, noEnv)
		if err != nil {
			t.Fatal(err)
		}
		shown := strings.Join(given(line.options), "\n")
		if strings.Contains(shown, "hidden") || !strings.Contains(shown, "tocsin.example/x") {
			t.Errorf("shown:\n%s", shown)
		}
	}
}

func TestFurtherFlagsAreHiddenByName(t *testing.T) {
	o := mustParse(t, "-secret.flags=external.URL,rule", "-external.url=http://x", "-rule=a", "-rule.evalDelay=1s")
	want := []string{
		`-datasource.url="secret"`, `-external.url="secret"`, `-rule="secret"`, `-rule.evalDelay="1s"`, `-secret.flags="secret"`,
	}
	if diff := cmp.Diff(want, given(o)); diff != "" {
		t.Errorf("flags (-want +got):\n%s", diff)
	}
}

func TestNoFlagShowsItsSecret(t *testing.T) {
	const secret = "hunter2"
	o := mustParse(t,
		"-httpAuth.username=u", "-httpAuth.password="+secret, "-reloadAuthKey="+secret, "-metricsAuthKey="+secret,
		"-flagsAuthKey="+secret, "-pprofAuthKey="+secret, "-license="+secret,
		"-datasource.basicAuth.username=u", "-datasource.basicAuth.password="+secret, "-datasource.headers=X-Key: "+secret,
		"-remoteRead.bearerToken="+secret,
		"-remoteWrite.oauth2.clientID=i", "-remoteWrite.oauth2.clientSecret="+secret, "-remoteWrite.oauth2.tokenUrl=http://u:"+secret+"@idp",
		`-remoteWrite.oauth2.endpointParams={"assertion":"`+secret+`"}`,
		"-notifier.url=http://u:"+secret+"@am", "-notifier.bearerToken="+secret, "-notifier.headers=X: "+secret,
		"-rule=http://u:"+secret+"@git/rules.yml?private_token="+secret,
	)
	for _, f := range o.Flags {
		if strings.Contains(f.Value, secret) {
			t.Errorf("-%s shows %q", f.Name, f.Value)
		}
	}
	for _, f := range o.Flags {
		if f.Name == "rule" && !strings.Contains(f.Value, "git/rules.yml") {
			t.Errorf("-rule hides the file as well: %q", f.Value)
		}
	}
}

func TestFlagsAreSortedAndComplete(t *testing.T) {
	o := mustParse(t)
	for i := 1; i < len(o.Flags); i++ {
		if o.Flags[i-1].Name >= o.Flags[i].Name {
			t.Errorf("-%s stands before -%s", o.Flags[i-1].Name, o.Flags[i].Name)
		}
	}
	byName := make(map[string]app.Flag)
	for _, f := range o.Flags {
		byName[f.Name] = f
	}
	for _, want := range []app.Flag{
		{Name: "evaluationInterval", Value: "1m0s"},
		{Name: "httpAuth.password", Value: "secret"},
		{Name: "rule.validateTemplates", Value: "true"},
		{Name: "datasource.url", Value: "secret", IsSet: true},
	} {
		if got := byName[want.Name]; got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}
