package alertmanager

import (
	"strings"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"tocsin/rules"
)

// targetMetrics counts what happens to the alerts of one target. They are in a
// set of their own, which is shown while the target is in a Set and no longer.
type targetMetrics struct {
	set *metrics.Set

	sent       *metrics.Counter // alerts in requests answered with 2xx
	sendErrors *metrics.Counter // alerts in requests that were not
	duration   *metrics.Histogram

	superseded   *metrics.Counter
	retries      *metrics.Counter
	partial      *metrics.Counter
	split        *metrics.Counter
	deadFiring   *metrics.Counter
	deadResolved *metrics.Counter
	tooLarge     *metrics.Counter
	refused      *metrics.Counter
	unlabeled    *metrics.Counter
	unwanted     *metrics.Counter // relabeling drops them
	abandoned    *metrics.Counter
}

func newTargetMetrics(addr string) *targetMetrics {
	set := metrics.NewSet()
	counter := func(name string, more ...string) *metrics.Counter {
		return set.NewCounter(metricName(name, append([]string{"addr", addr}, more...)...))
	}
	expired := func(kind string) *metrics.Counter {
		return counter("tocsin_notifier_expired_total", "reason", kind)
	}
	dropped := func(reason string) *metrics.Counter {
		return counter("tocsin_notifier_dropped_total", "reason", reason)
	}
	return &targetMetrics{
		set:        set,
		sent:       counter("vmalert_alerts_sent_total"),
		sendErrors: counter("vmalert_alerts_send_errors_total"),
		duration:   set.NewHistogram(metricName("vmalert_alerts_send_duration_seconds", "addr", addr)),

		superseded:   counter("tocsin_notifier_superseded_total"),
		retries:      counter("tocsin_notifier_retries_total"),
		partial:      counter("tocsin_notifier_partial_total"),
		split:        counter("tocsin_notifier_split_total"),
		deadFiring:   expired("firing"),
		deadResolved: expired("resolved"),
		tooLarge:     dropped("too_large"),
		refused:      dropped("refused"),
		unlabeled:    dropped("no_labels"),
		unwanted:     counter("tocsin_notifier_unwanted_total"),
		abandoned:    dropped("shutdown"),
	}
}

// setCounts is what there is to know of a Set beside its targets.
type setCounts struct {
	set *metrics.Set

	untargeted *metrics.Counter // alerts for which there was no target, so that they wait
	expired    *metrics.Counter // alerts given up because they waited for too long
	removed    *metrics.Counter // alerts given up with the target they were for
}

func newSetCounts() setCounts {
	set := metrics.NewSet()
	givenUp := func(reason string) *metrics.Counter {
		return set.NewCounter(metricName("tocsin_notifier_given_up_total", "reason", reason))
	}
	return setCounts{
		set:        set,
		untargeted: set.NewCounter("tocsin_notifier_untargeted_total"),
		expired:    givenUp("expired"), removed: givenUp("removed"),
	}
}

// observe shows how many targets there are, and how many alerts wait for one.
func (c *setCounts) observe(targets, waiting func() int) {
	c.set.NewGauge("tocsin_notifier_targets", func() float64 { return float64(targets()) })
	c.set.NewGauge("tocsin_notifier_waiting_alerts", func() float64 { return float64(waiting()) })
}

// observe shows what is in the queue.
func (m *targetMetrics) observe(addr string, length func() int, oldest func() rules.Instant) {
	m.set.NewGauge(metricName("tocsin_notifier_queue_length", "addr", addr), func() float64 {
		return float64(length())
	})
	m.set.NewGauge(metricName("tocsin_notifier_oldest_seconds", "addr", addr), func() float64 {
		at := oldest()
		if at == 0 {
			return 0
		}
		return time.Since(at.Time()).Seconds()
	})
}

// bury counts a state that was removed because it is dead.
func (m *targetMetrics) bury(why staleness) {
	if why == deadFiring {
		m.deadFiring.Inc()
	} else {
		m.deadResolved.Inc()
	}
}

// metricName returns name with the labels, given as names and values in turn.
func metricName(name string, pairs ...string) string {
	var b strings.Builder
	b.WriteString(name)
	sep := byte('{')
	for i := 0; i+1 < len(pairs); i += 2 {
		b.WriteByte(sep)
		b.WriteString(pairs[i])
		b.WriteString(`="`)
		b.WriteString(rules.EscapeLabelValue(pairs[i+1]))
		b.WriteByte('"')
		sep = ','
	}
	b.WriteByte('}')
	return b.String()
}
