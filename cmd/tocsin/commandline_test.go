package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/config"
	"tocsin/internal/app"
	"tocsin/internal/httpx"
)

// The command line of a vmalert behind the Kubernetes operator, as far as it
// matters here.
func TestOperatorCommandLine(t *testing.T) {
	o := mustParse(t,
		`-rule="/etc/vmalert/config/a/*.yaml"`, `-rule="/etc/vmalert/config/b/*.yaml"`,
		"-evaluationInterval=30s", "-httpListenAddr=:8080",
		"-notifier.url=http://am-0:9093,http://am-1:9093",
		"--datasource.headers=X-Scope: a^^X-Other:b",
		"-remoteWrite.url=http://vm:8428", "-remoteRead.url=http://vm:8428",
		"-external.label=cluster=dev", "-configCheckInterval=1d",
	)
	if diff := cmp.Diff([]string{"/etc/vmalert/config/a/*.yaml", "/etc/vmalert/config/b/*.yaml"}, o.Rules.Files); diff != "" {
		t.Errorf("rule files (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"http://am-0:9093", "http://am-1:9093"}, o.Notifier.URLs); diff != "" {
		t.Errorf("notifiers (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"X-Scope: a", "X-Other:b"}, o.Datasource.Client.Headers); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{":8080"}, addresses(o)); diff != "" {
		t.Errorf("listen addresses (-want +got):\n%s", diff)
	}
	if got := o.Rules.ConfigCheckInterval; got != 24*time.Hour {
		t.Errorf("-configCheckInterval is %s, want a day", got)
	}
}

func TestDefaultOptions(t *testing.T) {
	o := mustParse(t)
	want := app.RuleOptions{
		DefaultType: config.Prometheus, EvaluationInterval: time.Minute, EvalDelay: 30 * time.Second,
		MaxStartDelay: 5 * time.Minute, UpdateEntriesLimit: 20, ValidateExpressions: true, ValidateTemplates: true,
		ErrorResendDuration: time.Hour, ConflictingLabels: "exported", ChainWait: 10 * time.Second,
		CatchUp: time.Hour, CatchUpConcurrency: 4,
		LoadTimeout: 10 * time.Second, MaxFileSize: 32 << 20,
		Objects: app.ObjectStorageOptions{PathStyle: true},
	}
	if diff := cmp.Diff(want, o.Rules); diff != "" {
		t.Errorf("rule options (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{":8880"}, addresses(o)); diff != "" {
		t.Errorf("listen addresses (-want +got):\n%s", diff)
	}
	if got := o.Datasource.Client; got.MaxIdleConnections != 100 || got.IdleConnTimeout != 50*time.Second {
		t.Errorf("datasource client is %+v", got)
	}
}

func TestClientFlagsOfEveryEndpoint(t *testing.T) {
	for name, client := range map[string]func(app.Options) httpx.ClientOptions{
		"datasource":  func(o app.Options) httpx.ClientOptions { return o.Datasource.Client },
		"remoteRead":  func(o app.Options) httpx.ClientOptions { return o.RemoteRead.Client },
		"remoteWrite": func(o app.Options) httpx.ClientOptions { return o.RemoteWrite.Targets[0].Client },
		"notifier":    func(o app.Options) httpx.ClientOptions { return o.Notifier.Targets[0].Client },
	} {
		flag := func(suffix string) string { return "-" + name + "." + suffix }
		o := mustParse(t, "-notifier.url=http://am", "-remoteWrite.url=http://vm",
			flag("oauth2.clientID=id"), flag("oauth2.clientSecretFile=/secret"),
			flag("oauth2.scopes=a; b;"), flag("oauth2.tokenUrl=https://idp/token"),
			flag(`oauth2.endpointParams={"aud":"x,y"}`),
			flag("tlsCAFile=ca"), flag("tlsCertFile=cert"), flag("tlsKeyFile=key"), flag("tlsServerName=vm"),
			flag("tlsInsecureSkipVerify"), flag("headers=A: b"),
		)
		got := client(o)
		got.MetricsPrefix, got.IdleConnTimeout, got.MaxIdleConnections = "", 0, 0
		want := httpx.ClientOptions{
			OAuth2: httpx.OAuth2{
				ClientID: "id", ClientSecretFile: "/secret", Scopes: []string{"a", "b"},
				TokenURL: "https://idp/token", EndpointParams: map[string]string{"aud": "x,y"},
			},
			TLS:     httpx.TLS{CAFile: "ca", CertFile: "cert", KeyFile: "key", ServerName: "vm", InsecureSkipVerify: true},
			Headers: []string{"A: b"},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s client (-want +got):\n%s", name, diff)
		}
	}
}

func TestAuthenticationsExcludeEachOther(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-datasource.basicAuth.username=u", "-datasource.bearerToken=t"},
			"-datasource.basicAuth.*, -datasource.bearerToken* and -datasource.oauth2.* exclude each other"},
		{[]string{"-remoteWrite.bearerToken=t", "-remoteWrite.bearerTokenFile=f"},
			"-remoteWrite.bearerToken and -remoteWrite.bearerTokenFile exclude each other"},
		{[]string{"-remoteWrite.oauth2.clientID=i", "-remoteWrite.oauth2.clientSecret=s"}, "OAuth2 needs -remoteWrite.oauth2.tokenUrl"},
		{[]string{"-remoteWrite.oauth2.clientID=i", "-remoteWrite.oauth2.tokenUrl=https://x"}, "OAuth2 needs -remoteWrite.oauth2.clientSecret"},
		{[]string{"-remoteWrite.oauth2.clientSecret=s", "-remoteWrite.oauth2.tokenUrl=https://x"}, "OAuth2 needs -remoteWrite.oauth2.clientID"},
		{[]string{"-remoteWrite.tlsCertFile=c"}, "-remoteWrite.tlsCertFile and -remoteWrite.tlsKeyFile go together"},
		{[]string{"-notifier.url=http://a,http://b", "-notifier.basicAuth.username=u", "-notifier.bearerToken=,t"},
			"-notifier.basicAuth.* (address 2), -notifier.bearerToken* (address 2) and -notifier.oauth2.* (address 2) exclude each other"},
	} {
		if diff := cmp.Diff([]string{c.want}, parseProblems(t, noEnv, valid(c.args...)...)); diff != "" {
			t.Errorf("%q: problems (-want +got):\n%s", c.args, diff)
		}
	}
}

func TestNotifierFlagsPairByIndex(t *testing.T) {
	o := mustParse(t, "-notifier.url=http://a", "-notifier.url=http://b",
		"-notifier.basicAuth.username=one", "-notifier.basicAuth.password=pa,pb",
		"-notifier.sendTimeout=,3s", "-notifier.tlsInsecureSkipVerify=false,true",
		`-notifier.headers="X: 1,2","Y: 3"`)
	type target struct {
		User, Password string
		Timeout        time.Duration
		Skip           bool
		Headers        []string
	}
	var got []target
	for _, n := range o.Notifier.Targets {
		c := n.Client
		got = append(got, target{c.BasicAuth.Username, string(c.BasicAuth.Password), n.SendTimeout, c.TLS.InsecureSkipVerify, c.Headers})
	}
	want := []target{
		{"one", "pa", 10 * time.Second, false, []string{"X: 1,2"}},
		{"one", "pb", 3 * time.Second, true, []string{"Y: 3"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("targets (-want +got):\n%s", diff)
	}
}

func TestSurplusNotifierValuesAreWarnedOf(t *testing.T) {
	line, err := parse(valid("-notifier.url=http://a", "-notifier.bearerToken=x,y", "-notifier.sendTimeout=1s,2s"), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"-notifier.bearerToken has 2 values for 1 -notifier.url; the last ones are not used",
		"-notifier.sendTimeout has 2 values for 1 -notifier.url; the last ones are not used",
	}
	if diff := cmp.Diff(want, line.warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

func TestLicenceFlagsAreAcceptedWithAWarning(t *testing.T) {
	line, err := parse(valid("-eula", "-licenseFile=/etc/key", "-licenseFile.reloadInterval=1h"), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"-eula, -licenseFile, -licenseFile.reloadInterval: not used, as tocsin needs no licence",
	}
	if diff := cmp.Diff(want, line.warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

func TestExternalLabelsAreSortedAndTheLastCounts(t *testing.T) {
	o := mustParse(t, "-external.label=b=1,a=x=y", "-external.label=", "-external.label=b=2", "-external.label=c=")
	want := []config.Pair{{Name: "a", Value: "x=y"}, {Name: "b", Value: "2"}, {Name: "c", Value: ""}}
	if diff := cmp.Diff(want, o.External.Labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	for _, wrong := range []string{"cluster", "=x"} {
		got := parseProblems(t, noEnv, valid("-external.label="+wrong)...)
		if len(got) != 1 || !strings.HasPrefix(got[0], "-external.label: ") {
			t.Errorf("label %q: problems %q", wrong, got)
		}
	}
}

func TestPathsAreBroughtIntoForm(t *testing.T) {
	for prefix, want := range map[string]string{"": "", "/": "", "/x": "/x", "x/": "/x", "/a/b/": "/a/b"} {
		if got := mustParse(t, "-http.pathPrefix="+prefix).HTTP.PathPrefix; got != want {
			t.Errorf("-http.pathPrefix=%s becomes %q, want %q", prefix, got, want)
		}
	}
	if got := mustParse(t, "-external.url=https://tocsin.example/x/").External.URL; got != "https://tocsin.example/x" {
		t.Errorf("-external.url becomes %q", got)
	}
}

func TestWrongOptions(t *testing.T) {
	for arg, want := range map[string]string{
		"-evaluationInterval=0s":       "-evaluationInterval must be more than 0, not 0s",
		"-evaluationInterval=-1m":      "-evaluationInterval must be more than 0, not -1m0s",
		"-group.maxStartDelay=-1s":     "-group.maxStartDelay must not be negative, as -1s is",
		"-remoteWrite.sendTimeout=-1s": "-remoteWrite.sendTimeout must not be negative, as -1s is",
		"-rule=":                       "-rule: item 1 is empty",
		"-rule=a.yml,":                 "-rule: item 2 is empty",
		"-rule.defaultRuleType=sql":    `-rule.defaultRuleType: "sql" is neither prometheus, graphite nor vlogs`,
		"-rule.conflictingLabels=drop": `-rule.conflictingLabels: "drop" is neither exported nor override`,
		"-remoteRead.url=vm:8428":      "-remoteRead.url: URL must begin with http:// or https://",
		"-remoteWrite.url=http://":     "-remoteWrite.url: URL has no host",
		"-external.url=ftp://x":        "-external.url: URL must begin with http:// or https://",
		"-httpListenAddr=8880":         `-httpListenAddr: "8880" is not of the form host:port or :port`,
		"-httpAuth.password=x":         "-httpAuth.password needs -httpAuth.username",
		"-loggerFormat=xml":            `-loggerFormat: "xml" is neither default nor json`,
		"-loggerOutput=file":           `-loggerOutput: "file" is neither stderr nor stdout`,
		"-loggerTimezone=Atlantis":     `-loggerTimezone: no time zone "Atlantis"`,
		"-loggerJSONFields=ts":         `-loggerJSONFields: "ts" is not of the form field:name`,
		"-loggerJSONFields=file:f":     `-loggerJSONFields: there is no field "file"; the fields are ts, level, caller and msg`,
	} {
		if diff := cmp.Diff([]string{want}, parseProblems(t, noEnv, valid(arg)...)); diff != "" {
			t.Errorf("%s: problems (-want +got):\n%s", arg, diff)
		}
	}
}

func TestBlackholeExcludesNotifiers(t *testing.T) {
	got := parseProblems(t, noEnv, valid("-notifier.blackhole", "-notifier.url=http://am")...)
	want := []string{"-notifier.url and -notifier.blackhole exclude each other"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestZeroStartDelayIsAccepted(t *testing.T) {
	if got := mustParse(t, "-group.maxStartDelay=0").Rules.MaxStartDelay; got != 0 {
		t.Errorf("-group.maxStartDelay is %s, want 0", got)
	}
}

func TestOneEvaluationIsAlwaysKept(t *testing.T) {
	if got := mustParse(t, "-rule.updateEntriesLimit=-3").Rules.UpdateEntriesLimit; got != 1 {
		t.Errorf("limit is %d, want 1", got)
	}
}

func TestDryRunNeedsNoDatasource(t *testing.T) {
	line, err := parse([]string{"-dryRun", "-rule=a.yml"}, noEnv)
	if err != nil {
		t.Fatal(err)
	}
	if !line.options.DryRun {
		t.Error("not a dry run")
	}
}
