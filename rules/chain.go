package rules

import (
	"slices"

	"tocsin/config"
	"tocsin/internal/metricsql"
)

// chain returns, for each rule of a group, the earlier rules whose series it may
// read, by position and in order. Nil is a group without such rules.
func chain(g *config.Group) [][]int {
	if g.Type != config.Prometheus {
		return nil
	}
	var deps [][]int
	var earlier written
	for i := range g.Rules {
		r := &g.Rules[i]
		if on := earlier.readBy(r.Expr); len(on) > 0 {
			if deps == nil {
				deps = make([][]int, len(g.Rules))
			}
			deps[i] = on
		}
		earlier.add(r, i)
	}
	return deps
}

// written is which rules write which series.
type written struct {
	names []string
	by    map[string][]int
}

func (w *written) add(r *config.Rule, at int) {
	if w.by == nil {
		w.by = make(map[string][]int)
	}
	for _, name := range seriesOf(r) {
		if w.by[name] == nil {
			w.names = append(w.names, name)
		}
		w.by[name] = append(w.by[name], at)
	}
}

// seriesOf returns the names of the series that a rule writes.
func seriesOf(r *config.Rule) []string {
	if r.Kind == config.Recording {
		return []string{r.Name}
	}
	return []string{alertsSeries, forStateSeries}
}

// readBy returns the rules that write what expr may read. An expression that
// cannot be parsed here reads nothing: the datasource will say what is wrong
// with it.
func (w *written) readBy(expr string) []int {
	var reads metricsql.Reads
	parsed := false
	var on []int
	for _, name := range w.names {
		if !metricsql.MayRead(expr, name) {
			continue
		}
		if !parsed {
			var err error
			if reads, err = metricsql.ReadsOf(expr); err != nil {
				return nil
			}
			parsed = true
		}
		if reads.Metric(name) {
			on = append(on, w.by[name]...)
		}
	}
	slices.Sort(on)
	return slices.Compact(on)
}
