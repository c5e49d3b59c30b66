package remotewrite

import (
	"github.com/VictoriaMetrics/metrics"
)

// reason is why rows were not written.
type reason int

const (
	refused   reason = iota // by storage, for what they are
	givenUp                 // for newer rows, while storage fails
	queueFull               // never let in
	closing                 // Close ran out of time, or came first
	reasons
)

func (r reason) String() string {
	return [...]string{"refused", "given_up", "queue_full", "closing"}[r]
}

const (
	queueLengthName  = "tocsin_remotewrite_queue_length"
	oldestUnsentName = "tocsin_remotewrite_oldest_unsent_seconds"
)

// clientMetrics is what /metrics tells about a Client.
type clientMetrics struct {
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
	rows, bytes         *metrics.Counter
	blockRows           *metrics.Histogram // of accepted blocks
	blockBytes          *metrics.Histogram
	seconds             *metrics.FloatCounter
	duration            *metrics.Histogram // of a block from its first attempt, retries included
	retries             *metrics.Counter
	fallbacks, refusals *metrics.Counter
}

func newClientMetrics(set *metrics.Set) *clientMetrics {
	m := &clientMetrics{
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
			retries:    set.GetOrCreateCounter("tocsin_remotewrite_retries_total"),
			fallbacks:  set.GetOrCreateCounter("tocsin_remotewrite_protocol_fallbacks_total"),
			refusals:   set.GetOrCreateCounter("tocsin_remotewrite_refused_requests_total"),
		},
	}
	for r := range reasons {
		m.dropped[r] = set.GetOrCreateCounter(`tocsin_remotewrite_dropped_rows_total{reason="` + r.String() + `"}`)
	}
	return m
}

func (m *clientMetrics) drop(why reason, rows int) {
	m.droppedTotal.Add(rows)
	m.dropped[why].Add(rows)
}

// watchQueue shows q for as long as its client runs.
func watchQueue(set *metrics.Set, q *queue) {
	set.NewGauge(queueLengthName, func() float64 {
		rows, _ := q.length()
		return float64(rows)
	})
	set.NewGauge(oldestUnsentName, func() float64 {
		_, oldest := q.length()
		return oldest.Seconds()
	})
}

func unwatchQueue(set *metrics.Set) {
	set.UnregisterMetric(queueLengthName)
	set.UnregisterMetric(oldestUnsentName)
}
