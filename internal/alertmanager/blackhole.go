package alertmanager

import (
	"context"

	"github.com/VictoriaMetrics/metrics"
	"github.com/prometheus/prometheus/model/labels"

	"tocsin/rules"
)

const blackholeAddr = "blackhole"

var _ rules.Notifier = (*Blackhole)(nil)

// Blackhole takes alerts and forgets them, for those who want rules evaluated and
// no one told. It counts them as sent.
type Blackhole struct {
	shown   *metrics.Set
	metrics *targetMetrics
}

// NewBlackhole returns a Blackhole that shows its metrics in m once started.
func NewBlackhole(m *metrics.Set) *Blackhole {
	return &Blackhole{shown: m, metrics: newTargetMetrics(blackholeAddr)}
}

// Start shows the metrics. It is called once.
func (b *Blackhole) Start() { b.shown.RegisterMetricsWriter(b.metrics.set.WritePrometheus) }

// Notify counts the alerts. It never fails.
func (b *Blackhole) Notify(n rules.Notification) error {
	b.metrics.sent.Add(len(n.Alerts))
	return nil
}

// Undelivered is false: nobody waits for anything.
func (b *Blackhole) Undelivered(labels.Labels) bool { return false }

// Targets returns the blackhole as the only target.
func (b *Blackhole) Targets() []Status {
	return []Status{{Kind: "static", Address: blackholeAddr}}
}

// Waiting is 0: nobody is missed.
func (b *Blackhole) Waiting() int { return 0 }

// Close has nothing to wait for.
func (b *Blackhole) Close(context.Context) error { return nil }
