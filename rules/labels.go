package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/config"
)

// The label names that alerts and their series are given.
const (
	alertnameLabel  = "alertname"
	alertgroupLabel = "alertgroup"
	alertstateLabel = "alertstate"

	alertsSeries   = "ALERTS"
	forStateSeries = "ALERTS_FOR_STATE"

	exportedPrefix = "exported_"
)

// Conflict says what becomes of a result's label that a rule overrides.
type Conflict uint8

// The ways to treat an overridden label.
const (
	// Exported keeps the result's value as exported_<name>, as vmalert does.
	Exported Conflict = iota
	// Override drops the result's value, as Prometheus does.
	Override
)

// ParseConflict returns the Conflict that s names: exported or override.
func ParseConflict(s string) (Conflict, error) {
	switch s {
	case "", "exported":
		return Exported, nil
	case "override":
		return Override, nil
	}
	return 0, fmt.Errorf("conflicting labels %q: want exported or override", s)
}

// mergePairs returns the pairs of all layers, sorted by name; a later layer wins.
func mergePairs(layers ...[]config.Pair) []config.Pair {
	var out []config.Pair
	for _, layer := range layers {
		for _, p := range layer {
			i, found := slices.BinarySearchFunc(out, p.Name, func(q config.Pair, name string) int {
				return strings.Compare(q.Name, name)
			})
			if found {
				out[i] = p
			} else {
				out = slices.Insert(out, i, p)
			}
		}
	}
	return out
}

// labeller gives results the labels of a rule. It is used by one goroutine at a
// time.
type labeller struct {
	conflict Conflict
	builder  *labels.Builder
}

func newLabeller(c Conflict) labeller {
	return labeller{conflict: c, builder: labels.NewBuilder(labels.EmptyLabels())}
}

// set starts the label set of result without the metric name, with names[i] set
// to values[i] for every i. An empty value removes the label. What is overridden
// by another value is kept under its exported name, unless the rule sets that
// name itself.
func (l *labeller) set(result labels.Labels, names, values []string) {
	b := l.builder
	b.Reset(result)
	b.Del(labels.MetricName)
	for i, name := range names {
		if values[i] == "" {
			b.Del(name)
			continue
		}
		was := result.Get(name)
		if l.conflict == Exported && was != "" && was != values[i] {
			if exported := exportedPrefix + name; !slices.Contains(names, exported) {
				b.Set(exported, was)
			}
		}
		b.Set(name, values[i])
	}
}

// unnamed returns the label set that was started.
func (l *labeller) unnamed() labels.Labels { return l.builder.Labels() }

// named returns the label set that was started, as the series called name.
func (l *labeller) named(name string) labels.Labels {
	l.builder.Set(labels.MetricName, name)
	return l.builder.Labels()
}

// seriesBuilder makes the label sets of series. It is used by one goroutine at
// a time.
type seriesBuilder struct{ scratch labels.ScratchBuilder }

// named returns l, which has no metric name, as the series called name.
func (s *seriesBuilder) named(name string, l labels.Labels) labels.Labels {
	return s.with(l, [2]labels.Label{{Name: labels.MetricName, Value: name}})
}

// alerts returns the ALERTS series of an alert in a state. The state overrides
// a label of the same name.
func (s *seriesBuilder) alerts(l labels.Labels, state State) labels.Labels {
	return s.with(l, [2]labels.Label{
		{Name: labels.MetricName, Value: alertsSeries},
		{Name: alertstateLabel, Value: state.String()},
	})
}

// with merges the added labels, sorted by name and overriding, into l.
func (s *seriesBuilder) with(l labels.Labels, added [2]labels.Label) labels.Labels {
	s.scratch.Reset()
	next := 0
	l.Range(func(x labels.Label) {
		for next < len(added) && added[next].Name != "" && added[next].Name <= x.Name {
			s.scratch.Add(added[next].Name, added[next].Value)
			next++
		}
		if x.Name != added[0].Name && x.Name != added[1].Name {
			s.scratch.Add(x.Name, x.Value)
		}
	})
	for ; next < len(added) && added[next].Name != ""; next++ {
		s.scratch.Add(added[next].Name, added[next].Value)
	}
	return s.scratch.Labels()
}

// stale returns the sample that ends a series.
func stale(l labels.Labels, at int64) Series {
	return Series{Labels: l, T: at, V: staleNaN}
}

// alertID returns the number by which vmalert names an alert: FNV-64a over its
// sorted labels, without the metric name.
func alertID(l labels.Labels) uint64 {
	h := newFNV()
	l.Range(func(x labels.Label) {
		if x.Name != labels.MetricName {
			h = h.add(x.Name).add(x.Value).add("\xff")
		}
	})
	return uint64(h)
}
