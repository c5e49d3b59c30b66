package rules_test

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/config"
	"tocsin/rules"
	"tocsin/rules/rulestest"
)

// modelRule says what must become of a rule's alerts, or of the series it
// records. It is written from the description in docs/rules.md, alert by alert
// and without any of the short cuts of the real thing.
type modelRule struct {
	kind     config.Kind
	name     string
	of       string // a label of all results
	group    string // the label alertgroup
	site     string // a label of the group
	version  byte   // of the templates
	setting  setting
	interval time.Duration
	resend   time.Duration
	errors   time.Duration // how long alerts are sent while the query fails

	alerts   []modelAlert
	recorded []labels.Labels // the series that live
	failing  time.Time       // the first failure in a row
	lastGood time.Time
}

// setting is what an edit of a rule may change.
type setting struct {
	holdFor, keep time.Duration
	labels        int // which of labelTexts the rule has
	note          int // which of noteTexts is its annotation
	limit         int
	expr          int
}

// labelTexts are the ways to label: nothing, a constant, another label, the
// value, taking away what tells results apart, a template that fails, and a
// template from a file.
var labelTexts = [][]config.Pair{
	nil,
	{{Name: "sev", Value: "a"}},
	{{Name: "sev", Value: "{{label:x}}"}},
	{{Name: "sev", Value: "{{value}}"}},
	{{Name: "x", Value: ""}},
	{{Name: "sev", Value: "{{fail}}"}},
	{{Name: "sev", Value: "{{version}}"}},
}

var noteTexts = []string{"one", "two", "{{value}}", "{{activeAt}}", "{{fail}}", "{{version}}"}

type modelAlert struct {
	x      string // the label of the result
	value  float64
	labels labels.Labels
	note   string

	state                                rules.State
	active, starts, resolved, held, sent time.Time
	was                                  rules.State // under the same labels, before the evaluation
	seen                                 bool
}

// modelAnswer is what a query answers.
type modelAnswer struct {
	fails   bool
	samples []modelSample
}

type modelSample struct {
	x string
	v float64
}

func (a modelAnswer) result(of string) []rules.Sample {
	out := make([]rules.Sample, len(a.samples))
	for i, s := range a.samples {
		out[i] = rulestest.Sample(s.v, "__name__", "m", "of", of, "x", s.x)
	}
	return out
}

// modelOut is what is written and sent, each sorted.
type modelOut struct {
	writes, sends []string
	err           bool
}

func (o *modelOut) sort() {
	sort.Strings(o.writes)
	sort.Strings(o.sends)
}

func (m *modelRule) identity(x string, v float64) labels.Labels {
	set := map[string]string{"alertname": m.name, "alertgroup": m.group, "of": m.of, "site": m.site, "x": x}
	switch m.setting.labels {
	case 1:
		set["sev"] = "a"
	case 2:
		set["sev"] = x
	case 3:
		set["sev"] = fmt.Sprint(v)
	case 4:
		delete(set, "x")
	case 5:
		set["sev"] = "sev: template failed"
	case 6:
		set["sev"] = fmt.Sprint(m.version)
	}
	maps.DeleteFunc(set, func(_, value string) bool { return value == "" })
	return labels.FromMap(set)
}

func (m *modelRule) text(a *modelAlert) string {
	switch m.setting.note {
	case 2:
		return fmt.Sprint(a.value)
	case 3:
		return a.active.Format("15:04:05")
	case 4:
		return "summary: template failed"
	case 5:
		return fmt.Sprint(m.version)
	}
	return noteTexts[m.setting.note]
}

// eval evaluates the rule for the time at, when it is now.
func (m *modelRule) eval(at, now time.Time, answer modelAnswer) (out modelOut) {
	defer out.sort()
	if m.kind == config.Recording {
		return m.record(at, answer)
	}
	alerts, gone := m.relabel()
	if answer.fails || !m.see(&alerts, answer.samples) || !m.advance(alerts, at) {
		return m.fail(at, now)
	}
	m.failing, m.lastGood, m.alerts = time.Time{}, at, nil
	for i := range alerts {
		a := &alerts[i]
		if a.seen {
			a.note = m.text(a)
			out.err = out.err || m.setting.note == 4 || m.setting.labels == 5
		}
		a.write(at, &out)
		m.send(a, at, now, &out)
		retained := a.state == rules.Inactive && !a.sent.IsZero() && at.Sub(a.resolved) < 15*time.Minute
		if active(a.state) || retained {
			m.alerts = append(m.alerts, *a)
		}
	}
	for i := range gone {
		gone[i].depart(at, at, m.told(), &out)
	}
	return out
}

func active(s rules.State) bool { return s != rules.Inactive }

// fail sends what fires and changes nothing else.
func (m *modelRule) fail(at, now time.Time) (out modelOut) {
	out.err = true
	if m.failing.IsZero() {
		m.failing = at
	}
	for i := range m.alerts {
		a := &m.alerts[i]
		if a.state == rules.Firing && at.Sub(m.failing) < m.errors && m.due(a, at) {
			a.sent = at
			out.sends = append(out.sends, m.firing(a, now))
		}
	}
	return out
}

// relabel returns the alerts under the labels they have now, and under their old
// ones those that have others.
func (m *modelRule) relabel() (alerts, gone []modelAlert) {
	taken := map[labels.Labels]bool{}
	for i := range m.alerts {
		a := &m.alerts[i]
		taken[a.labels] = taken[a.labels] || m.identity(a.x, a.value) == a.labels
	}
	for _, a := range m.alerts {
		a.was, a.seen = a.state, false
		if now := m.identity(a.x, a.value); now != a.labels {
			gone = append(gone, a)
			if taken[now] || !active(a.state) {
				continue
			}
			taken[now] = true
			a.labels, a.was, a.sent = now, rules.Inactive, time.Time{}
		}
		alerts = append(alerts, a)
	}
	return alerts, gone
}

// see finds or makes the alert of each sample; false if two are the same.
func (m *modelRule) see(alerts *[]modelAlert, samples []modelSample) bool {
	for _, s := range samples {
		l := m.identity(s.x, s.v)
		i := slices.IndexFunc(*alerts, func(a modelAlert) bool { return a.labels == l })
		if i < 0 {
			i = len(*alerts)
			*alerts = append(*alerts, modelAlert{labels: l})
		}
		a := &(*alerts)[i]
		if a.seen {
			return false
		}
		a.seen, a.x, a.value = true, s.x, s.v
	}
	return true
}

// advance changes the states; false if there are more alerts than allowed.
func (m *modelRule) advance(alerts []modelAlert, at time.Time) bool {
	n := 0
	for i := range alerts {
		a := &alerts[i]
		if a.seen {
			m.present(a, at)
		} else {
			m.absent(a, at)
		}
		if active(a.state) {
			n++
		}
	}
	return m.setting.limit == 0 || n <= m.setting.limit
}

func (m *modelRule) present(a *modelAlert, at time.Time) {
	a.held = time.Time{}
	if !active(a.state) {
		a.state, a.active, a.sent = rules.Pending, at, time.Time{}
	}
	if a.state == rules.Pending && a.active.After(at) {
		a.active = at
	}
	ripe := at.Sub(a.active) >= m.setting.holdFor
	switch {
	case ripe && a.state == rules.Pending:
		a.state, a.starts = rules.Firing, at
	case !ripe && !a.active.After(at):
		a.state = rules.Pending
	}
}

func (m *modelRule) absent(a *modelAlert, at time.Time) {
	switch a.state {
	case rules.Pending:
		a.state, a.sent = rules.Inactive, time.Time{}
	case rules.Firing:
		if m.setting.keep > 0 && a.held.IsZero() {
			a.held = at
		}
		if m.setting.keep == 0 || !a.held.Equal(at) && at.Sub(a.held) >= m.setting.keep {
			a.state, a.resolved, a.held = rules.Inactive, at, time.Time{}
		}
	}
}

func (m *modelRule) due(a *modelAlert, at time.Time) bool {
	return a.sent.IsZero() || at.Before(a.sent) || at.Sub(a.sent) >= m.resend
}
