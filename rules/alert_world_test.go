package rules_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin/config"
	"tocsin/rules"
	"tocsin/rules/rulestest"
)

// An alert nobody repeats ends four intervals from now, or four delays between
// repeats if that is more; the time of the query, which lies behind, does not
// count.
func TestFiringAlertEndsFourIntervalsFromNow(t *testing.T) {
	for _, c := range []struct {
		name                  string
		interval, resend, cap time.Duration
		want                  time.Duration
	}{
		{"short interval", time.Second, 0, 0, 4 * time.Second},
		{"interval", time.Minute, 0, 0, 4 * time.Minute},
		{"longer delay between repeats", 10 * time.Second, time.Minute, 0, 4 * time.Minute},
		{"shorter delay between repeats", time.Minute, 10 * time.Second, 0, 4 * time.Minute},
		{"capped", time.Minute, 0, 90 * time.Second, 90 * time.Second},
		{"below the cap", time.Second, 0, time.Hour, 4 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.deps.Options.ResendDelay, w.deps.Options.MaxResolveDuration = c.resend, c.cap
				w.datasource.Set("a", rulestest.Sample(1))
				g := group("g", alerting("A", "a", 0))
				g.Interval, g.EvalDelay.Duration = c.interval, 30*time.Second
				now := time.Now()
				w.apply(g)
				synctest.Wait()
				sent := w.notifier.Sent()
				if len(sent) != 1 {
					t.Fatalf("told %d times, want once", len(sent))
				}
				if got := sent[0].Alerts[0].EndsAt.Sub(now); got != c.want {
					t.Errorf("ends %s from now, want %s", got, c.want)
				}
				if started := sent[0].Alerts[0].StartsAt; started.After(now.Add(-30 * time.Second)) {
					t.Errorf("started at %s, want the time of the query", started)
				}
			})
		})
	}
}

func TestRulesWithTheSameAlertKeepTheirOwnState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.datasource.Set("a", rulestest.Sample(1, "x", "y"))
		w.apply(group("g", alerting("A", "a", 0), alerting("A", "b", time.Minute)))
		w.pass(11 * time.Second)
		w.datasource.Set("b", rulestest.Sample(2, "x", "y"))
		w.pass(10 * time.Second)
		first, second := w.manager.Groups()[0].Rules[0], w.manager.Groups()[0].Rules[1]
		if first.Firing() != 1 || second.Pending() != 1 {
			t.Fatalf("firing %d, pending %d; want one of each", first.Firing(), second.Pending())
		}
		if a, b := first.Alerts()[0], second.Alerts()[0]; a.Labels != b.Labels || b.ActiveAt.Sub(a.ActiveAt) != 20*time.Second {
			t.Errorf("got %+v and %+v, want the same labels with clocks of their own", a, b)
		}
		w.datasource.Set("a")
		w.pass(10 * time.Second)
		if got := w.manager.Groups()[0].Rules[1].Pending(); got != 1 {
			t.Errorf("the second rule has %d pending alerts once the first has ended, want one", got)
		}
	})
}

func TestEmptyLabelsOfResultsAreNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.datasource.Set("a", rulestest.Sample(1, "x", "y", "void", ""))
		w.apply(group("g", alerting("A", "a", 0), recording("r", "a")))
		w.pass(time.Second)
		var got []string
		for _, s := range w.appender.Appended() {
			got = append(got, s.Labels.String())
		}
		want := []string{
			`{__name__="ALERTS", alertgroup="g", alertname="A", alertstate="firing", x="y"}`,
			`{__name__="ALERTS_FOR_STATE", alertgroup="g", alertname="A", x="y"}`,
			`{__name__="r", x="y"}`,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("written (-want +got):\n%s", diff)
		}
	})
}

// refusing is a notifier that takes nothing.
type refusing struct{}

func (refusing) Notify(rules.Notification) error { return errors.New("closed") }

func TestRefusedNotificationDoesNotSuppressRemoteWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.deps.Notifier = refusing{}
		w.datasource.Set("a", rulestest.Sample(1))
		w.apply(group("g", alerting("A", "a", 0)))
		w.pass(time.Second)
		if got := len(w.appender.Appended()); got != 2 {
			t.Errorf("%d samples written, want ALERTS and ALERTS_FOR_STATE", got)
		}
		if !w.metric("tocsin_rule_handover_errors_total 1") {
			t.Error("the refusal is not counted")
		}
	})
}

// spy compiles annotations that remember what they are given, and ask a query.
type spy struct {
	rulestest.Templates
	seen []rules.TemplateData
}

func (s *spy) CompileAnnotations([]config.Pair) (rules.Template, error) { return s, nil }

func (s *spy) Uses() rules.TemplateUse { return rules.UsesWorld }

func (s *spy) Expand(ctx context.Context, d *rules.TemplateData) ([]string, error) {
	s.seen = append(s.seen, *d)
	_, err := d.Query(ctx, "from a template")
	return []string{"text"}, err
}

// partialAnswers marks every answer of a datasource as partial.
type partialAnswers struct{ *rulestest.Datasource }

func (p partialAnswers) Query(ctx context.Context, q rules.Query) (rules.Result, error) {
	res, err := p.Datasource.Query(ctx, q)
	res.Partial = true
	return res, err
}

func TestTemplatesAreGivenWhatIsKnownOfTheAlert(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := &spy{}
		w.deps.Templates, w.deps.Querier = s, partialAnswers{&w.datasource}
		w.datasource.Set("a > 1", rulestest.Sample(7, "__name__", "m", "alertname", "old", "job", "x"))
		r := alerting("A", "a > 1", time.Minute)
		r.Annotations = []config.Pair{{Name: "summary", Value: "any"}}
		r.Labels = []config.Pair{{Name: "job", Value: "mine"}, {Name: "severity", Value: "page"}}
		g := group("g", r)
		g.Params = map[string][]string{"nocache": {"1"}}
		w.apply(g)
		w.pass(11 * time.Second)

		snapshot := w.manager.Groups()[0]
		a := snapshot.Rules[0].Alerts()[0]
		if len(s.seen) != 2 {
			t.Fatalf("expanded %d times in two rounds", len(s.seen))
		}
		d := s.seen[1]
		if d.Value != 7 || d.Type != config.Prometheus || d.Expr != "a > 1" || d.Interval != 10*time.Second || d.For != time.Minute {
			t.Errorf("got value %g, type %s, expr %s, interval %s, for %s", d.Value, d.Type, d.Expr, d.Interval, d.For)
		}
		if d.AlertID != a.ID || d.GroupID != snapshot.ID || !d.Partial {
			t.Errorf("got alert %d of group %d, partial %t; want %d of %d, true", d.AlertID, d.GroupID, d.Partial, a.ID, snapshot.ID)
		}
		if want := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC); !d.ActiveAt.Equal(want) {
			t.Errorf("active at %s in the second round, want %s", d.ActiveAt, want)
		}
		for name, want := range map[string]string{
			"__name__": "m", "alertname": "old", "job": "x", "severity": "page", "alertgroup": "g", "none": "",
		} {
			if got := d.Labels.Get(name); got != want {
				t.Errorf("label %s is %q, want %q", name, got, want)
			}
		}
		// The query of the template is one of its rule's round.
		asked := w.datasource.Asked()
		i := slices.IndexFunc(asked, func(q rules.Query) bool { return q.Expr == "from a template" })
		if i < 1 || !asked[i].Time.Equal(asked[i-1].Time) || len(asked[i].Params) != 1 {
			t.Errorf("asked %+v, want the template's query after its rule's, for the same time and with the group's params", asked)
		}
	})
}
