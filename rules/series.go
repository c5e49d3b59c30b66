package rules

import (
	"math"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
)

// Series is one sample to be written to storage. Its label set is Labels with
// Name and Alert put in: a hundred thousand samples about alerts need no label
// sets beside those of the alerts.
type Series struct {
	Labels labels.Labels
	Name   string  // the metric name; "" leaves that of Labels
	Alert  State   // the label alertstate, over one of Labels; Inactive is none
	T      int64   // milliseconds since the Unix epoch
	V      float64 // value.StaleNaN marks the end of the series
}

// Range calls f with each label in order of names.
func (s *Series) Range(f func(labels.Label)) {
	if s.Name == "" {
		s.Labels.Range(f)
		return
	}
	added := [2]labels.Label{{Name: model.MetricNameLabel, Value: s.Name}, {}}
	n := 1
	if s.Alert != Inactive {
		added[1] = labels.Label{Name: alertstateLabel, Value: s.Alert.String()}
		n = 2
	}
	next := 0
	s.Labels.Range(func(x labels.Label) {
		for next < n && added[next].Name <= x.Name {
			f(added[next])
			next++
		}
		if x.Name != added[0].Name && x.Name != added[1].Name {
			f(x)
		}
	})
	for ; next < n; next++ {
		f(added[next])
	}
}

// Full returns the whole label set.
func (s *Series) Full() labels.Labels {
	if s.Name == "" {
		return s.Labels
	}
	b := labels.NewScratchBuilder(s.Labels.Len() + 2)
	s.Range(func(l labels.Label) { b.Add(l.Name, l.Value) })
	return b.Labels()
}

// staleNaN marks the end of a series.
var staleNaN = math.Float64frombits(value.StaleNaN)

// ended returns s with the value that ends the series at a time.
func (s Series) ended(at int64) Series {
	s.T, s.V = at, staleNaN
	return s
}

// alertSeries is the ALERTS series of an alert in a state.
func alertSeries(alert labels.Labels, state State) Series {
	return Series{Labels: alert, Name: alertsSeries, Alert: state}
}

// clockSeries is the ALERTS_FOR_STATE series of an alert.
func clockSeries(alert labels.Labels) Series {
	return Series{Labels: alert, Name: forStateSeries}
}
