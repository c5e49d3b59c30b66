package rules_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"
)

// recordedAs returns the labels under which a recording rule writes a result.
func (m *modelRule) recordedAs(s modelSample) labels.Labels {
	return labels.NewBuilder(m.identity(s.x, s.v)).Del("alertname", "alertgroup").Set("__name__", m.name).Labels()
}

// record evaluates a recording rule: every result is written, and what was
// written before and is missing now ends. With an error nothing is.
func (m *modelRule) record(at time.Time, answer modelAnswer) (out modelOut) {
	defer out.sort()
	limit := m.setting.limit
	if answer.fails || limit > 0 && len(answer.samples) > limit {
		return modelOut{err: true}
	}
	var lives []labels.Labels
	for _, s := range answer.samples {
		l := m.recordedAs(s)
		if slices.Contains(lives, l) {
			return modelOut{err: true}
		}
		lives = append(lives, l)
		out.writes = append(out.writes, sample(l, fmt.Sprint(s.v), at))
	}
	for _, l := range m.recorded {
		if !slices.Contains(lives, l) {
			out.writes = append(out.writes, sample(l, "stale", at))
		}
	}
	m.recorded, m.lastGood = lives, at
	return out
}
