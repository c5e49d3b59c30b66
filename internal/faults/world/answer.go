package world

import (
	"regexp"
	"strconv"
	"time"
)

// point is one sample of an answer.
type point struct {
	at time.Time
	v  float64
}

// element is one series of an answer.
type element struct {
	labels []string // names and values, in turn
	points []point
}

var readsRule = regexp.MustCompile(`(` + sourceMetric + `|` + alertMetric + `)\{rule="([^"]+)"\}`)

// answer returns the series that an expression has at the given times, which are
// in order. The data of a time is that of visible, if that is earlier. ok is false
// if the expression reads no rule of the world.
func (w *World) answer(expr string, times []time.Time, visible time.Time) (_ []element, ok bool) {
	m := readsRule.FindStringSubmatch(expr)
	if m == nil || !w.knows(m[1], m[2]) {
		return nil, false
	}
	all := make([]element, 0, w.Series)
	for i := range w.Series {
		e := element{labels: w.labels(m[1], m[2], i)}
		for _, at := range times {
			data := at
			if visible.Before(data) {
				data = visible
			}
			if v, ok := w.sample(m[1], m[2], i, data); ok {
				e.points = append(e.points, point{at, v})
			}
		}
		if len(e.points) > 0 {
			all = append(all, e)
		}
	}
	return all, true
}

func (w *World) knows(metric, rule string) bool {
	if metric == alertMetric {
		return w.alerts[rule] != nil
	}
	for i := range w.Groups {
		for _, name := range w.Groups[i].Records {
			if name == rule {
				return true
			}
		}
	}
	return false
}

func (w *World) labels(metric, rule string, i int) []string {
	if metric == alertMetric {
		return []string{"__name__", metric, RuleLabel, rule, InstanceLabel, strconv.Itoa(i)}
	}
	return []string{"__name__", metric, RuleLabel, rule, SeriesLabel, strconv.Itoa(i)}
}

func (w *World) sample(metric, rule string, i int, at time.Time) (float64, bool) {
	if metric == alertMetric {
		return float64(at.Unix() % 100), w.On(rule, i, at)
	}
	return w.Value(rule, i, at)
}
