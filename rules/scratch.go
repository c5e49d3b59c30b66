package rules

import (
	"slices"
	"sync"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
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

// set starts the label set of result without the metric name, with names[i] set
// to values[i] for every i. An empty value removes the label. What is overridden
// by another value is treated as c says; one that is kept goes under its
// exported name, unless the rule sets that name itself.
func (s *scratch) set(c Conflict, result labels.Labels, names, values []string) {
	b := s.builder
	b.Reset(result)
	b.Del(model.MetricNameLabel)
	for i, name := range names {
		if values[i] == "" {
			b.Del(name)
			continue
		}
		was := result.Get(name)
		if c == Exported && was != "" && was != values[i] {
			if exported := exportedPrefix + name; !slices.Contains(names, exported) {
				b.Set(exported, was)
			}
		}
		b.Set(name, values[i])
	}
}

// unnamed returns the label set that was started.
func (s *scratch) unnamed() labels.Labels { return s.builder.Labels() }

// named returns the label set that was started, as the series called name.
func (s *scratch) named(name string) labels.Labels {
	s.builder.Set(model.MetricNameLabel, name)
	return s.builder.Labels()
}
