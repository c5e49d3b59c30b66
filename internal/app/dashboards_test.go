package app

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"regexp"
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

// exposedByAll returns the metrics of a daemon that does all that it does by default.
func exposedByAll(t *testing.T) map[string][][]string {
	t.Helper()
	w := newWorld(t)
	o := delivering(t, w)
	o.Storage = StorageOptions{Path: t.TempDir(), MaxDiskUsage: 1 << 30}
	o.Rules.CatchUp = time.Minute
	o.Flags = []Flag{{Name: "rule", Value: "rules.yml", IsSet: true}}
	d := start(t, o)
	await(t, "results are written", func() bool { return d.metric("vmalert_remotewrite_sent_rows_total") > 0 })
	return d.exposed()
}

// Each rule about tocsin asks for what tocsin shows.
func TestDeployedRulesNameMetricsThatThereAre(t *testing.T) {
	found := exposedByAll(t)
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

// metricInText is a metric as a page writes it; with a star it is all that begin so.
var metricInText = regexp.MustCompile(`\b((?:vmalert|tocsin|vm|process)_[a-z_]+)(\*?)`)

func TestMigrationPageNamesMetricsThatThereAre(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs", "migration.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := exposedByAll(t)
	all := slices.Sorted(maps.Keys(found))
	named := metricInText.FindAllStringSubmatch(string(text), -1)
	if len(named) < 30 {
		t.Errorf("the page names %d metrics only", len(named))
	}
	for _, m := range named {
		begins := func(name string) bool { return name == m[1] || m[2] != "" && strings.HasPrefix(name, m[1]) }
		if !slices.ContainsFunc(all, begins) {
			t.Errorf("there is no metric %s%s", m[1], m[2])
		}
	}
}

// What is shown under a name of our own is explained.
func TestMetricsOfOurOwnAreDocumented(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs", "metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	ours := 0
	for name := range exposedByAll(t) {
		if !strings.HasPrefix(name, "tocsin_") || strings.HasPrefix(name, "tocsin_rule_files_") {
			continue // those of connections are named by their prefix
		}
		ours++
		for _, of := range []string{"_bucket", "_sum", "_count"} {
			name = strings.TrimSuffix(name, of)
		}
		if !strings.Contains(string(text), "`"+name) {
			t.Errorf("docs/metrics.md does not say what %s is", name)
		}
	}
	if ours < 40 {
		t.Errorf("%d metrics of our own only", ours)
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
