package journal

import "github.com/VictoriaMetrics/metrics"

// counts are what goes otherwise than planned.
type counts struct {
	bypassed   *metrics.Counter // records handed on without waiting for the disk
	unkept     *metrics.Counter // samples of commits that failed or hang; they are in memory only
	untold     *metrics.Counter // alerts that no notifier took
	lost       *metrics.Counter // samples: malformed on disk, or not there and too many for memory
	readBack   *metrics.Counter // samples
	unreadable *metrics.Counter // attempts to read results back
}

func newCounts(s *metrics.Set) counts {
	return counts{
		bypassed:   s.NewCounter("tocsin_journal_bypassed_records_total"),
		unkept:     s.NewCounter("tocsin_journal_unkept_samples_total"),
		untold:     s.NewCounter("tocsin_journal_untold_alerts_total"),
		lost:       s.NewCounter("tocsin_journal_lost_samples_total"),
		readBack:   s.NewCounter("tocsin_journal_read_back_samples_total"),
		unreadable: s.NewCounter("tocsin_journal_read_errors_total"),
	}
}
