package rules_test

import (
	"context"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"pgregory.net/rapid"

	"tocsin/config"
	"tocsin/rules"
	"tocsin/rules/rulestest"
)

// The alert generator specification of the Prometheus project says of every
// evaluation what is to be written and sent, given the results so far. course is
// those results, for one label set, and says the same without a state that is
// carried from one evaluation to the next.
type course struct {
	interval, holdFor, resend time.Duration
	values                    []float64 // by evaluation; 0 is no result
}

func (c *course) at(k int) time.Time { return epoch.Add(time.Duration(k) * c.interval) }

// began returns the first of the unbroken evaluations with a result that end at k.
func (c *course) began(k int) int {
	for k > 0 && c.values[k-1] != 0 {
		k--
	}
	return k
}

// fired returns the evaluation at which the alert that is active at k fired, if
// it had by then.
func (c *course) fired(k int) (int, bool) {
	began := c.began(k)
	for i := began; i <= k; i++ {
		if c.at(i).Sub(c.at(began)) >= c.holdFor {
			return i, true
		}
	}
	return 0, false
}

// state returns the value of alertstate at k, or "".
func (c *course) state(k int) string {
	if k < 0 || c.values[k] == 0 {
		return ""
	}
	if _, fired := c.fired(k); fired {
		return "firing"
	}
	return "pending"
}

// resolved returns the last evaluation before k at which the alert that is absent
// at k was there, if it fired then.
func (c *course) resolved(k int) (last int, ok bool) {
	for last = k; last >= 0 && c.values[last] == 0; last-- {
	}
	return last, c.state(last) == "firing"
}

// paced reports whether something told at evaluation from, and again as soon as
// the delay between repeats has passed, is told at k.
func (c *course) paced(from, k int) bool {
	told := from
	for i := from; i < k; i++ {
		if c.at(i+1).Sub(c.at(told)) >= c.resend {
			told = i + 1
		}
	}
	return told == k
}

// sent returns what Alertmanager is told at k, or "".
func (c *course) sent(k int) string {
	if c.values[k] != 0 {
		fired, ok := c.fired(k)
		if !ok || !c.paced(fired, k) {
			return ""
		}
		return sentText(c.values[k], c.at(fired), c.at(k).Add(4*max(c.interval, c.resend)), false)
	}
	last, ok := c.resolved(k)
	if !ok || c.at(k).Sub(c.at(last+1)) >= 15*time.Minute || !c.paced(last+1, k) {
		return ""
	}
	fired, _ := c.fired(last)
	return sentText(c.values[last], c.at(fired), c.at(last+1), true)
}

func sentText(v float64, started, ends time.Time, resolved bool) string {
	return strconv.FormatFloat(v, 'f', -1, 64) + " from " + since(started) + " to " + since(ends) + " resolved " + strconv.FormatBool(resolved)
}

// written returns the samples of ALERTS at k: the state, and the end of the one
// before.
func (c *course) written(k int) []string {
	var all []string
	before, state := c.state(k-1), c.state(k)
	if before != "" && before != state {
		all = append(all, before+" stale")
	}
	if state != "" {
		all = append(all, state+" 1")
	}
	return all
}

// TestAlertsFollowTheGeneratorSpecification compares rules with any for, interval
// and delay between repeats, over any results, with what the specification says.
func TestAlertsFollowTheGeneratorSpecification(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := course{
			interval: time.Duration(rapid.SampledFrom([]int{15, 30, 40, 60, 90}).Draw(t, "interval")) * time.Second,
			holdFor:  time.Duration(rapid.SampledFrom([]int{0, 10, 30, 60, 180}).Draw(t, "for")) * time.Second,
			resend:   time.Duration(rapid.SampledFrom([]int{0, 60, 90, 300}).Draw(t, "resend")) * time.Second,
		}
		// Stretches of results and of none: what is told of an alert takes a while.
		for range rapid.IntRange(1, 6).Draw(t, "stretches") {
			v := float64(rapid.IntRange(0, 3).Draw(t, "value"))
			for range rapid.IntRange(1, 40).Draw(t, "length") {
				c.values = append(c.values, v)
			}
		}
		rule := c.rule(t)
		for k := range c.values {
			told := rule.Eval(c.at(k))
			if told.Err != nil {
				t.Fatal(told.Err)
			}
			var written []string
			for _, s := range told.Series {
				if s.Name == "ALERTS" {
					written = append(written, alertSample(t, s, c.at(k)))
				}
			}
			if diff := cmp.Diff(c.written(k), written); diff != "" {
				t.Fatalf("written at evaluation %d (-want +got):\n%s", k, diff)
			}
			sent := ""
			for _, a := range told.Sent {
				sent += sentText(number(t, a.Annotations.Get("value")), a.StartsAt, a.EndsAt, a.Resolved)
			}
			if want := c.sent(k); sent != want {
				t.Fatalf("sent at evaluation %d %q, want %q", k, sent, want)
			}
		}
	})
}

// rule returns a rule whose results are the values of c, with labels that the
// specification says are overridden.
func (c *course) rule(t *rapid.T) *rules.OneRule {
	r := config.Rule{
		Kind: config.Alerting, Name: "Down", Expr: "expr", For: c.holdFor, UpdateEntries: 1,
		Labels:      []config.Pair{{Name: "job", Value: "{{label:instance}}"}},
		Annotations: []config.Pair{{Name: "value", Value: "{{value}}"}},
	}
	g := config.Group{
		Key: config.Key{File: "f.yml", Name: "g"}, Type: config.Prometheus,
		Interval: c.interval, Concurrency: 1, Rules: []config.Rule{r},
	}
	o := rules.Options{DisableAlertgroup: true, Conflict: rules.Override, ResendDelay: c.resend}
	k := -1
	return rules.NewOneRule(t, g, o, rulestest.Templates{}, nil, func(context.Context, rules.Query) (rules.Result, error) {
		k++
		if c.values[k] == 0 {
			return rules.Result{}, nil
		}
		return rules.Result{Samples: []rules.Sample{
			rulestest.Sample(c.values[k], "__name__", "up", "alertname", "old", "alertstate", "critical", "instance", "a", "job", "theirs"),
		}}, nil
	})
}

// alertSample returns a sample of ALERTS as its state and value, given that its
// labels and time are right.
func alertSample(t rapid.TB, s rules.Series, at time.Time) string {
	got := s.Full()
	state := got.Get("alertstate")
	want := labels.FromStrings("__name__", "ALERTS", "alertname", "Down", "alertstate", state, "instance", "a", "job", "a")
	if got != want || s.T != at.UnixMilli() {
		t.Fatalf("written %s at %d, want %s at %d", got, s.T, want, at.UnixMilli())
	}
	if value.IsStaleNaN(s.V) {
		return state + " stale"
	}
	return state + " " + strconv.FormatFloat(s.V, 'f', -1, 64)
}

func number(t rapid.TB, text string) float64 {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Two results with the same labels make the evaluation an error, and nothing is
// sent or written. That holds without -rule.resendOnErrorDuration.
func TestSpecifiedErrorOfEqualLabelsTellsNobody(t *testing.T) {
	var samples []rules.Sample
	r := config.Rule{
		Kind: config.Alerting, Name: "Down", Expr: "expr", UpdateEntries: 1,
		Labels: []config.Pair{{Name: "instance", Value: "any"}},
	}
	g := config.Group{
		Key: config.Key{File: "f.yml", Name: "g"}, Type: config.Prometheus,
		Interval: time.Minute, Concurrency: 1, Rules: []config.Rule{r},
	}
	rule := rules.NewOneRule(t, g, rules.Options{DisableAlertgroup: true, Conflict: rules.Override}, rulestest.Templates{}, nil,
		func(context.Context, rules.Query) (rules.Result, error) { return rules.Result{Samples: samples}, nil })

	samples = []rules.Sample{rulestest.Sample(1, "instance", "a")}
	rule.Eval(epoch)
	samples = append(samples, rulestest.Sample(1, "instance", "b"))
	told := rule.Eval(epoch.Add(time.Minute))
	if told.Err == nil || len(told.Sent) != 0 || len(told.Series) != 0 {
		t.Errorf("error %v, sent %v, written %v; want an error alone", told.Err, told.Sent, told.Series)
	}
	samples = samples[:1]
	told = rule.Eval(epoch.Add(2 * time.Minute))
	if told.Err != nil || len(told.Sent) != 1 || !told.Sent[0].StartsAt.Equal(epoch) {
		t.Errorf("error %v, sent %v; want the alert to go on", told.Err, told.Sent)
	}
}

// storageOfAlerts is a datasource that finds ALERTS as soon as they were appended
// and flushed.
type storageOfAlerts struct {
	*rulestest.Datasource
	appender *rulestest.Appender
	firing   []rules.Series // of ALERTS, as flushed
}

func (s *storageOfAlerts) take(context.Context) error {
	for _, x := range s.appender.Appended() {
		if x.Labels.Get("__name__") == "ALERTS" && x.Labels.Get("alertstate") == "firing" && x.V == 1 {
			s.firing = append(s.firing, x)
		}
	}
	return nil
}

func (s *storageOfAlerts) Query(ctx context.Context, q rules.Query) (rules.Result, error) {
	if q.Expr != `sum(ALERTS{alertstate="firing"}) == 2` {
		return s.Datasource.Query(ctx, q)
	}
	now := slices.DeleteFunc(slices.Clone(s.firing), func(x rules.Series) bool { return x.T != q.Time.UnixMilli() })
	if len(now) != 2 {
		return rules.Result{}, nil
	}
	return rules.Result{Samples: []rules.Sample{rulestest.Sample(2)}}, nil
}

// A rule sees the ALERTS that the rules above it wrote in the same round, and
// fires together with them.
func TestRuleSeesTheAlertsOfThisRound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		storage := &storageOfAlerts{Datasource: &w.datasource, appender: &w.appender}
		w.deps.Querier = storage
		w.appender.OnFlush(storage.take)
		w.datasource.Set("a", rulestest.Sample(1))
		w.datasource.Set("b", rulestest.Sample(1))
		w.apply(group("g", alerting("A", "a", 0), alerting("B", "b", 20*time.Second),
			alerting("Both", `sum(ALERTS{alertstate="firing"}) == 2`, 0)))
		w.pass(21 * time.Second)
		var started []time.Time
		for _, r := range w.manager.Groups()[0].Rules[1:] {
			if len(r.Alerts()) != 1 || r.Firing() != 1 {
				t.Fatalf("rule %s has the alerts %+v, want one that fires", r.Rule.Name, r.Alerts())
			}
			started = append(started, r.Alerts()[0].StartsAt.Time())
		}
		if !started[0].Equal(started[1]) {
			t.Errorf("B fires since %s and Both since %s, want the same round", started[0], started[1])
		}
	})
}
