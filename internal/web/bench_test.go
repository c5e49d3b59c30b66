package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/rules"
)

// fleet is 200 groups of 50 alerting rules with one firing alert each.
func fleet() []*rules.Snapshot {
	var groups []*rules.Snapshot
	began := at("2026-11-22T13:47:22Z")
	for i := range 200 {
		g := simpleGroup(fmt.Sprintf("/etc/rules/group%d.yml", i), fmt.Sprintf("group%d", i), make([]string, 50)...)
		for j := range g.Rules {
			r := &g.Rules[j]
			r.Rule.Name = fmt.Sprintf("HighErrorRate%d", j)
			r.Rule.Expr = `sum(rate(http_requests_total{job="api",code=~"5.."}[5m])) by (instance) > 0.1`
			r.Rule.Annotations = pairs("description", "{{ $labels.instance }} fails {{ $value | humanizePercentage }}", "summary", "errors on {{ $labels.instance }}")
			r.Labels = pairs("severity", "page", "team", "infra")
			r.History = rules.HistoryOf(rules.Update{Began: began.Add(123456789), At: began, Duration: 1234567, Samples: 1, SeriesFetched: 10})
			setAlerts(r, rules.Instance{
				State: rules.Firing, ID: uint64(i)*1e15 + uint64(j), Value: 0.25, ActiveAt: began, StartsAt: began,
				Labels:      labels.FromStrings("alertgroup", g.Group.Key.Name, "alertname", r.Rule.Name, "instance", "host-17:9100", "severity", "page", "team", "infra"),
				Annotations: labels.FromStrings("description", "host-17:9100 fails 25%", "summary", "errors on host-17:9100"),
			})
		}
		groups = append(groups, g)
	}
	return groups
}

// blackHole counts what it is written.
type blackHole struct {
	header http.Header
	n      int64
}

func (b *blackHole) Header() http.Header         { return b.header }
func (b *blackHole) WriteHeader(int)             {}
func (b *blackHole) Write(p []byte) (int, error) { b.n += int64(len(p)); return len(p), nil }

func fleetServer() *Server {
	state := demoState(numbered(fleet()...)...)
	source := "http://tocsin.example/vmalert/alert?group_id=3282191581672841545&alert_id=11145849433096643897"
	state.Link = linkTo(&source)
	return New(Options{State: state})
}

func benchmark(b *testing.B, target string, header ...string) {
	s := fleetServer()
	r := httptest.NewRequest("GET", target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	b.ReportAllocs()
	for b.Loop() {
		w := &blackHole{header: http.Header{}}
		s.ServeHTTP(w, r)
		b.SetBytes(w.n)
	}
}

func benchmarkUnchanged(b *testing.B, target string) {
	s := fleetServer()
	first, _ := get(b, s, target)
	r := httptest.NewRequest("GET", target, nil)
	r.Header.Set("If-None-Match", first.Header.Get("ETag"))
	b.ReportAllocs()
	for b.Loop() {
		w := &blackHole{header: http.Header{}}
		s.ServeHTTP(w, r)
		if w.n > 0 {
			b.Fatal("there is an answer")
		}
	}
}

func BenchmarkRules(b *testing.B)     { benchmark(b, "/api/v1/rules") }
func BenchmarkRulesGzip(b *testing.B) { benchmark(b, "/api/v1/rules", "Accept-Encoding", "gzip") }
func BenchmarkRulesFiltered(b *testing.B) {
	benchmark(b, "/api/v1/rules?state=pending&extended_states=true")
}
func BenchmarkRulesOnePage(b *testing.B) { benchmark(b, "/api/v1/rules?group_limit=10&page_num=3") }
func BenchmarkAlerts(b *testing.B)       { benchmark(b, "/api/v1/alerts") }
func BenchmarkGroupsPage(b *testing.B)   { benchmark(b, "/vmalert/groups") }
func BenchmarkGroupsPageSearched(b *testing.B) {
	benchmark(b, "/vmalert/groups?search=instance&state=firing")
}
func BenchmarkGroupPage(b *testing.B)  { benchmark(b, "/vmalert/groups?rule_group[]=group17") }
func BenchmarkAlertsPage(b *testing.B) { benchmark(b, "/vmalert/alerts") }
func BenchmarkOverview(b *testing.B)   { benchmark(b, "/") }

// What it costs to tell a client that nothing has changed.
func BenchmarkRulesUnchanged(b *testing.B) { benchmarkUnchanged(b, "/api/v1/rules") }
func BenchmarkRulesOnePageUnchanged(b *testing.B) {
	benchmarkUnchanged(b, "/api/v1/rules?group_limit=10&page_num=3")
}
func BenchmarkAlertsUnchanged(b *testing.B) { benchmarkUnchanged(b, "/api/v1/alerts") }
