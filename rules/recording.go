package rules

import (
	"context"

	"github.com/prometheus/prometheus/model/labels"
)

// recordingRule writes the result of an expression under a name of its own.
type recordingRule struct {
	*groupEnv
	*RuleIdentity

	scratch *scratch // during an evaluation
	// known is how results were labelled, while the rule is replayed: there one is
	// labelled for many times. Nil in a group that runs, where it would be in the way.
	known map[labels.Labels]labels.Labels
}

func (r *recordingRule) end() {
	r.scratch.release()
	r.scratch = nil
}

func (r *recordingRule) apply(_ context.Context, ev evaluation, m RuleMemory, res Result, queryErr error) (RuleMemory, output, error) {
	if queryErr != nil {
		return m, output{fetched: -1}, queryErr
	}
	out := output{samples: len(res.Samples), fetched: res.SeriesFetched, partial: res.Partial}
	if limit := r.group.Limit; limit > 0 && len(res.Samples) > limit {
		return m, out, limitError(limit, len(res.Samples))
	}
	series, ended, err := r.record(res.Samples, m.heard().series)
	if err != nil {
		return m, out, err
	}
	m.recorded(series, m.heard().gaps)
	m.lastAt, out.good = ev.at, true
	if ev.write {
		out.series = recordedSeries(series, res.Samples, ended, ev.at.Milli())
	}
	return m, out, nil
}

// record labels the samples and finds which of the series written before are
// missing now. The result shares the label sets of prev where they are the same.
func (r *recordingRule) record(samples []Sample, prev []labels.Labels) (series, ended []labels.Labels, err error) {
	r.scratch = takeScratch()
	defer r.end()
	series = make([]labels.Labels, len(samples))
	for i := range samples {
		l := r.labels(samples[i].Labels)
		if i < len(prev) && l == prev[i] {
			l = prev[i]
		}
		series[i] = l
	}
	if sameOrder(series, prev) {
		// The series were found distinct when they were first written.
		return prev, nil, nil
	}
	written := make(map[labels.Labels]struct{}, len(series))
	for _, l := range series {
		if _, dup := written[l]; dup {
			return nil, nil, duplicateError(l)
		}
		written[l] = struct{}{}
	}
	for _, l := range prev {
		if _, ok := written[l]; !ok {
			ended = append(ended, l)
		}
	}
	return series, ended, nil
}

func (r *recordingRule) labels(result labels.Labels) labels.Labels {
	if l, ok := r.known[result]; ok {
		return l
	}
	r.scratch.start(result)
	r.scratch.override(r.deps.Options.Conflict, result, r.Labels, nil)
	l := r.scratch.named(r.Rule.Name)
	if r.known != nil {
		r.known[result] = l
	}
	return l
}

func sameOrder(a, b []labels.Labels) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// recordedSeries returns what is to be written: the samples under their new labels,
// with the time of the answer, and the end of the series that are missing.
func recordedSeries(series []labels.Labels, samples []Sample, ended []labels.Labels, at int64) []Series {
	out := make([]Series, 0, len(series)+len(ended))
	for i, l := range series {
		out = append(out, Series{Labels: l, T: samples[i].T, V: samples[i].V})
	}
	for _, l := range ended {
		out = append(out, Series{Labels: l}.ended(at))
	}
	return out
}

// farewell ends the series the rule wrote last.
func (r *recordingRule) farewell(m RuleMemory, _ Instant) output {
	at := m.lastAt.Milli() + 1
	var out output
	for _, l := range m.heard().series {
		out.series = append(out.series, Series{Labels: l}.ended(at))
	}
	return out
}
