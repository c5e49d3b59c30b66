package store

import (
	"strings"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// storeMetrics is what /metrics tells about a Store. The gauges without a function
// are set by the committer.
type storeMetrics struct {
	set    *metrics.Set
	shown  []string // names of the gauges of targets
	commit struct {
		total, errors *metrics.Counter
		duration      *metrics.Histogram // of those that succeeded
		written       *metrics.Counter   // bytes, of those that succeeded
		copied        *metrics.Counter   // of these, bytes copied forward
	}
	size, live, segments, degraded *metrics.Gauge

	removeErrors *metrics.Counter
	copyErrors   *metrics.Counter
	lostValues   *metrics.Counter
}

// drops counts the samples that a target did not get, by reason.
type drops struct {
	full    *metrics.Counter
	damaged *metrics.Counter
}

func newStoreMetrics(set *metrics.Set) *storeMetrics {
	m := &storeMetrics{
		set:          set,
		size:         set.GetOrCreateGauge("tocsin_journal_size_bytes", nil),
		live:         set.GetOrCreateGauge("tocsin_journal_state_bytes", nil),
		segments:     set.GetOrCreateGauge("tocsin_journal_segments", nil),
		degraded:     set.GetOrCreateGauge("tocsin_journal_degraded", nil),
		removeErrors: set.GetOrCreateCounter("tocsin_journal_remove_errors_total"),
		copyErrors:   set.GetOrCreateCounter("tocsin_journal_copy_errors_total"),
		lostValues:   set.GetOrCreateCounter("tocsin_journal_lost_values_total"),
	}
	m.commit.total = set.GetOrCreateCounter("tocsin_journal_commits_total")
	m.commit.errors = set.GetOrCreateCounter("tocsin_journal_commit_errors_total")
	m.commit.duration = set.GetOrCreateHistogram("tocsin_journal_commit_duration_seconds")
	m.commit.written = set.GetOrCreateCounter("tocsin_journal_written_bytes_total")
	m.commit.copied = set.GetOrCreateCounter("tocsin_journal_copied_bytes_total")
	return m
}

func (m *storeMetrics) newDrops(target string) drops {
	counter := func(reason string) *metrics.Counter {
		return m.set.GetOrCreateCounter(targetMetric("dropped_samples_total", target) +
			`,reason="` + reason + `"}`)
	}
	return drops{full: counter("journal_full"), damaged: counter("damaged")}
}

// watch shows what waits for each target until unwatch is called.
func (m *storeMetrics) watch(l *ledger) {
	for _, t := range l.targets {
		gauge := func(name string, value func(backlog) float64) {
			name = targetMetric(name, t.name) + "}"
			m.set.NewGauge(name, func() float64 { return value(l.waiting(t)) })
			m.shown = append(m.shown, name)
		}
		gauge("waiting_batches", func(b backlog) float64 { return float64(b.batches) })
		gauge("waiting_samples", func(b backlog) float64 { return float64(b.samples) })
		gauge("waiting_oldest_seconds", func(b backlog) float64 { return b.age(time.Now()).Seconds() })
	}
}

func (m *storeMetrics) unwatch() {
	for _, name := range m.shown {
		m.set.UnregisterMetric(name)
	}
}

// targetMetric returns the name of a metric of target, without the closing brace.
func targetMetric(name, target string) string {
	escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
	return "tocsin_journal_" + name + `{target="` + escape.Replace(target) + `"`
}
