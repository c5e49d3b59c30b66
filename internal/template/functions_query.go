package template

import (
	"errors"
	"slices"
	"strings"

	"tocsin/rules"
)

var (
	errNoQuery  = errors.New("queries are not available here")
	errNoRunner = errors.New("the template is not being expanded")
	errNoFirst  = errors.New("the query returned nothing, so there is no first element")
)

// metric is one element of a query's result as templates see it.
type metric struct {
	Labels    map[string]string
	Timestamp int64 // seconds since the Unix epoch
	Value     float64
}

func metrics(samples []rules.Sample) []metric {
	ms := make([]metric, len(samples))
	for i, s := range samples {
		ms[i] = metric{Labels: s.Labels.Map(), Timestamp: s.T / 1000, Value: s.V}
	}
	return ms
}

func first(ms []metric) (metric, error) {
	if len(ms) == 0 {
		return metric{}, errNoFirst
	}
	return ms[0], nil
}

func label(name string, m metric) string { return m.Labels[name] }

func value(m metric) float64 { return m.Value }

// strvalue returns the name of the metric.
func strvalue(m metric) string { return m.Labels["__name__"] }

// sortByLabel returns ms sorted by the value of a label.
func sortByLabel(name string, ms []metric) []metric {
	sorted := slices.Clone(ms)
	slices.SortStableFunc(sorted, func(a, b metric) int {
		return strings.Compare(a.Labels[name], b.Labels[name])
	})
	return sorted
}
