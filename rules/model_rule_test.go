package rules_test

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/value"
	"pgregory.net/rapid"

	"tocsin/config"
	"tocsin/rules"
	"tocsin/rules/rulestest"
)

// drawAnswer draws up to four results in any order, few enough that they repeat
// from round to round, or a failure.
func drawAnswer(t *rapid.T) modelAnswer {
	if rapid.IntRange(0, 7).Draw(t, "fails") == 7 {
		return modelAnswer{fails: true}
	}
	var a modelAnswer
	for range rapid.IntRange(0, 4).Draw(t, "results") {
		a.samples = append(a.samples, modelSample{
			x: rapid.SampledFrom([]string{"0", "1", "2", "3", "4", "5"}).Draw(t, "x"),
			v: float64(rapid.IntRange(0, 1).Draw(t, "v")),
		})
	}
	return a
}

// drawEdit changes one thing of a rule.
func drawEdit(t *rapid.T, s setting) setting {
	durations := []time.Duration{0, time.Second, 90 * time.Second, 3 * time.Minute}
	switch rapid.IntRange(0, 5).Draw(t, "edit") {
	case 0:
		s.holdFor = rapid.SampledFrom(durations).Draw(t, "for")
	case 1:
		s.keep = rapid.SampledFrom(durations).Draw(t, "keep_firing_for")
	case 2:
		s.labels = rapid.IntRange(0, len(labelTexts)-1).Draw(t, "labels")
	case 3:
		s.note = rapid.IntRange(0, len(noteTexts)-1).Draw(t, "annotation")
	case 4:
		s.limit = rapid.SampledFrom([]int{0, 0, 1, 2, 3}).Draw(t, "limit")
	default:
		s.expr = 1 - s.expr
	}
	return s
}

// rule returns a rule as s says.
func (s setting) rule(name string) config.Rule {
	r := alerting(name, name+strconv.Itoa(s.expr), s.holdFor)
	r.KeepFiringFor, r.Labels = s.keep, labelTexts[s.labels]
	r.Annotations = []config.Pair{{Name: "summary", Value: noteTexts[s.note]}}
	return r
}

func modelOptions(resend time.Duration) rules.Options {
	return rules.Options{ResendDelay: resend, ErrorResend: 5 * time.Minute, DisableAlertgroup: true, QueryTimeout: time.Minute}
}

// Whatever a rule's query answers at whatever times, and however the rule is
// edited in between, its alerts go as described.
func TestAlertsOfAnEditedRuleFollowTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := modelRule{
			name: "A", interval: time.Minute, errors: 5 * time.Minute,
			resend: rapid.SampledFrom([]time.Duration{0, 150 * time.Second}).Draw(t, "resendDelay"),
		}
		var rule *rules.OneRule
		var answer modelAnswer
		at, ledger := epoch, newLedger()
		edited := true
		for range rapid.IntRange(1, 30).Draw(t, "evaluations") {
			for edited || rapid.IntRange(0, 3).Draw(t, "edited") == 0 {
				edited = false
				m.setting = drawEdit(t, m.setting)
				g := group("g", m.setting.rule("A"))
				g.Interval, g.Limit = time.Minute, m.setting.limit
				rule = rules.NewOneRule(t, g, modelOptions(m.resend), rulestest.Templates{}, rule,
					func(context.Context, rules.Query) (rules.Result, error) {
						if answer.fails {
							return rules.Result{}, errors.New("no answer")
						}
						return rules.Result{Samples: answer.result()}, nil
					})
			}
			at = at.Add(drawPace(t))
			if rapid.Bool().Draw(t, "changes") {
				answer = drawAnswer(t)
			}
			told := rule.Eval(at)
			compare(t, at, m.eval(at, at, answer), modelOut{
				writes: writes(told.Series), sends: sends(told.Sent), err: told.Err != nil,
			})
			compareAlerts(t, at, &m, told.Alerts)
			ledger.enter(t, told.Series, told.Sent)
			ledger.balance(t, []*modelRule{&m})
		}
	})
}

// drawPace draws how much time passes from one evaluation to the next: mostly an
// interval, now and then a gap, or a clock that is set back.
func drawPace(t *rapid.T) time.Duration {
	return rapid.SampledFrom([]time.Duration{
		time.Minute, time.Minute, time.Minute, time.Minute, time.Second, 5 * time.Minute, 16 * time.Minute, -100 * time.Second,
	}).Draw(t, "pace")
}

func compare(t rapid.TB, at time.Time, want, got modelOut) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(modelOut{})); diff != "" {
		t.Fatalf("at %s (-want +got):\n%s", clock(at), diff)
	}
}

func compareAlerts(t rapid.TB, at time.Time, m *modelRule, got []rules.Instance) {
	t.Helper()
	var want, have []string
	for i := range m.alerts {
		want = append(want, m.alerts[i].describe())
	}
	for i := range got {
		have = append(have, describeLikeModel(&got[i]))
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Fatalf("alerts at %s (-want +got):\n%s", clock(at), diff)
	}
}

func describeLikeModel(a *rules.Instance) string {
	m := modelAlert{
		labels: a.Labels, state: a.State, value: a.Value, note: a.Annotations.Get("summary"),
		active: a.ActiveAt.Time(), starts: a.StartsAt.Time(), resolved: a.ResolvedAt.Time(), held: a.KeepFiringSince.Time(),
	}
	return m.describe()
}

func writes(series []rules.Series) []string {
	var out []string
	for _, s := range series {
		v := strconv.FormatFloat(s.V, 'f', -1, 64)
		if value.IsStaleNaN(s.V) {
			v = "stale"
		}
		out = append(out, sample(s.Full(), v, time.UnixMilli(s.T)))
	}
	sort.Strings(out)
	return out
}

func sends(alerts []rules.Alert) []string {
	var out []string
	for _, a := range alerts {
		state := "firing"
		if a.Resolved {
			state = "resolved"
		}
		out = append(out, fmt.Sprintf("%s %s %s until %s: %s", a.Labels, state, clock(a.StartsAt), clock(a.EndsAt), a.Annotations.Get("summary")))
	}
	sort.Strings(out)
	return out
}

// ledger is what storage and an Alertmanager believe after all they were told.
type ledger struct {
	live   map[string]bool  // series without a stale marker
	last   map[string]int64 // the time of a series' newest sample; nil if the clock may be set back
	firing map[string]bool
}

func newLedger() *ledger {
	return &ledger{live: map[string]bool{}, firing: map[string]bool{}}
}

// enter takes down what was told: only what lives can end, and time goes on.
func (l *ledger) enter(t rapid.TB, series []rules.Series, alerts []rules.Alert) {
	t.Helper()
	for _, s := range series {
		name := s.Full().String()
		if l.last != nil {
			if last, ok := l.last[name]; ok && s.T <= last {
				t.Fatalf("%s has a sample at %d after one at %d", name, s.T, last)
			}
			l.last[name] = s.T
		}
		switch ended := value.IsStaleNaN(s.V); {
		case ended && !l.live[name]:
			t.Fatalf("%s is ended, but does not live", name)
		case ended:
			delete(l.live, name)
		default:
			l.live[name] = true
		}
	}
	for _, a := range alerts {
		if a.Resolved {
			delete(l.firing, a.Labels.String())
		} else {
			l.firing[a.Labels.String()] = true
		}
	}
}

// balance compares what they believe with the alerts there are.
func (l *ledger) balance(t rapid.TB, ms []*modelRule) {
	t.Helper()
	live, firing := map[string]bool{}, map[string]bool{}
	for _, m := range ms {
		for i := range m.alerts {
			a := &m.alerts[i]
			if active(a.state) {
				live[a.alerts(a.state).String()], live[a.clock().String()] = true, true
			}
			if a.state == rules.Firing {
				firing[a.labels.String()] = true
			}
		}
	}
	alertSeries := map[string]bool{}
	for name := range l.live {
		if strings.Contains(name, `__name__="ALERTS`) {
			alertSeries[name] = true
		}
	}
	if diff := cmp.Diff(live, alertSeries); diff != "" {
		t.Fatalf("live series (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(firing, l.firing); diff != "" {
		t.Fatalf("firing at Alertmanager (-want +got):\n%s", diff)
	}
}
