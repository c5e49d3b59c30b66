package datasource

import "github.com/VictoriaMetrics/metrics"

// counters are the metrics of a client. Clients that share a Set share them.
type counters struct {
	retries    *metrics.Counter // requests sent again after a broken connection
	redirects  *metrics.Counter // requests sent again to another address
	histograms *metrics.Counter // samples left out for being native histograms
	warnings   *metrics.Counter // warnings in answers
	partial    *metrics.Counter // answers that are not complete
	ranges     *metrics.Counter // range queries
	waiting    *metrics.Gauge   // queries that wait for a slot
}

func newCounters(s *metrics.Set) counters {
	return counters{
		retries:    s.GetOrCreateCounter("tocsin_datasource_retries_total"),
		redirects:  s.GetOrCreateCounter("tocsin_datasource_redirects_total"),
		histograms: s.GetOrCreateCounter("tocsin_datasource_histograms_skipped_total"),
		warnings:   s.GetOrCreateCounter("tocsin_datasource_warnings_total"),
		partial:    s.GetOrCreateCounter("tocsin_datasource_partial_answers_total"),
		ranges:     s.GetOrCreateCounter("tocsin_datasource_range_queries_total"),
		waiting:    s.GetOrCreateGauge("tocsin_datasource_queries_waiting", nil),
	}
}
