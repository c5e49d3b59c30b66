package discovery

import (
	"github.com/VictoriaMetrics/metrics"

	"tocsin/config/notifiers"
)

// Counts counts look-ups, for all Finders together.
type Counts struct{ byKind map[notifiers.Kind]*tally }

// tally is the look-ups of one kind of block: of a name, a file, or a request.
type tally struct{ lookups, failures *metrics.Counter }

// NewCounts returns Counts that are shown in m.
func NewCounts(m *metrics.Set) *Counts {
	c := &Counts{byKind: make(map[notifiers.Kind]*tally)}
	for _, kind := range []notifiers.Kind{notifiers.ConsulKind, notifiers.DNSKind, notifiers.FileKind, notifiers.HTTPKind} {
		// The kinds are constants: nothing in them needs escaping.
		label := `{kind="` + string(kind) + `"}`
		c.byKind[kind] = &tally{
			lookups:  m.NewCounter("tocsin_discovery_lookups_total" + label),
			failures: m.NewCounter("tocsin_discovery_lookup_errors_total" + label),
		}
	}
	return c
}

// of returns nil for what is written down and needs no look-up.
func (c *Counts) of(kind notifiers.Kind) *tally { return c.byKind[kind] }

// count counts a look-up with its outcome.
func (t *tally) count(err error) {
	t.lookups.Inc()
	if err != nil {
		t.failures.Inc()
	}
}
