package datasource

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"tocsin/config"
	"tocsin/rules"
)

func inCluster(address string) func(*Options) {
	return func(o *Options) { o.URL, o.ClusterMode = address, true }
}

func TestQueryGoesToTheTenantOfItsGroup(t *testing.T) {
	for _, tt := range []struct {
		url    string
		tenant config.Tenant
		want   string
	}{
		{"http://vmselect:8481", "123", "http://vmselect:8481/select/123/prometheus/api/v1/query"},
		{"http://vmselect:8481/", "456:789", "http://vmselect:8481/select/456:789/prometheus/api/v1/query"},
		{"https://lb/a%2Fb/?nocache=1", "1:2", "https://lb/a%2Fb/select/1:2/prometheus/api/v1/query?nocache=1"},
	} {
		s := answering(emptyVector)
		q := up()
		q.Tenant = tt.tenant
		c := newClient(t, s, inCluster(tt.url))
		ask(t, c, q)
		equal(t, s.only(t).url, tt.want)
		if got := c.Request(q); !strings.Contains(got, "/select/"+string(tt.tenant)+"/prometheus/api/v1/query") {
			t.Errorf("the request is shown as %s", got)
		}
	}
}

// In a cluster the type is part of the path anyway.
func TestTypePrefixIsNotPutIntoTheTenantsPath(t *testing.T) {
	s := answering(emptyVector)
	q := up()
	q.Tenant = "1"
	ask(t, newClient(t, s, func(o *Options) {
		inCluster("http://vmselect")(o)
		o.AppendTypePrefix = true
	}), q)
	equal(t, s.only(t).url, "http://vmselect/select/1/prometheus/api/v1/query")
}

func TestRangeQueryGoesToTheTenantOfItsGroup(t *testing.T) {
	s := answering(`{"status":"success","data":{"resultType":"matrix","result":[]}}`)
	q := rules.RangeQuery{Query: up(), From: noon.Add(-time.Minute), To: noon, Step: time.Minute}
	q.Tenant = "456:789"
	if _, err := newClient(t, s, inCluster("http://vmselect:8481")).QueryRange(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	equal(t, s.only(t).url, "http://vmselect:8481/select/456:789/prometheus/api/v1/query_range")
}

func TestErrorNamesThePathOfTheTenant(t *testing.T) {
	s := &fakeServer{replies: []reply{{status: http.StatusNotFound, body: "no"}}}
	q := up()
	q.Tenant = "42"
	_, err := newClient(t, s, inCluster("http://vmselect:8481")).Query(t.Context(), q)
	if err == nil || !strings.HasPrefix(err.Error(), "http://vmselect:8481/select/42/prometheus/api/v1/query: ") {
		t.Errorf("got %v", err)
	}
}

// Logs are kept in another cluster, which knows tenants by headers.
func TestLogsHaveNoTenantInTheirPath(t *testing.T) {
	o := &Options{ClusterMode: true}
	for kind, want := range map[config.Type]string{
		config.VLogs:      "/select/logsql/stats_query",
		config.Graphite:   "/select/" + tenantMark + "/graphite/render",
		config.Prometheus: "/select/" + tenantMark + "/prometheus/api/v1/query",
	} {
		if got := o.path(kind); got != want {
			t.Errorf("path of %s is %s, want %s", kind, got, want)
		}
	}
}

func BenchmarkEndpointOfTenant(b *testing.B) {
	b.ReportAllocs()
	o := &Options{ClusterMode: true}
	e, err := newEndpoint("http://vmselect:8481", o.path(config.Prometheus), false)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		e.of("456:789")
	}
}
