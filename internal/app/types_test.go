package app

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// everyType answers as a proxy before VictoriaMetrics, Graphite and VictoriaLogs.
func everyType(rw http.ResponseWriter, r *http.Request) {
	rw.Header().Set("Content-Type", "application/json")
	answer := ""
	switch r.URL.Path + " " + r.FormValue("query") + r.FormValue("target") {
	case "/prometheus/api/v1/query up == 0":
		answer = `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"up","job":"node"},"value":[1,"0"]}]}}`
	case "/graphite/render web.*.load":
		answer = `[{"target":"web.a.load","tags":{"name":"web.a.load"},"datapoints":[[3,1],[null,2]]},{"target":"web.b.load","tags":{"name":"web.b.load"},"datapoints":[[null,2]]}]`
	case "/select/logsql/stats_query error | stats by (host) count() hits, max(d) slowest":
		answer = `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"hits","host":"a"},"value":[1,"7"]},{"metric":{"__name__":"slowest","host":"a"},"value":[1,""]}]}}`
	default:
		http.Error(rw, "nobody asks for "+r.URL.Path, http.StatusBadRequest)
		return
	}
	_, _ = io.WriteString(rw, answer)
}

const everyTypeRules = `
groups:
  - name: metrics
    rules: [{alert: Down, expr: "up == 0"}]
  - name: graphite
    type: graphite
    rules: [{alert: Busy, expr: "web.*.load", annotations: {value: "{{ $value }}"}}]
  - name: logs
    type: vlogs
    rules:
      - alert: Errors
        expr: &e error | stats by (host) count() hits, max(d) slowest
      - record: logs:errors
        expr: *e
`

func TestOneDaemonEvaluatesRulesOfEveryType(t *testing.T) {
	w := newWorld(t)
	w.handle(w.datasource, everyType)
	o := withAlertmanager(withStorage(options(w, ruleFile(t, everyTypeRules)), w), w)
	o.Datasource.AppendTypePrefix = true
	o.RemoteRead = RemoteReadOptions{}
	d := start(t, o)

	if a := w.awaitAlert(t, "Down"); a.Labels["job"] != "node" {
		t.Errorf("Down has the labels %v", a.Labels)
	}
	if a := w.awaitAlert(t, "Busy"); a.Labels["name"] != "web.a.load" || a.Annotations["value"] != "3" {
		t.Errorf("Busy has the labels %v and the annotations %v", a.Labels, a.Annotations)
	}
	if a := w.awaitAlert(t, "Errors"); a.Labels["host"] != "a" || a.Labels["stats_result"] != "hits" {
		t.Errorf("Errors has the labels %v", a.Labels)
	}
	await(t, "the recorded series is written", func() bool { return w.hasWritten("logs:errors") && w.hasWritten("stats_result") })
	for _, name := range []string{"Busy", "Errors"} {
		for _, a := range w.told(name) {
			if strings.Contains(a.Labels["name"], "web.b") || a.Labels["stats_result"] == "slowest" {
				t.Errorf("told of %v, which has no value", a.Labels)
			}
		}
	}
	for i, path := range []string{"/graphite/render", "/select/logsql/stats_query", "/prometheus/api/v1/query"} {
		g := d.groups()[i]
		_, body := d.get("/api/v1/rule?group_id=" + g.ID + "&rule_id=" + g.Rules[0].ID)
		if !strings.Contains(body, "curl -X POST") || !strings.Contains(body, w.datasource.URL+path) {
			t.Errorf("%s: the requests are shown as %s", g.Name, body)
		}
	}
}

func TestPathsAreAppendedNeitherToTheDatasourceNorToRemoteRead(t *testing.T) {
	w := newWorld(t)
	paths := make(chan string, 100)
	w.handle(w.datasource, func(rw http.ResponseWriter, r *http.Request) {
		select {
		case paths <- r.URL.Path:
		default:
		}
		w.query(rw, r)
	})
	w.answer("up == 0", map[string]string{"job": "node"})
	o := withBlackhole(withStorage(options(w, ruleFile(t, `groups: [{name: g, rules: [{alert: A, expr: "up == 0", for: 1h}]}]`)), w))
	o.Datasource.URL += "/custom"
	o.RemoteRead.URL += "/other"
	o.RemoteRead.DisablePathAppend = true
	start(t, o)
	seen := map[string]bool{}
	await(t, "both are asked", func() bool {
		for {
			select {
			case path := <-paths:
				seen[path] = true
			default:
				return seen["/custom"] && seen["/other"]
			}
		}
	})
	if len(seen) != 2 {
		t.Errorf("asked at %v", seen)
	}
}

// Every endpoint may be a name of several addresses.
func TestBalancedHostsOfEveryEndpoint(t *testing.T) {
	w := newWorld(t)
	w.answer("up == 0", map[string]string{"job": "node"})
	rules := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(rw, `groups: [{name: g, rules: [{alert: A, expr: "up == 0"}, {record: r, expr: "up == 0"}]}]`)
	}))
	defer rules.Close()
	balanced := func(url string) string { return strings.Replace(url, "127.0.0.1", "dns+localhost", 1) }
	o := withAlertmanager(withStorage(options(w, balanced(rules.URL)+"/rules.yml"), w), w)
	o.Datasource.URL, o.RemoteRead.URL = balanced(o.Datasource.URL), balanced(o.RemoteRead.URL)
	o.RemoteWrite.Targets[0].URL, o.Notifier.URLs[0] = balanced(o.RemoteWrite.Targets[0].URL), balanced(o.Notifier.URLs[0])
	d := start(t, o)
	w.awaitAlert(t, "A")
	await(t, "the series is written", func() bool { return w.hasWritten("node") })
	for _, client := range []string{"datasource", "remotewrite", "notifier", "rule_files"} {
		if n := d.metric(`tocsin_dns_lookups_total{client="` + client + `"}`); n < 1 {
			t.Errorf("%s: %g look-ups", client, n)
		}
	}
}
