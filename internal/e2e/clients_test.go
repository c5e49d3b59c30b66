package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"tocsin/internal/e2e/servers"
	"tocsin/internal/web/clienttest"
)

const clientRules = `
groups:
- name: pages
  labels: {team: infra}
  params: {nocache: ["1"]}
  rules:
  - alert: Fires
    expr: vector(1.5)
    annotations: {summary: "value <{{ $value }}>"}
  - alert: Waits
    expr: vector(1)
    for: 1h
  - alert: Fails
    expr: label_replace(vector(1), "a", "b", "c", "(")
  - record: one
    expr: vector(1)
- name: more
  rules:
  - {record: two, expr: vector(2)}
- name: nothing
`

// behindVictoriaMetrics returns a daemon whose storage passes requests on to it.
func behindVictoriaMetrics(t *testing.T, rules string, args ...string) (*tocsin, *storage) {
	t.Helper()
	addr := freeAddr(t)
	command, err := servers.VictoriaMetrics(addr, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := &storage{url: "http://" + addr, flushURL: "http://" + addr + "/internal/force_flush", process: &process{Command: *command}}
	d := newTocsin(t, rules, append(against(s), args...)...)
	s.Args = append(s.Args, "-vmalert.proxyURL="+d.url)
	s.start(t)
	d.start(t)
	return d, s
}

// evaluated waits until every rule was evaluated.
func (d *tocsin) evaluated(t *testing.T) {
	t.Helper()
	eventually(t, storyTimeout, "every rule was evaluated", func() error {
		body, err := get(d.url + "/api/v1/rules")
		if err == nil && strings.Contains(body, `"health":"unknown"`) {
			err = fmt.Errorf("there are rules of unknown health")
		}
		return err
	})
}

// TestVmuiAndGrafanaReadTheRulesThroughVictoriaMetrics has both clients ask the
// daemon itself and the storage in front of it: they see the same.
func TestVmuiAndGrafanaReadTheRulesThroughVictoriaMetrics(t *testing.T) {
	t.Parallel()
	d, s := behindVictoriaMetrics(t, clientRules, "-notifier.blackhole")
	d.evaluated(t)
	for _, url := range []string{d.url, s.url} {
		at := clienttest.Server{URL: url, Client: client}
		for _, limit := range []int{1, 100} {
			seen, err := clienttest.VMUI(at, limit)
			if err != nil {
				t.Errorf("vmui at %s, %d groups a page: %s", url, limit, err)
			}
			if seen.Groups != 3 || seen.Rules != 5 || seen.Alerts != 2 {
				t.Errorf("vmui at %s, %d groups a page, has seen %+v", url, limit, seen)
			}
			groups, err := clienttest.Grafana(at, limit)
			if err != nil {
				t.Errorf("Grafana at %s, %d groups a page: %s", url, limit, err)
			}
			if got := listed(groups); got != "more[two] nothing[] pages[Fires:firing Waits:pending Fails one]" {
				t.Errorf("Grafana at %s, %d groups a page, lists %s", url, limit, got)
			}
		}
	}
}

// listed names groups with their rules and the states of their alerts.
func listed(groups []clienttest.GrafanaGroup) string {
	var all []string
	for _, g := range groups {
		var rules []string
		for _, r := range g.Rules {
			name := r.Name
			for _, a := range r.Alerts {
				name += ":" + a.State
			}
			rules = append(rules, name)
		}
		all = append(all, g.Name+"["+strings.Join(rules, " ")+"]")
	}
	return strings.Join(all, " ")
}

// TestBrowserIsNotSentAgainWhatItHas reads rules twice through the storage, as a
// browser does that shows them to somebody who waits.
func TestBrowserIsNotSentAgainWhatItHas(t *testing.T) {
	t.Parallel()
	d, s := behindVictoriaMetrics(t, "groups: [{name: slow, interval: 1h, rules: [{record: one, expr: vector(1)}]}]", "-notifier.blackhole")
	d.evaluated(t)
	ask := func(tag string) (status int, next string) {
		t.Helper()
		req, err := http.NewRequest(http.MethodGet, s.url+"/vmalert/api/v1/rules?group_limit=100&page_num=1", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("If-None-Match", tag)
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		return resp.StatusCode, resp.Header.Get("ETag")
	}
	first, tag := ask("")
	if first != http.StatusOK || tag == "" {
		t.Fatalf("the first answer has status %d and the tag %q", first, tag)
	}
	if again, same := ask(tag); again != http.StatusNotModified || same != tag {
		t.Errorf("the second answer has status %d and the tag %q, the first had %q", again, same, tag)
	}
	d.edit(t, "groups: [{name: slow, interval: 1h, rules: [{record: two, expr: vector(2)}]}]")
	if _, err := get(d.url + "/-/reload"); err != nil {
		t.Fatal(err)
	}
	if changed, next := ask(tag); changed != http.StatusOK || next == tag {
		t.Errorf("after a reload the answer has status %d and the tag %q", changed, next)
	}
}
