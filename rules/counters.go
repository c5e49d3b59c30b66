package rules

import (
	"sync/atomic"

	"github.com/VictoriaMetrics/metrics"
)

// Counters are the totals over all groups.
type Counters struct {
	executions      *metrics.Counter
	executionErrors *metrics.Counter
	alertsFired     *metrics.Counter
	handOverErrors  *metrics.Counter
	chainWaits      *metrics.Counter
	chainTimeouts   *metrics.Counter
	cutShort        *metrics.Counter
	restores        *metrics.Counter
	restoreErrors   *metrics.Counter

	snapshots atomic.Uint64 // of all groups, which are numbered so
}

// NewCounters returns counters that are part of s.
func NewCounters(s *metrics.Set) *Counters {
	return &Counters{
		executions:      s.NewCounter("vmalert_execution_total"),
		executionErrors: s.NewCounter("vmalert_execution_errors_total"),
		alertsFired:     s.NewCounter("vmalert_alerts_fired_total"),
		handOverErrors:  s.NewCounter("tocsin_rule_handover_errors_total"),
		chainWaits:      s.NewCounter("tocsin_chain_waits_total"),
		chainTimeouts:   s.NewCounter("tocsin_chain_wait_timeouts_total"),
		cutShort:        s.NewCounter("tocsin_evaluations_cut_short_total"),
		restores:        s.NewCounter("tocsin_restored_alerts_total"),
		restoreErrors:   s.NewCounter("tocsin_restore_errors_total"),
	}
}
