package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
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

// mergePairs returns the pairs of both, each sorted by name, sorted by name; over
// wins. The result may be one of the two.
func mergePairs(under, over []config.Pair) []config.Pair {
	switch {
	case len(under) == 0:
		return over
	case len(over) == 0:
		return under
	}
	out := make([]config.Pair, 0, len(under)+len(over))
	for _, layer := range [][]config.Pair{under, over} {
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

// commonLabels is the labels that all rules of a group get.
type commonLabels struct {
	under, over []config.Pair
	merged      map[pairList][]config.Pair // with those of rules
}

// pairList is a list of labels: others that are equal are not the same.
type pairList struct {
	first *config.Pair // nil if there are none
	len   int
}

// newCommonLabels merges labels in the order of their rank: rules override those of
// the group, which override external ones. Those of the tenant say whose the
// results are, so nothing overrides them.
func newCommonLabels(external, group, tenant []config.Pair) *commonLabels {
	return &commonLabels{mergePairs(external, group), tenant, make(map[pairList][]config.Pair)}
}

// with returns the labels of a rule that has own labels. Rules that share a list of
// these share the result.
func (c *commonLabels) with(own []config.Pair) []config.Pair {
	list := pairList{len: len(own)}
	if len(own) > 0 {
		list.first = &own[0]
	}
	all, known := c.merged[list]
	if !known {
		all = mergePairs(mergePairs(c.under, own), c.over)
		c.merged[list] = all
	}
	return all
}

// alertID returns the number by which vmalert names an alert: FNV-64a over its
// sorted labels, without the metric name.
func alertID(l labels.Labels) uint64 {
	h := newFNV()
	l.Range(func(x labels.Label) {
		if x.Name != model.MetricNameLabel {
			h = h.add(x.Name).add(x.Value).add("\xff")
		}
	})
	return uint64(h)
}
