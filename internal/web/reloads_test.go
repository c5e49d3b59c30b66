package web

import (
	"context"
	"errors"
	"flag"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/config"
	"tocsin/rules"
)

var update = flag.Bool("update", false, "rewrite the files in testdata that are ours")

// sameAsFile compares an answer with a file of ours in testdata.
func sameAsFile(t *testing.T, name, body string) {
	t.Helper()
	if *update {
		if err := os.WriteFile("testdata/"+name, []byte(body+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(captured(t, name), flatten(t, body)); diff != "" {
		t.Errorf("%s (-file +answer)\n%s", name, diff)
	}
}

// demoPlan is a plan with everything there can be in one.
func demoPlan() Plan {
	return Plan{
		Problems: []string{`c.yml:3: group "c": rule "<x>": bad expr`},
		Change: rules.Change{
			Kept: 7,
			Groups: []rules.GroupChange{
				{
					Key: config.Key{File: "a.yml", Name: "node"}, Action: rules.Changed, Fields: []string{"interval", "order"}, Kept: 2,
					Rules: []rules.RuleChange{
						{Kind: config.Alerting, Name: "HighLoad", Action: rules.Changed, Fields: []string{"expr", "for"}, Reset: 1},
						{Kind: config.Recording, Name: "a:b", Action: rules.Moved, From: config.Key{File: "y.yml", Name: "x"}},
						{Kind: config.Alerting, Name: "New", Action: rules.Moved, Was: "Old", Fields: []string{"labels"}, Resolved: 3},
						{Kind: config.Alerting, Name: "Gone", Action: rules.Removed, Resolved: 2, Reset: 4},
					},
				},
				{Key: config.Key{File: "new/b.yml", Name: "disk"}, Action: rules.Moved, From: config.Key{File: "b.yml", Name: "disk"}, Kept: 5},
				{
					Key: config.Key{File: "d.yml", Name: `"quoted" & <b>`}, Action: rules.Added,
					Rules: []rules.RuleChange{{Kind: config.Recording, Name: "d:e", Action: rules.Added}},
				},
				{Key: config.Key{File: "z.yml", Name: "old"}, Action: rules.Removed},
			},
		},
	}
}

func planServer(p Plan, a Auth) *Server {
	return New(Options{Auth: a, Control: Control{Plan: func(context.Context) (Plan, error) { return p, nil }}})
}

// demoReloads are loads of every outcome, the latest first.
func demoReloads() []Reload {
	start := time.Date(2026, 11, 23, 1, 2, 3, 0, time.UTC)
	return []Reload{
		{At: start.Add(3*time.Hour + 250*time.Millisecond), Trigger: "check", Took: 1500 * time.Millisecond, Refused: true, Problems: []string{"a.yml:3: bad expr", "b.yml:9: no name"}},
		{At: start.Add(2 * time.Hour), Trigger: "http", Took: 12 * time.Millisecond, Problems: []string{"a.yml:3: bad expr"}, Totals: rules.Totals{
			Groups: rules.ActionCounts{Changed: 1, Moved: 2, Kept: 97}, Rules: rules.ActionCounts{Changed: 3, Removed: 1, Kept: 6}, Resolved: 2, Reset: 1,
		}},
		{At: start.Add(time.Hour), Trigger: "signal", Took: 4 * time.Millisecond, Totals: rules.Totals{Groups: rules.ActionCounts{Kept: 100}}},
		{At: start, Trigger: "start", Took: 2 * time.Second, Totals: rules.Totals{Groups: rules.ActionCounts{Added: 100}, Rules: rules.ActionCounts{Added: 1000}}},
	}
}

func reloadsServer(list []Reload, stale error) *Server {
	return New(Options{State: demoState(demo()...), Version: "v1", Control: Control{
		Reloads: func() []Reload { return list }, Stale: func() error { return stale },
	}})
}

func TestPlanTellsEverythingAReloadWouldDo(t *testing.T) {
	resp, body := get(t, planServer(demoPlan(), Auth{}), "/-/reload/plan")
	if resp.StatusCode != http.StatusOK || !slices.Equal(resp.Header["Content-Type"], []string{"application/json"}) {
		t.Errorf("%d %q", resp.StatusCode, resp.Header["Content-Type"])
	}
	sameAsFile(t, "plan.json", body)
}

func TestEmptyPlanHasEmptyListsAndNoNull(t *testing.T) {
	sameAsFile(t, "plan-empty.json", getOK(t, planServer(Plan{}, Auth{}), "/-/reload/plan"))
}

func TestPlanOfARefusedReloadSaysSo(t *testing.T) {
	p := Plan{Change: rules.Change{Refused: true}, Problems: []string{"a.yml:1: x"}}
	body := getOK(t, planServer(p, Auth{}), "/-/reload/plan")
	if !strings.Contains(body, `"outcome":"refused"`) || !strings.Contains(body, `"problems":["a.yml:1: x"]`) {
		t.Errorf("got %s", body)
	}
}

func TestPlanIsReadByAnyMethod(t *testing.T) {
	for _, method := range []string{"GET", "HEAD", "POST"} {
		resp, _ := send(t, planServer(demoPlan(), Auth{}), httptest.NewRequest(method, "/-/reload/plan", nil))
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %d", method, resp.StatusCode)
		}
	}
}

func TestPlanThatCannotBeMadeIsAnErrorOfTheAPI(t *testing.T) {
	s := New(Options{Control: Control{Plan: func(context.Context) (Plan, error) {
		return Plan{}, errors.New("tocsin is shutting down")
	}}})
	resp, body := get(t, s, "/-/reload/plan")
	want := `{"error":"tocsin is shutting down","errorType":500,"status":"error","reason":"internal"}`
	if resp.StatusCode != http.StatusInternalServerError || body != want {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
}

func TestPlanEndsWithItsRequest(t *testing.T) {
	var got error
	s := New(Options{Control: Control{Plan: func(ctx context.Context) (Plan, error) { got = ctx.Err(); return Plan{}, got }}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	send(t, s, httptest.NewRequest("GET", "/-/reload/plan", nil).WithContext(ctx))
	if !errors.Is(got, context.Canceled) {
		t.Errorf("the plan is made for a client that left: %v", got)
	}
}

func TestPlanNeedsTheReloadKey(t *testing.T) {
	s := planServer(demoPlan(), Auth{Username: "ann", Password: "pw", ReloadKey: "k"})
	for _, c := range []struct {
		user, password, key string
		want                int
	}{{"", "", "k", 200}, {"ann", "pw", "", 401}, {"ann", "pw", "x", 401}, {"", "", "", 401}} {
		if got := ask(t, s, "GET", "/-/reload/plan", c.user, c.password, c.key); got != c.want {
			t.Errorf("user %q, key %q: %d, want %d", c.user, c.key, got, c.want)
		}
	}
	if resp, body := post(t, s, "/-/reload/plan", url.Values{"authKey": {"k"}}); resp.StatusCode != http.StatusOK {
		t.Errorf("with the key posted: %d %s", resp.StatusCode, body)
	}
	if _, body := get(t, s, "/-/reload/plan"); strings.Contains(body, "node") {
		t.Errorf("whoever is refused sees the plan: %s", body)
	}
}

func TestLargePlanIsComplete(t *testing.T) {
	p := Plan{}
	for range 3000 {
		p.Change.Groups = append(p.Change.Groups, demoPlan().Change.Groups...)
	}
	lines := flatten(t, getOK(t, planServer(p, Auth{}), "/-/reload/plan"))
	if n := len(slices.DeleteFunc(lines, func(l string) bool { return !strings.HasSuffix(l, `.name = "HighLoad"`) })); n != 3000 {
		t.Errorf("%d of 3000 rules", n)
	}
}

func TestReloadsAreListedLatestFirst(t *testing.T) {
	s := reloadsServer(demoReloads(), nil)
	for _, path := range []string{"/api/v1/status/reloads", "/vmalert/api/v1/status/reloads"} {
		sameAsFile(t, "reloads.json", getOK(t, s, path))
	}
	if got, want := getOK(t, New(Options{}), "/api/v1/status/reloads"), `{"status":"success","data":{"reloads":[]}}`; got != want {
		t.Errorf("before the first: got %s, want %s", got, want)
	}
}
