package app

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/VictoriaMetrics/metricsql"

	"tocsin/config"
)

// dashboardMetrics returns the labels that dashboards and alert rules for vmalert
// ask of each metric.
func dashboardMetrics(t *testing.T) map[string][]string {
	t.Helper()
	table, err := os.ReadFile("testdata/dashboards.tsv")
	if err != nil {
		t.Fatal(err)
	}
	asked := map[string][]string{}
	for line := range strings.Lines(string(table)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		name, labels, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		asked[name] = strings.FieldsFunc(labels, func(r rune) bool { return r == ',' })
	}
	return asked
}

// missingHere returns whether a metric of the process is one that this system does
// not tell of, such as the pressure on memory.
func missingHere(name string) bool {
	var b bytes.Buffer
	metrics.WriteProcessMetrics(&b)
	return strings.HasPrefix(name, "process_pressure_") && !bytes.Contains(b.Bytes(), []byte("\n"+name+" "))
}

func TestDashboardsAndAlertsForVmalertFindTheirMetrics(t *testing.T) {
	w := newWorld(t)
	o := delivering(t, w)
	o.Flags = []Flag{{Name: "rule", Value: "rules.yml", IsSet: true}}
	d := start(t, o)
	w.awaitAlert(t, "Down")
	await(t, "results are written", func() bool { return d.metric("vmalert_remotewrite_sent_rows_total") > 0 })
	found := d.exposed()
	for name, asked := range dashboardMetrics(t) {
		if found[name] == nil && !missingHere(name) {
			t.Errorf("no metric %s", name)
		}
		for _, labels := range found[name] {
			for _, label := range asked {
				if !slices.Contains(labels, label) {
					t.Errorf("%s has the labels %q, among which there is no %s", name, labels, label)
				}
			}
		}
	}
}

// Dashboards choose the jobs that they show by versions that begin with vmalert.
func TestDashboardsForVmalertFindTheJob(t *testing.T) {
	o := withBlackhole(options(newWorld(t), ruleFile(t, oneAlert)))
	o.Version = `v1.2-"odd"`
	d := start(t, o)
	const want = `vm_app_version{version="vmalert-tocsin-v1.2-\"odd\"", short_version="v1.2-\"odd\""}`
	if got := d.metric(want); got != 1 {
		t.Errorf("%s is %v, want 1", want, got)
	}
}

// Those of settings that the daemon of the test does not have.
var shownOnlyWithSettings = map[string]bool{
	"tocsin_http_tls_certificate_expiry_timestamp_seconds": true, // with -tls
	"up": true, // of whoever scrapes
}

const deployedRules = "../../docs/deploy/rules/*.yml"

func TestDeployedRulesAreValid(t *testing.T) {
	if out, err := dry(dryOptions(deployedRules)); err != nil {
		t.Errorf("%s%v", out, err)
	}
}

// Each rule about tocsin asks for what tocsin shows.
func TestDeployedRulesNameMetricsThatThereAre(t *testing.T) {
	w := newWorld(t)
	o := delivering(t, w)
	o.Storage = StorageOptions{Path: t.TempDir(), MaxDiskUsage: 1 << 30}
	o.Rules.CatchUp = time.Minute
	d := start(t, o)
	await(t, "results are written", func() bool { return d.metric("vmalert_remotewrite_sent_rows_total") > 0 })
	found := d.exposed()
	set, err := config.Load(t.Context(), config.Options{Patterns: []string{deployedRules}, ValidateExpressions: true})
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for _, g := range set.Groups {
		for _, r := range g.Rules {
			for _, name := range metricNames(t, r.Expr) {
				named++
				if found[name] == nil && !shownOnlyWithSettings[name] {
					t.Errorf("%s: there is no metric %s", r.Name, name)
				}
			}
		}
	}
	if named < 20 {
		t.Errorf("the rules name %d metrics, which cannot be all", named)
	}
}

// metricNames returns the names of the metrics that expr selects.
func metricNames(t *testing.T, expr string) []string {
	t.Helper()
	parsed, err := metricsql.Parse(expr)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	metricsql.VisitAll(parsed, func(e metricsql.Expr) {
		m, ok := e.(*metricsql.MetricExpr)
		if !ok {
			return
		}
		for _, filters := range m.LabelFilterss {
			for _, f := range filters {
				if f.Label == "__name__" {
					names = append(names, f.Value)
				}
			}
		}
	})
	return names
}
