package app

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/config"
)

// inCluster has o ask c and write to it, for each group's tenant.
func inCluster(o Options, w *world, c *cluster) Options {
	o = withAlertmanager(withStorage(o, w), w)
	o.Datasource.URL, o.RemoteRead.URL, o.RemoteWrite.Targets[0].URL = c.server.URL, c.server.URL, c.server.URL
	o.Tenants = config.Tenants{Enabled: true, Prometheus: "2:3"}
	return o
}

const rulesOfTenants = `
groups:
- name: one
  tenant: "1"
  rules: &rules
  - {record: copy, expr: input}
  - alert: Now
    expr: input
    labels: {customer: "c{{ $labels.vm_account_id }}"}
    annotations: {summary: "{{ $labels.host }} of {{ $labels.vm_account_id }}:{{ $labels.vm_project_id }}, {{ $labels.customer }}"}
  - {alert: Later, expr: input, for: 1h}
- name: two
  rules: *rules
`

func TestTenantsShareAClusterAndNeverMix(t *testing.T) {
	w, c := newWorld(t), newCluster(t)
	c.put("1", map[string]string{"__name__": "input", "host": "a"})
	c.put("2:3", map[string]string{"__name__": "input", "host": "b"})
	start(t, inCluster(options(w, ruleFile(t, rulesOfTenants)), w, c))

	for tenant, host := range map[string]string{"1": "a", "2:3": "b"} {
		for _, name := range []string{"copy", "ALERTS", "ALERTS_FOR_STATE"} {
			await(t, tenant+" has "+name, func() bool { return len(c.hosts(tenant, name)) > 0 })
			if got := c.hosts(tenant, name); !slices.Equal(got, []string{host}) {
				t.Errorf("tenant %s has %s of %q, want of %q", tenant, name, got, host)
			}
		}
	}
	await(t, "both tenants are told of", func() bool {
		return len(summaries(w)) == 2
	})
	if diff := cmp.Diff([]string{"a of 1:0, c1", "b of 2:3, c2"}, summaries(w)); diff != "" {
		t.Errorf("alerts (-want +got):\n%s", diff)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	want := []string{
		"/insert/multitenant/prometheus/api/v1/write",
		"/select/1/prometheus/api/v1/query", "/select/2:3/prometheus/api/v1/query",
	}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(c.paths))); diff != "" {
		t.Errorf("paths (-want +got):\n%s", diff)
	}
}

// summaries returns those of the alerts called Now, each once and sorted.
func summaries(w *world) []string {
	var all []string
	for _, a := range w.told("Now") {
		all = append(all, a.Annotations["summary"])
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Storage has the clocks without the labels of tenants.
func TestRestartRestoresTheClocksOfEachTenant(t *testing.T) {
	w, c := newWorld(t), newCluster(t)
	c.put("1", map[string]string{"__name__": "input", "host": "a"})
	c.put("2:3", map[string]string{"__name__": "input", "host": "b"})
	o := inCluster(options(w, ruleFile(t, rulesOfTenants)), w, c)
	o.Rules.EvaluationInterval = time.Second // a look-up may take as long
	since := map[string]int64{}
	for i, tenant := range []string{"1", "2:3"} {
		at := time.Now().Unix() - 1000 - int64(i)
		since[tenant] = at
		c.mu.Lock()
		c.series[tenant] = append(c.series[tenant], clusterSeries{map[string]string{
			"__name__": "ALERTS_FOR_STATE", "alertname": "Later", "alertgroup": []string{"one", "two"}[i], "host": []string{"a", "b"}[i],
		}, float64(at)})
		c.mu.Unlock()
	}
	d := start(t, o)
	await(t, "both clocks are restored", func() bool {
		_, body := d.get("/api/v1/alerts")
		return strings.Count(body, `"restored":true`) == 2
	})
	_, body := d.get("/api/v1/alerts")
	for tenant, at := range since {
		if want := fmt.Sprintf(`"activeAt":"%s"`, time.Unix(at, 0).UTC().Format(time.RFC3339)); !strings.Contains(body, want) {
			t.Errorf("no alert of tenant %s with %s", tenant, want)
		}
	}
}
