package app

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/VictoriaMetrics/metrics"
	"github.com/google/go-cmp/cmp"
)

func TestMetadataBringsFamiliesTogether(t *testing.T) {
	const text = `a_total{group="1"} 1
h_bucket{group="1",vmrange="1...2"} 1
h_sum{group="1"} 2
h_count{group="1"} 1
a_total{group="2"} 1
h_bucket{group="2",vmrange="1...2"} 1
s{quantile="0.5"} 1
s_sum 1
s_count 1
p_bucket{le="+Inf"} 1
p_sum 1
lone_count 3
lone 3
`
	const want = `# HELP a_total
# TYPE a_total counter
a_total{group="1"} 1
a_total{group="2"} 1
# HELP h
# TYPE h untyped
h_bucket{group="1",vmrange="1...2"} 1
h_sum{group="1"} 2
h_count{group="1"} 1
h_bucket{group="2",vmrange="1...2"} 1
# HELP s
# TYPE s summary
s{quantile="0.5"} 1
s_sum 1
s_count 1
# HELP p
# TYPE p histogram
p_bucket{le="+Inf"} 1
p_sum 1
# HELP lone_count
# TYPE lone_count gauge
lone_count 3
# HELP lone
# TYPE lone gauge
lone 3
`
	var out bytes.Buffer
	writeWithMetadata(&out, func(w io.Writer) { _, _ = io.WriteString(w, text) })
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
}

// typesOf returns the types that comments of the text format tell.
func typesOf(t *testing.T, text string) map[string]string {
	t.Helper()
	types := map[string]string{}
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), "# TYPE ")
		if !ok {
			continue
		}
		name, kind, _ := strings.Cut(rest, " ")
		types[name] = kind
	}
	return types
}

// namedAgainstTheirType are metrics of which the library knows another type than
// their name tells.
var namedAgainstTheirType = map[string]string{
	"tocsin_log_messages_lost_total":                       "a gauge that only grows",
	"metrics_push_interval_seconds":                        "a counter that is set",
	"vmalert_config_last_reload_success_timestamp_seconds": "a counter that is set",
}

func TestTypesOfMetricsAreThoseOfTheLibrary(t *testing.T) {
	w := newWorld(t)
	o := delivering(t, w)
	shown := func(o Options) string {
		d := start(t, o)
		w.awaitAlert(t, "Down")
		await(t, "results are written", func() bool { return d.metric("vmalert_remotewrite_sent_rows_total") > 0 })
		_, body := d.get("/metrics")
		return body
	}
	metrics.ExposeMetadata(true)
	want := typesOf(t, shown(o))
	metrics.ExposeMetadata(false)
	o.Metrics.ExposeMetadata = true
	text := shown(o)
	got := typesOf(t, text)
	compared := 0
	for name, kind := range want {
		if namedAgainstTheirType[name] != "" || got[name] == "" {
			continue
		}
		compared++
		// The runtime counts some things without saying so in the name.
		if got[name] != kind && !strings.HasPrefix(name, "go_") && !strings.HasPrefix(name, "process_") {
			t.Errorf("%s is a %s, to the library a %s", name, got[name], kind)
		}
	}
	if compared < 50 {
		t.Errorf("%d types were compared only", compared)
	}
	if n := strings.Count(text, "# TYPE vmalert_iteration_total counter\n"); n != 1 {
		t.Errorf("the type of a metric of two groups is told %d times", n)
	}
}

func TestMetricsHaveNoCommentsUnasked(t *testing.T) {
	d, _ := reloadable(t, group("g", "up"))
	if _, body := d.get("/metrics"); strings.Contains(body, "#") {
		t.Errorf("metrics:\n%s", body)
	}
}

func BenchmarkMetadata(b *testing.B) {
	series := []byte(strings.Repeat(`vmalert_alerts_firing{alertname="HighLatency",group="api",file="rules.yml",id="1"} 0`+"\n", 10_000))
	b.ReportAllocs()
	b.SetBytes(int64(len(series)))
	for b.Loop() {
		writeWithMetadata(io.Discard, func(w io.Writer) { _, _ = w.Write(series) })
	}
}
