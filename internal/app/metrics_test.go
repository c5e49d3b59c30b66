package app

import (
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// metricsTable lists the metrics of vmalert with their labels.
const metricsTable = "../../../shared/compat/metrics.tsv"

// wantedMetrics returns the names of the labels of each metric, in order.
func wantedMetrics(t *testing.T) map[string][]string {
	t.Helper()
	table, err := os.ReadFile(metricsTable)
	if err != nil {
		t.Fatalf("the list of metrics must lie at %s, seen from the package: %v", metricsTable, err)
	}
	wanted := map[string][]string{}
	for line := range strings.Lines(string(table)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		name, labels, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		wanted[name] = nil
		if labels != "" {
			wanted[name] = strings.Split(labels, ",")
		}
	}
	if len(wanted) < 90 {
		t.Fatalf("only %d metrics in the list", len(wanted))
	}
	return wanted
}

var (
	seriesLine = regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (?:[-+0-9.eE]+|NaN|[-+]Inf)$`)
	labelPair  = regexp.MustCompile(`^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:, ?|$)`)
)

// parseSeries returns the name and the names of the labels of one line of the text
// format; false if it is not well-formed.
func parseSeries(line string) (name string, labels []string, ok bool) {
	m := seriesLine.FindStringSubmatch(line)
	if m == nil {
		return "", nil, false
	}
	for rest := m[2]; rest != ""; {
		pair := labelPair.FindStringSubmatch(rest)
		if pair == nil {
			return "", nil, false
		}
		labels = append(labels, pair[1])
		rest = rest[len(pair[0]):]
	}
	slices.Sort(labels)
	return m[1], labels, true
}

// exposed returns the label names of each metric that the daemon shows. It fails
// the test for lines that are not well-formed.
func (d *running) exposed() map[string][][]string {
	d.t.Helper()
	_, body := d.get("/metrics")
	found := map[string][][]string{}
	for line := range strings.Lines(body) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, labels, ok := parseSeries(line)
		if !ok {
			d.t.Errorf("not a line of the text format: %s", line)
			continue
		}
		found[name] = append(found[name], labels)
	}
	return found
}

func TestMetricsAreThoseOfVmalert(t *testing.T) {
	w := newWorld(t)
	o := delivering(t, w)
	o.Flags = []Flag{{Name: "rule", Value: `C:\rules "a"`, IsSet: true}, {Name: "dryRun", Value: "false"}}
	collector := w.serve(t, func(http.ResponseWriter, *http.Request) {})
	o.Metrics = MetricsOptions{PushURLs: []string{collector.URL}, PushInterval: 10 * time.Millisecond}
	d := start(t, o)
	w.awaitAlert(t, "Down")
	await(t, "results are written", func() bool { return d.metric("vmalert_remotewrite_sent_rows_total") > 0 })
	await(t, "alerts are sent", func() bool {
		return len(d.exposed()["vmalert_alerts_send_duration_seconds_bucket"]) > 0
	})

	await(t, "metrics are pushed", func() bool { return d.metric(`metrics_push_total{url="`+collector.URL+`"}`) > 0 })

	found, wanted := d.exposed(), wantedMetrics(t)
	maps.Copy(wanted, moreOfVmalert)
	for name, labels := range wanted {
		if found[name] == nil {
			t.Errorf("no metric %s", name)
			continue
		}
		for _, got := range found[name] {
			if !slices.Equal(got, labels) {
				t.Errorf("%s has the labels %q, want %q", name, got, labels)
				break
			}
		}
	}
}

// moreOfVmalert are further metrics that vmalert shows, with their labels, which
// the table leaves out.
var moreOfVmalert = map[string][]string{
	"vm_tcplistener_accepts_total":         {"addr", "name"},
	"vm_tcplistener_conns":                 {"addr", "name"},
	"vm_tcplistener_errors_total":          {"addr", "name", "type"},
	"vm_tcplistener_read_bytes_total":      {"addr", "name"},
	"vm_tcplistener_read_calls_total":      {"addr", "name"},
	"vm_tcplistener_read_timeouts_total":   {"addr", "name"},
	"vm_tcplistener_write_calls_total":     {"addr", "name"},
	"vm_tcplistener_write_timeouts_total":  {"addr", "name"},
	"vm_tcplistener_written_bytes_total":   {"addr", "name"},
	"vm_available_cpu_cores":               nil,
	"vm_available_memory_bytes":            nil,
	"vm_gogc":                              nil,
	"metrics_push_block_size_bytes_bucket": {"url", "vmrange"},
	"metrics_push_block_size_bytes_count":  {"url"},
	"metrics_push_block_size_bytes_sum":    {"url"},
	"metrics_push_bytes_pushed_total":      {"url"},
	"metrics_push_duration_seconds_bucket": {"url", "vmrange"},
	"metrics_push_duration_seconds_count":  {"url"},
	"metrics_push_duration_seconds_sum":    {"url"},
	"metrics_push_errors_total":            {"url"},
	"metrics_push_interval_seconds":        {"url"},
	"metrics_push_total":                   {"url"},
}

// Our own metrics are told apart by their prefix.
func TestMetricsBeyondVmalertHaveOurPrefix(t *testing.T) {
	w := newWorld(t)
	d := start(t, delivering(t, w))
	w.awaitAlert(t, "Down")
	wanted := wantedMetrics(t)
	maps.Copy(wanted, moreOfVmalert)
	for name := range d.exposed() {
		_, known := wanted[name]
		ours := strings.HasPrefix(name, "tocsin_")
		process := strings.HasPrefix(name, "go_") || strings.HasPrefix(name, "process_")
		if !known && !ours && !process {
			t.Errorf("metric %s is neither vmalert's nor called tocsin_", name)
		}
	}
}

func TestMetricsOfOddNamesAreWellFormed(t *testing.T) {
	w := newWorld(t)
	w.answer("up", map[string]string{"host": "a\"b\\c\nd"})
	rule := `groups: [{name: "a \"b\" \\c\nd=,{}", rules: [{alert: "x \"y\" \\z\n", expr: up}]}]`
	d := start(t, withBlackhole(options(w, ruleFile(t, rule))))
	await(t, "the alert fires", func() bool { return d.metric("vmalert_alerts_fired_total") > 0 })
	if n := len(d.exposed()["vmalert_alerts_firing"]); n != 1 {
		t.Errorf("%d series vmalert_alerts_firing, want 1", n)
	}
}

// The series of a group and its rules live exactly as long as the group.
func TestMetricsOfRemovedGroupsAreGone(t *testing.T) {
	d, path := reloadable(t, group("one", "up"))
	write(t, path, group("two", "up"))
	d.post()
	_, body := d.get("/metrics")
	if strings.Contains(body, `group="one"`) || !strings.Contains(body, `group="two"`) {
		t.Errorf("metrics after the group was replaced:\n%s", body)
	}
}
