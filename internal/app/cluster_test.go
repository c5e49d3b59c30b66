package app

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/prometheus/prompb"
)

// cluster is a VictoriaMetrics cluster, as far as tenants go: what is written is
// kept with the tenant that its labels name, and without these labels; queries are
// answered from the data of the tenant in their path. Every series has one sample.
type cluster struct {
	server *httptest.Server

	mu     sync.Mutex
	series map[string][]clusterSeries // by tenant, as in the path of queries
	paths  map[string]bool            // of all requests
}

type clusterSeries struct {
	labels map[string]string
	value  float64
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{series: map[string][]clusterSeries{}, paths: map[string]bool{}}
	c.server = httptest.NewServer(http.HandlerFunc(c.handle))
	t.Cleanup(c.server.Close)
	return c
}

func (c *cluster) handle(rw http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.paths[r.URL.Path] = true
	tenant, isQuery := strings.CutPrefix(r.URL.Path, "/select/")
	tenant, isQuery2 := strings.CutSuffix(tenant, "/prometheus/api/v1/query")
	switch {
	case isQuery && isQuery2:
		c.query(rw, tenant, r.FormValue("query"))
	case r.URL.Path == "/insert/multitenant/prometheus/api/v1/write":
		c.write(rw, r)
	default:
		http.NotFound(rw, r)
	}
}

// query answers with the series of the metric that the expression names.
func (c *cluster) query(rw http.ResponseWriter, tenant, expr string) {
	name := strings.TrimPrefix(expr, "default_rollup(")
	name, _, _ = strings.Cut(name, "{")
	type sample struct {
		Metric map[string]string `json:"metric"`
		Value  [2]any            `json:"value"`
	}
	result := []sample{}
	for _, s := range c.series[tenant] {
		if s.labels["__name__"] == name {
			text, _ := json.Marshal(s.value)
			result = append(result, sample{s.labels, [2]any{1, string(text)}})
		}
	}
	rw.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(rw).Encode(map[string]any{
		"status": "success", "data": map[string]any{"resultType": "vector", "result": result},
	})
}

func (c *cluster) write(rw http.ResponseWriter, r *http.Request) {
	packed, err := io.ReadAll(r.Body)
	if err == nil {
		packed, err = unpack(r.Header.Get("Content-Encoding"), packed)
	}
	var request prompb.WriteRequest
	if err == nil {
		err = request.Unmarshal(packed)
	}
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	for _, ts := range request.Timeseries {
		s := clusterSeries{labels: map[string]string{}, value: ts.Samples[0].Value}
		for _, l := range ts.Labels {
			s.labels[l.Name] = l.Value
		}
		tenant := s.labels["vm_account_id"]
		if project := s.labels["vm_project_id"]; project != "0" {
			tenant += ":" + project
		}
		delete(s.labels, "vm_account_id")
		delete(s.labels, "vm_project_id")
		c.series[tenant] = append(c.series[tenant], s)
	}
}

// put gives a tenant a series of the value 1.
func (c *cluster) put(tenant string, labels map[string]string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.series[tenant] = append(c.series[tenant], clusterSeries{labels, 1})
}

// hosts returns the values of the label host of a tenant's series called name, each
// once and sorted.
func (c *cluster) hosts(tenant, name string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var hosts []string
	for _, s := range c.series[tenant] {
		if s.labels["__name__"] == name {
			hosts = append(hosts, s.labels["host"])
		}
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}
