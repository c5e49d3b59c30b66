package datasource

import (
	"os/exec"
	"strings"
	"testing"

	"tocsin/config"
)

func TestRequestIsACommandLine(t *testing.T) {
	c := newClient(t, answering(""), nil)
	equal(t, c.Request(up()), `curl -X POST --data-urlencode 'query=up == 0' `+
		`--data-urlencode 'time=2026-03-01T12:00:00Z' --data-urlencode 'step=300s' 'http://vm:8428/api/v1/query'`)
}

func TestRequestHidesSecrets(t *testing.T) {
	q := up()
	q.Headers = []config.Pair{
		{Name: "authorization", Value: "Bearer hunter2"}, {Name: "Cookie", Value: "hunter2"}, {Name: "X-Api-Key", Value: "hunter2"},
		{Name: "X-Vault-Token", Value: "hunter2"}, {Name: "X-Team", Value: "infra"},
	}
	q.Params = map[string][]string{"password": {"hunter2"}, "extra_label": {"team=infra"}}
	o := func(o *Options) { o.URL = "http://me:hunter2@vm:8428/p?apikey=hunter2&extra_label=x" }
	equal(t, newClient(t, answering(""), o).Request(q), `curl -X POST -H 'Authorization: <secret>' -H 'Cookie: <secret>' `+
		`-H 'X-Api-Key: <secret>' -H 'X-Vault-Token: <secret>' -H 'X-Team: infra' `+
		`--data-urlencode 'query=up == 0' --data-urlencode 'time=2026-03-01T12:00:00Z' --data-urlencode 'step=300s' `+
		`--data-urlencode 'extra_label=team=infra' --data-urlencode 'password=<secret>' 'http://vm:8428/p/api/v1/query?apikey=<secret>'`)
}

func TestShowURLShowsItsArgumentsButNoPassword(t *testing.T) {
	c := newClient(t, answering(""), func(o *Options) {
		o.URL, o.ShowURL = "http://me:hunter2@vm:8428?extra_filters[]={a=%22b%22}&x=1", true
	})
	got := c.Request(up())
	if !strings.HasSuffix(got, ` 'http://vm:8428/api/v1/query?extra_filters%5B%5D=%7Ba%3D%22b%22%7D&x=1'`) {
		t.Errorf("got %s", got)
	}
}

// TestRequestSurvivesTheShell lets a real shell take the command line apart.
func TestRequestSurvivesTheShell(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no shell")
	}
	q := up()
	q.Expr = "x{a='it''s', b=\"$HOME `id` \\\\ !\"}\n# two  lines"
	q.Headers = []config.Pair{{Name: "X-Team", Value: "o'brien"}}
	q.Params = map[string][]string{"a b@c": {"1"}}
	line := newClient(t, answering(""), nil).Request(q)
	out, err := exec.Command(sh, "-c", `curl() { printf '%s\0' "$@"; }; `+line).Output()
	if err != nil {
		t.Fatal(err)
	}
	equal(t, strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00"), []string{
		"-X", "POST", "-H", "X-Team: o'brien",
		"--data-urlencode", "query=" + q.Expr,
		"--data-urlencode", "time=2026-03-01T12:00:00Z",
		"--data-urlencode", "step=300s",
		"--data-urlencode", "a+b%40c=1",
		"http://vm:8428/api/v1/query",
	})
}
