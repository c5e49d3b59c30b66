package rules

import (
	"slices"
	"sync"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"tocsin/config"
)

// scratch builds label sets. Evaluations take one and give it back, so that ten
// thousand rules at rest need none.
type scratch struct {
	builder *labels.Builder
	pairs   labels.ScratchBuilder
}

var scratches = sync.Pool{New: func() any {
	return &scratch{builder: labels.NewBuilder(labels.EmptyLabels())}
}}

func takeScratch() *scratch { return scratches.Get().(*scratch) }

// release gives the scratch back without what it was used for.
func (s *scratch) release() {
	s.builder.Reset(labels.EmptyLabels())
	s.pairs.Reset()
	scratches.Put(s)
}

// start starts the label set of result without the metric name.
func (s *scratch) start(result labels.Labels) {
	s.builder.Reset(result)
	s.builder.Del(model.MetricNameLabel)
}

// override sets the labels of own, with values instead of their texts unless nil.
func (s *scratch) override(c Conflict, result labels.Labels, own []config.Pair, values []string) {
	for i := range own {
		value := own[i].Value
		if values != nil {
			value = values[i]
		}
		s.put(c, result, own, own[i].Name, value)
	}
}

// put sets one label. An empty value removes it. What is overridden by another
// value, that of the result or else one that was put before, is treated as c says;
// one that is kept goes under its exported name, unless own sets that name itself.
func (s *scratch) put(c Conflict, result labels.Labels, own []config.Pair, name, value string) {
	if value == "" {
		s.builder.Del(name)
		return
	}
	was := result.Get(name)
	if was == "" {
		was = s.builder.Get(name)
	}
	if c == Exported && was != "" && was != value {
		exported := exportedPrefix + name
		if !slices.ContainsFunc(own, func(p config.Pair) bool { return p.Name == exported }) {
			s.builder.Set(exported, was)
		}
	}
	s.builder.Set(name, value)
}

// unnamed returns the label set that was started.
func (s *scratch) unnamed() labels.Labels { return s.builder.Labels() }

// named returns the label set that was started, as the series called name.
func (s *scratch) named(name string) labels.Labels {
	s.builder.Set(model.MetricNameLabel, name)
	return s.builder.Labels()
}
