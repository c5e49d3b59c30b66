package rules

import (
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"tocsin/config"
)

// durationQuantiles are those that vmalert's summaries show.
var durationQuantiles = []float64{0.5, 0.9, 0.97, 0.99, 1}

// quantile returns the q-quantile of the last rounds' durations.
func (s *GroupStats) quantile(q float64) time.Duration {
	n := min(s.Rounds, durationWindow)
	if n == 0 {
		return 0
	}
	sorted := s.durations
	slices.Sort(sorted[:n])
	return sorted[int(q*float64(n-1)+0.5)]
}

// metricsWriter writes samples in the Prometheus text format, family by family.
type metricsWriter struct {
	w   io.Writer
	buf []byte
}

// writeMetrics writes the metrics of groups. They are taken from what the groups
// published, so nothing has to be registered while they run or forgotten when
// they are gone.
func writeMetrics(w io.Writer, groups []*Snapshot) {
	m := &metricsWriter{w: w, buf: make([]byte, 0, 64<<10)}
	for _, f := range groupFamilies {
		for _, s := range groups {
			m.sample(f.name, f.value(s), "group", s.Group.Key.Name, "file", s.Group.Key.File)
		}
	}
	m.durations(groups)
	for _, f := range ruleFamilies {
		for _, s := range groups {
			for i := range s.Rules {
				if r := &s.Rules[i]; r.Rule.Kind == f.kind {
					m.rule(f, s, r)
				}
			}
		}
	}
	m.flush()
}

type groupFamily struct {
	name  string
	value func(*Snapshot) float64
}

var groupFamilies = []groupFamily{
	{"vmalert_group_rule_results_limit", func(s *Snapshot) float64 { return float64(s.Group.Limit) }},
	{"vmalert_iteration_interval_seconds", func(s *Snapshot) float64 { return s.Group.Interval.Seconds() }},
	{"vmalert_iteration_missed_total", func(s *Snapshot) float64 { return float64(s.Stats.Missed) }},
	{"vmalert_iteration_reset_total", func(s *Snapshot) float64 { return float64(s.Stats.Resets) }},
	{"vmalert_iteration_total", func(s *Snapshot) float64 { return float64(s.Stats.Rounds) }},
}

type ruleFamily struct {
	name  string
	kind  config.Kind
	value func(*RuleSnapshot) float64
}

var ruleFamilies = []ruleFamily{
	{"vmalert_alerts_pending", config.Alerting, func(r *RuleSnapshot) float64 { return float64(r.Pending()) }},
	{"vmalert_alerts_firing", config.Alerting, func(r *RuleSnapshot) float64 { return float64(r.Firing()) }},
	{"vmalert_alerting_rules_errors_total", config.Alerting, func(r *RuleSnapshot) float64 { return float64(r.Errors) }},
	{"vmalert_alerting_rules_last_evaluation_samples", config.Alerting, lastSamples},
	{"vmalert_alerting_rules_last_evaluation_series_fetched", config.Alerting, lastFetched},
	{"vmalert_recording_rules_errors_total", config.Recording, func(r *RuleSnapshot) float64 { return float64(r.Errors) }},
	{"vmalert_recording_rules_last_evaluation_samples", config.Recording, lastSamples},
}

func lastSamples(r *RuleSnapshot) float64 {
	u, _ := r.History.Last()
	return float64(u.Samples)
}

func lastFetched(r *RuleSnapshot) float64 {
	u, ok := r.History.Last()
	if !ok {
		return -1
	}
	return float64(u.SeriesFetched)
}

func (m *metricsWriter) rule(f ruleFamily, s *Snapshot, r *RuleSnapshot) {
	nameLabel := alertnameLabel
	if f.kind == config.Recording {
		nameLabel = "recording"
	}
	m.sample(f.name, f.value(r), nameLabel, r.Rule.Name,
		"group", s.Group.Key.Name, "file", s.Group.Key.File, "id", strconv.FormatUint(r.ID, 10))
}

// durations writes how long rounds take as a summary.
func (m *metricsWriter) durations(groups []*Snapshot) {
	const name = "vmalert_iteration_duration_seconds"
	for _, s := range groups {
		for _, q := range durationQuantiles {
			m.sample(name, s.Stats.quantile(q).Seconds(), "group", s.Group.Key.Name,
				"file", s.Group.Key.File, "quantile", strconv.FormatFloat(q, 'g', -1, 64))
		}
	}
	for _, s := range groups {
		m.sample(name+"_sum", s.Stats.total.Seconds(), "group", s.Group.Key.Name, "file", s.Group.Key.File)
	}
	for _, s := range groups {
		m.sample(name+"_count", float64(s.Stats.Rounds), "group", s.Group.Key.Name, "file", s.Group.Key.File)
	}
}

// sample writes one sample; pairs are label names and values in turn.
func (m *metricsWriter) sample(name string, v float64, pairs ...string) {
	m.buf = append(m.buf, name...)
	for i := 0; i < len(pairs); i += 2 {
		m.buf = append(m.buf, separator(i))
		m.buf = append(m.buf, pairs[i]...)
		m.buf = append(m.buf, '=', '"')
		m.buf = appendLabelValue(m.buf, pairs[i+1])
		m.buf = append(m.buf, '"')
	}
	m.buf = append(m.buf, '}', ' ')
	m.buf = strconv.AppendFloat(m.buf, v, 'g', -1, 64)
	m.buf = append(m.buf, '\n')
	if len(m.buf) > cap(m.buf)-4<<10 {
		m.flush()
	}
}

func separator(i int) byte {
	if i == 0 {
		return '{'
	}
	return ','
}

// flush writes what has been gathered. An error means that the reader has gone;
// there is nobody to tell.
func (m *metricsWriter) flush() {
	_, _ = m.w.Write(m.buf)
	m.buf = m.buf[:0]
}

// EscapeLabelValue returns v as it is written between the quotes of a label in
// the Prometheus text format.
func EscapeLabelValue(v string) string { return string(appendLabelValue(nil, v)) }

// appendLabelValue appends v with backslash, quote and newline escaped.
func appendLabelValue(b []byte, v string) []byte {
	if !strings.ContainsAny(v, "\\\"\n") {
		return append(b, v...)
	}
	for i := range len(v) {
		switch v[i] {
		case '\\', '"':
			b = append(b, '\\', v[i])
		case '\n':
			b = append(b, '\\', 'n')
		default:
			b = append(b, v[i])
		}
	}
	return b
}
