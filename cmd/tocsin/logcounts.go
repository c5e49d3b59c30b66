package main

import (
	"fmt"
	"io"

	"github.com/VictoriaMetrics/metrics"

	"tocsin/rules"
)

// logCounts counts log messages by level and place in the code.
type logCounts struct {
	version string // escaped for a label
	set     *metrics.Set
}

// newLogCounts returns counts without messages; lost returns how many could not
// be written.
func newLogCounts(version string, lost func() int) *logCounts {
	c := &logCounts{version: rules.EscapeLabelValue(version), set: metrics.NewSet()}
	c.set.NewGauge("tocsin_log_messages_lost_total", func() float64 { return float64(lost()) })
	return c
}

// count is an onMessage.
func (c *logCounts) count(level, location string, printed bool) {
	name := fmt.Sprintf(`vm_log_messages_total{app_version="%s", is_printed="%t", level="%s", location="%s"}`,
		c.version, printed, level, rules.EscapeLabelValue(location))
	c.set.GetOrCreateCounter(name).Inc()
}

// write writes the counts in the Prometheus text format.
func (c *logCounts) write(w io.Writer) { c.set.WritePrometheus(w) }
