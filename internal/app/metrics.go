package app

import (
	"fmt"
	"io"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"tocsin/rules"
)

// writeMetrics writes all metrics of the process in the Prometheus text format.
func (a *App) writeMetrics(w io.Writer) {
	if a.opts.Metrics.ExposeMetadata {
		writeWithMetadata(w, a.writeSeries)
		return
	}
	a.writeSeries(w)
}

func (a *App) writeSeries(w io.Writer) {
	a.metrics.WritePrometheus(w)
	a.manager.WriteMetrics(w)
	if a.signals.WriteLogMetrics != nil {
		a.signals.WriteLogMetrics(w)
	}
	// Dashboards for vmalert look for versions that begin with its name.
	fmt.Fprintf(w, "vm_app_version{version=\"vmalert-tocsin-%s\", short_version=\"%s\"} 1\n",
		rules.EscapeLabelValue(a.opts.Version), rules.EscapeLabelValue(a.opts.Version))
	fmt.Fprintf(w, "vm_app_start_timestamp %d\n", a.started.Unix())
	fmt.Fprintf(w, "vm_app_uptime_seconds %d\n", int(time.Since(a.started).Seconds()))
	for _, f := range a.opts.Flags {
		fmt.Fprintf(w, "flag{name=\"%s\", value=\"%s\", is_set=\"%t\"} 1\n",
			rules.EscapeLabelValue(f.Name), rules.EscapeLabelValue(f.Value), f.IsSet)
	}
	writeMachineMetrics(w)
	metrics.WriteProcessMetrics(w)
	metrics.WriteFDMetrics(w)
}
