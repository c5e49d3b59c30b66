package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/internal/app"
	"tocsin/internal/httpx"
)

// A command line for vmalert, which knows one URL and no lists, means the same here.
func TestSingleRemoteWriteTargetTakesValuesAsTheyAre(t *testing.T) {
	o := mustParse(t,
		"-remoteWrite.url=http://vm/insert/0,1/prometheus?extra_label=a=b,c=d",
		"-remoteWrite.oauth2.clientID=first", "-remoteWrite.oauth2.clientID=id,1",
		`-remoteWrite.oauth2.clientSecret="quoted",secret`, "-remoteWrite.oauth2.tokenUrl=http://idp/a,b",
		`-remoteWrite.oauth2.endpointParams={"a":"1,2","b":"3"}`,
		"-remoteWrite.headers=Accept: a, b^^X-Other: c,d",
		"-remoteWrite.tlsInsecureSkipVerify", "-remoteWrite.tlsInsecureSkipVerify=false",
		"-remoteWrite.idleConnTimeout=7s", "-remoteWrite.maxIdleConnections=3",
	)
	want := []app.RemoteWriteTarget{{
		URL: "http://vm/insert/0,1/prometheus?extra_label=a=b,c=d",
		Client: httpx.ClientOptions{
			MetricsPrefix: "vmalert_remotewrite",
			OAuth2: httpx.OAuth2{
				ClientID: "id,1", ClientSecret: `"quoted",secret`, TokenURL: "http://idp/a,b",
				EndpointParams: map[string]string{"a": "1,2", "b": "3"},
			},
			Headers:         []string{"Accept: a, b", "X-Other: c,d"},
			IdleConnTimeout: 7 * time.Second, MaxIdleConnections: 3,
		},
	}}
	if diff := cmp.Diff(want, o.RemoteWrite.Targets); diff != "" {
		t.Errorf("targets (-want +got):\n%s", diff)
	}
}

func TestRemoteWriteTargetsPairByIndex(t *testing.T) {
	o := mustParse(t, "-remoteWrite.url=http://a,http://b", "-remoteWrite.url=http://c",
		"-remoteWrite.basicAuth.username=,u", `-remoteWrite.basicAuth.password=,"p,w"`,
		"-remoteWrite.bearerToken=t,,file:///token", "-remoteWrite.headers=X: all",
		"-remoteWrite.tlsInsecureSkipVerify=false,true", "-remoteWrite.tlsCAFile=a.pem,b.pem,c.pem",
		"-remoteWrite.idleConnTimeout=1s")
	client := func(c httpx.ClientOptions) httpx.ClientOptions {
		c.MetricsPrefix, c.Headers = "vmalert_remotewrite", []string{"X: all"}
		c.IdleConnTimeout, c.MaxIdleConnections = time.Second, 100
		return c
	}
	want := []app.RemoteWriteTarget{
		{URL: "http://a", Client: client(httpx.ClientOptions{BearerToken: "t", TLS: httpx.TLS{CAFile: "a.pem"}})},
		{URL: "http://b", Client: client(httpx.ClientOptions{
			BasicAuth: httpx.BasicAuth{Username: "u", Password: "p,w"},
			TLS:       httpx.TLS{CAFile: "b.pem", InsecureSkipVerify: true},
		})},
		{URL: "http://c", Client: client(httpx.ClientOptions{BearerTokenFile: "/token", TLS: httpx.TLS{CAFile: "c.pem"}})},
	}
	if diff := cmp.Diff(want, o.RemoteWrite.Targets); diff != "" {
		t.Errorf("targets (-want +got):\n%s", diff)
	}
}

func TestCommasInURLs(t *testing.T) {
	for value, want := range map[string][]string{
		"http://a":                            {"http://a"},
		"http://a,http://b":                   {"http://a", "http://b"},
		"http://a/x,y":                        {"http://a/x,y"},
		"http://a?x=1,2,http://b/y,z,http://": {"http://a?x=1,2", "http://b/y,z", "http://"},
		"http://a,b:9090":                     {"http://a", "b:9090"},
		"http://a/x,ftp://b":                  {"http://a/x", "ftp://b"},
		"http://a/x,":                         {"http://a/x", ""},
		`"http://a/x,y","http://b"`:           {"http://a/x,y", "http://b"},
		`http://a/?match={a="1",b="2"}`:       {`http://a/?match={a="1",b="2"}`},
	} {
		if diff := cmp.Diff(want, splitURLs(value)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", value, diff)
		}
	}
}

func TestNoRemoteWriteTarget(t *testing.T) {
	for _, args := range [][]string{nil, {"-remoteWrite.url="}, {"-remoteWrite.bearerToken=t", "-remoteWrite.maxIdleConnections=1"}} {
		if got := mustParse(t, args...).RemoteWrite.Targets; got != nil {
			t.Errorf("%q: targets %+v", args, got)
		}
	}
}

func TestProblemsOfRemoteWriteTargets(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-remoteWrite.url=ftp://a"}, "-remoteWrite.url: URL must begin with http:// or https://"},
		{[]string{"-remoteWrite.url=http://a,", "-remoteWrite.bearerToken=t"}, "-remoteWrite.url: address 2: URL is empty"},
		{[]string{"-remoteWrite.url=http://a,b:1"}, "-remoteWrite.url: address 2: URL must begin with http:// or https://"},
		{[]string{"-remoteWrite.url=http://a", "-remoteWrite.headers=nonsense"}, "-remoteWrite.headers: "},
		{[]string{"-remoteWrite.url=http://a,http://b", "-remoteWrite.headers=A: b,nonsense"}, "-remoteWrite.headers (address 2): "},
		{[]string{"-remoteWrite.tlsCertFile=c"}, "-remoteWrite.tlsCertFile and -remoteWrite.tlsKeyFile go together"},
		{[]string{"-remoteWrite.url=http://a,http://b", "-remoteWrite.tlsCertFile=c,", "-remoteWrite.tlsKeyFile=k"},
			"-remoteWrite.tlsCertFile (address 2) and -remoteWrite.tlsKeyFile (address 2) go together"},
	} {
		got := parseProblems(t, noEnv, valid(c.args...)...)
		if len(got) != 1 || !strings.HasPrefix(got[0], c.want) {
			t.Errorf("%q: got %q, want %q", c.args, got, c.want)
		}
	}
}

func TestSurplusValuesOfRemoteWriteTargets(t *testing.T) {
	line, err := parse(valid("-remoteWrite.url=http://a,http://b", "-remoteWrite.bearerToken=x,y,z",
		"-remoteWrite.tlsInsecureSkipVerify=true,false,true"), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"-remoteWrite.bearerToken has 3 values for 2 -remoteWrite.url; the last ones are not used",
		"-remoteWrite.tlsInsecureSkipVerify has 3 values for 2 -remoteWrite.url; the last ones are not used",
	}
	if diff := cmp.Diff(want, line.warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
	line, err = parse(valid("-remoteWrite.url=http://a", "-remoteWrite.bearerToken=x,y", "-remoteWrite.tlsInsecureSkipVerify=true,false"), noEnv)
	if err != nil || line.warnings != nil {
		t.Errorf("a value with a comma for one URL: %v, warnings %q", err, line.warnings)
	}
}

func TestSecretsOfRemoteWriteTargetsAreHidden(t *testing.T) {
	o := mustParse(t, "-remoteWrite.url=http://u:hunter2@a,http://b?token=hunter2",
		"-remoteWrite.bearerToken=hunter2,hunter2", "-remoteWrite.headers=X: hunter2", "-remoteWrite.tlsServerName=vm,vm2")
	shown := strings.Join(given(o), "\n")
	if strings.Contains(shown, "hunter2") {
		t.Errorf("secrets are shown:\n%s", shown)
	}
	if !strings.Contains(shown, `-remoteWrite.tlsServerName="vm,vm2"`) {
		t.Errorf("the others are not:\n%s", shown)
	}
	o = mustParse(t, "-remoteWrite.showURL", "-remoteWrite.url=http://a/x,y", "-remoteWrite.url=http://b")
	if shown := strings.Join(given(o), "\n"); !strings.Contains(shown, `-remoteWrite.url="http://a/x,y,http://b"`) {
		t.Errorf("URLs that may be shown are not:\n%s", shown)
	}
}

func TestSecretsOfEveryRemoteWriteTargetAreRead(t *testing.T) {
	o := mustParse(t, "-remoteWrite.url=http://a,http://b", "-remoteWrite.oauth2.clientID=i", "-remoteWrite.oauth2.tokenUrl=http://idp",
		"-remoteWrite.oauth2.clientSecret=x,"+"file://"+write(t, "from-file"))
	o.RemoteWrite.Targets[1].Client.BasicAuth.Password = httpx.Secret("file://" + write(t, "password\n"))
	if err := readSecrets(t.Context(), &o, nil); err != nil {
		t.Fatal(err)
	}
	if got := o.RemoteWrite.Targets[1].Client.BasicAuth.Password; got != "password" {
		t.Errorf("the password of the second target is %q", string(got))
	}
}
