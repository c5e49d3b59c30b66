package remotewrite

import (
	"github.com/VictoriaMetrics/metrics"

	"tocsin/rules"
)

// reason is why rows were not written.
type reason int

const (
	refused         reason = iota // by storage, for what they are
	refusedTogether               // by storage, with rows that may have been the cause
	givenUp                       // for newer rows, while storage fails
	queueFull                     // never let in
	closing                       // Close ran out of time, or came first
	reasons
)

func (r reason) String() string {
	return [...]string{"refused", "refused_together", "given_up", "queue_full", "closing"}[r]
}

const (
	queueLengthName  = "tocsin_remotewrite_queue_length"
	oldestUnsentName = "tocsin_remotewrite_oldest_unsent_seconds"
)

// targetLabel is how metrics tell one of several targets from the others; it is
// empty for the only one.
type targetLabel string

func newTargetLabel(name string) targetLabel {
	if name == "" {
		return ""
	}
	return targetLabel(`url="` + rules.EscapeLabelValue(name) + `"`)
}

// of returns the name of the target's metric, with more labels, which may be empty.
func (l targetLabel) of(metric, more string) string {
	switch {
	case l == "" && more == "":
		return metric
	case l == "":
		return metric + "{" + more + "}"
	case more == "":
		return metric + "{" + string(l) + "}"
	}
	return metric + "{" + more + "," + string(l) + "}"
}

// clientMetrics is what /metrics tells about a Client.
type clientMetrics struct {
	label        targetLabel
	total        *metrics.Counter // rows handed to Append
	errors       *metrics.Counter // rows rejected and blocks lost
	droppedTotal *metrics.Counter
	dropped      [reasons]*metrics.Counter
	capacity     *metrics.Gauge
	concurrency  *metrics.Gauge
	queueSize    *metrics.Histogram // rows queued, seen by each Append

	sending sendMetrics
}

// sendMetrics is what the senders count.
type sendMetrics struct {
	rows, bytes *metrics.Counter
	blockRows   *metrics.Histogram // of accepted blocks
	blockBytes  *metrics.Histogram
	seconds     *metrics.FloatCounter
	duration    *metrics.Histogram // of a block from its first attempt, retries included
	retries     *metrics.Counter
	fallbacks   *metrics.Counter
	refusals    *metrics.Counter // requests
	bisections  *metrics.Counter // of refused requests
	probes      *metrics.Counter // requests without samples
}

// newClientMetrics returns the metrics of one client. Those that vmalert has are
// shared by all clients of the set, whose sum they are.
func newClientMetrics(set *metrics.Set, label targetLabel) *clientMetrics {
	counter := func(name string) *metrics.Counter { return set.GetOrCreateCounter(label.of(name, "")) }
	m := &clientMetrics{
		label:        label,
		total:        set.GetOrCreateCounter("vmalert_remotewrite_total"),
		errors:       set.GetOrCreateCounter("vmalert_remotewrite_errors_total"),
		droppedTotal: set.GetOrCreateCounter("vmalert_remotewrite_dropped_rows_total"),
		capacity:     set.GetOrCreateGauge("vmalert_remotewrite_queue_capacity", nil),
		concurrency:  set.GetOrCreateGauge("vmalert_remotewrite_concurrency", nil),
		queueSize:    set.GetOrCreateHistogram("vmalert_remotewrite_queue_size"),
		sending: sendMetrics{
			rows:       set.GetOrCreateCounter("vmalert_remotewrite_sent_rows_total"),
			bytes:      set.GetOrCreateCounter("vmalert_remotewrite_sent_bytes_total"),
			blockRows:  set.GetOrCreateHistogram("vmalert_remotewrite_sent_rows"),
			blockBytes: set.GetOrCreateHistogram("vmalert_remotewrite_sent_bytes"),
			seconds:    set.GetOrCreateFloatCounter("vmalert_remotewrite_send_duration_seconds_total"),
			duration:   set.GetOrCreateHistogram("vmalert_remotewrite_flush_duration_seconds"),
			retries:    counter("tocsin_remotewrite_retries_total"),
			fallbacks:  counter("tocsin_remotewrite_protocol_fallbacks_total"),
			refusals:   counter("tocsin_remotewrite_refused_requests_total"),
			bisections: counter("tocsin_remotewrite_bisections_total"),
			probes:     counter("tocsin_remotewrite_probes_total"),
		},
	}
	for r := range reasons {
		m.dropped[r] = set.GetOrCreateCounter(label.of("tocsin_remotewrite_dropped_rows_total", `reason="`+r.String()+`"`))
	}
	return m
}

func (m *clientMetrics) drop(why reason, rows int) {
	m.droppedTotal.Add(rows)
	m.dropped[why].Add(rows)
}

// watchQueue shows q for as long as its client runs.
func (m *clientMetrics) watchQueue(set *metrics.Set, q *queue) {
	set.NewGauge(m.label.of(queueLengthName, ""), func() float64 {
		rows, _ := q.length()
		return float64(rows)
	})
	set.NewGauge(m.label.of(oldestUnsentName, ""), func() float64 {
		_, oldest := q.length()
		return oldest.Seconds()
	})
}

func (m *clientMetrics) unwatchQueue(set *metrics.Set) {
	set.UnregisterMetric(m.label.of(queueLengthName, ""))
	set.UnregisterMetric(m.label.of(oldestUnsentName, ""))
}
