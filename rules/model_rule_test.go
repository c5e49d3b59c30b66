package rules_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/value"
	"pgregory.net/rapid"

	"tocsin/config"
	"tocsin/rules"
	"tocsin/rules/rulestest"
)

// drawAnswer draws up to four results in any order, told apart by xs, few enough
// that they repeat from round to round; or a failure.
func drawAnswer(t *rapid.T, xs ...string) modelAnswer {
	if rapid.IntRange(0, 7).Draw(t, "fails") == 7 {
		return modelAnswer{fails: true}
	}
	var a modelAnswer
	for range rapid.IntRange(0, 4).Draw(t, "results") {
		a.samples = append(a.samples, modelSample{
			x: rapid.SampledFrom(xs).Draw(t, "x"),
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

// rule returns an alerting rule as s says.
func (s setting) rule(name, expr string) config.Rule {
	r := alerting(name, expr+"v"+strconv.Itoa(s.expr), s.holdFor)
	r.KeepFiringFor, r.Labels = s.keep, labelTexts[s.labels]
	r.Annotations = []config.Pair{{Name: "summary", Value: noteTexts[s.note]}}
	return r
}

// modelTemplates also expands "{{version}}", to the version of the templates.
type modelTemplates struct{ rulestest.Templates }

func (c modelTemplates) CompileLabels(texts []config.Pair) (rules.Template, error) {
	return c.Templates.CompileLabels(c.insert(texts))
}

func (c modelTemplates) CompileAnnotations(texts []config.Pair) (rules.Template, error) {
	return c.Templates.CompileAnnotations(c.insert(texts))
}

func (c modelTemplates) insert(texts []config.Pair) []config.Pair {
	out := slices.Clone(texts)
	for i := range out {
		if out[i].Value == "{{version}}" {
			out[i].Value = strconv.Itoa(int(c.Version))
		}
	}
	return out
}

func modelOptions(resend time.Duration) rules.Options {
	return rules.Options{ResendDelay: resend, ErrorResend: 5 * time.Minute, DisableAlertgroup: true, QueryTimeout: time.Minute}
}

// Whatever a rule's query answers at whatever times, and however the rule is
// edited in between, its alerts go as described.
func TestAlertsOfAnEditedRuleFollowTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := modelRule{
			kind: config.Alerting, name: "A", interval: time.Minute, errors: 5 * time.Minute,
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
				g := group("g", m.setting.rule("A", "a"))
				g.Interval, g.Limit = time.Minute, m.setting.limit
				rule = rules.NewOneRule(t, g, modelOptions(m.resend), modelTemplates{}, rule,
					func(context.Context, rules.Query) (rules.Result, error) {
						if answer.fails {
							return rules.Result{}, errors.New("no answer")
						}
						return rules.Result{Samples: answer.result("")}, nil
					})
			}
			at = at.Add(drawPace(t))
			if rapid.Bool().Draw(t, "changes") {
				answer = drawAnswer(t, "0", "1", "2", "3", "4", "5")
			}
			told := rule.Eval(at)
			compare(t, at, m.eval(at, at, answer), modelOut{
				writes: writes(told.Series), sends: sends(told.Sent), err: told.Err != nil,
			})
			compareAlerts(t, at, &m, told.Alerts)
			ledger.enter(t, told.Series, told.Sent)
			ledger.balance(t, m.told())
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
	if want.err != got.err || !slices.Equal(want.writes, got.writes) || !slices.Equal(want.sends, got.sends) {
		t.Fatalf("at %s (-want +got):\n%s", clock(at), cmp.Diff(want, got, cmp.AllowUnexported(modelOut{})))
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
