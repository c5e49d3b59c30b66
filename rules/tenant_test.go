package rules_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/prometheus/model/value"

	"tocsin/config"
	"tocsin/rules"
	"tocsin/rules/rulestest"
)

// ofTenant returns the group g of a tenant.
func ofTenant(t config.Tenant, rs ...config.Rule) config.Group {
	g := group("g", rs...)
	g.Tenant = t
	return g
}

func TestTenantLabelsAreOnAlertsAndSeries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.datasource.Set("a", rulestest.Sample(1, "i", "x"))
		w.datasource.Set("s", rulestest.Sample(1, "i", "x"))
		w.apply(ofTenant("456:789", alerting("A", "a", 0), recording("r", "s")))
		w.pass(time.Second)
		w.datasource.Set("a")
		w.datasource.Set("s")
		w.pass(10 * time.Second)

		for _, q := range w.datasource.Asked() {
			if q.Tenant != "456:789" {
				t.Errorf("%s was asked of tenant %q", q.Expr, q.Tenant)
			}
		}
		var seen []string
		for _, s := range w.appender.Appended() {
			l := s.Full()
			if l.Get("vm_account_id") != "456" || l.Get("vm_project_id") != "789" {
				t.Errorf("%s has not the labels of the tenant", l)
			}
			name := l.Get("__name__")
			if value.IsStaleNaN(s.V) {
				name += " ended"
			}
			seen = append(seen, name)
		}
		w.expect("written", strings.Join(seen, ", "),
			"ALERTS, ALERTS_FOR_STATE, r, ALERTS ended, ALERTS_FOR_STATE ended, r ended")
		told := w.notifier.Sent()
		if len(told) == 0 {
			t.Fatal("nobody was told")
		}
		for _, n := range told {
			w.expect("alert", n.Alerts[0].Labels.String(),
				`{alertgroup="g", alertname="A", i="x", vm_account_id="456", vm_project_id="789"}`)
		}
	})
}

// By these labels the cluster decides whose a series is: neither a rule nor a
// result can give it to somebody else.
func TestTenantLabelsWinOverAllOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		account := func(v string) []config.Pair { return []config.Pair{{Name: "vm_account_id", Value: v}} }
		w.deps.Options.ExternalLabels = account("1")
		w.deps.Options.Conflict = rules.Override
		w.datasource.Set("a", rulestest.Sample(1, "vm_account_id", "4", "vm_project_id", "5"))
		w.datasource.Set("s", rulestest.Sample(1, "vm_account_id", "4"))
		a, r, empty := alerting("A", "a", 0), recording("r", "s"), recording("empty", "s")
		a.Labels, r.Labels, empty.Labels = account("{{label:vm_project_id}}"), account("3"), account("")
		g := ofTenant("7", a, r, empty)
		g.Labels = account("2")
		w.apply(g)
		w.pass(time.Second)
		written := w.appender.Appended()
		if len(written) != 4 {
			t.Errorf("%d series written, want 4", len(written))
		}
		for _, s := range written {
			if l := s.Full(); l.Get("vm_account_id") != "7" || l.Get("vm_project_id") != "0" {
				t.Errorf("%s is not of tenant 7", l)
			}
		}
		if told := w.notifier.Sent(); told[0].Alerts[0].Labels.Get("vm_account_id") != "7" {
			t.Errorf("told of %s, which is not of tenant 7", told[0].Alerts[0].Labels)
		}
	})
}

func TestTenantLabelsCanBeUsedInTemplates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.datasource.Set("a", rulestest.Sample(1))
		r := alerting("A", "a", 0)
		r.Labels = []config.Pair{{Name: "customer", Value: "{{label:vm_account_id}}"}}
		r.Annotations = []config.Pair{{Name: "summary", Value: "{{label:vm_project_id}}"}}
		w.apply(ofTenant("456:789", r))
		w.pass(time.Second)
		a := w.notifier.Sent()[0].Alerts[0]
		w.expect("label", a.Labels.Get("customer"), "456")
		w.expect("annotation", a.Annotations.Get("summary"), "789")
	})
}

// Storage keeps series without the labels by which it tells their owners.
func TestRestoreAsksTheTenantAndKnowsAlertsWithoutItsLabels(t *testing.T) {
	clock := func(sec float64, more ...string) rules.Sample {
		return rulestest.Sample(sec, append([]string{"__name__", "ALERTS_FOR_STATE", "alertname", "A", "alertgroup", "g"}, more...)...)
	}
	for name, c := range map[string]struct {
		stored   rules.Sample
		restored bool
	}{
		"without labels of the tenant": {clock(midnight - 50), true},
		"with labels of the tenant":    {clock(midnight-50, "vm_account_id", "456", "vm_project_id", "789"), true},
		"of another tenant":            {clock(midnight-50, "vm_account_id", "456", "vm_project_id", "1"), false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.restores()
				w.datasource.Set("a", rulestest.Sample(1))
				w.storage.Set(`default_rollup(ALERTS_FOR_STATE{alertname="A",alertgroup="g"}[3600s])`, c.stored)
				w.apply(ofTenant("456:789", alerting("A", "a", time.Minute)))
				w.pass(time.Second)
				asked := w.storage.Asked()
				if len(asked) != 1 || asked[0].Tenant != "456:789" {
					t.Fatalf("asked %+v, want one query of tenant 456:789", asked)
				}
				a := w.manager.Groups()[0].Rules[0].Alerts()[0]
				if a.Restored != c.restored {
					t.Errorf("restored: %t, want %t", a.Restored, c.restored)
				}
			})
		})
	}
}

func TestMissedEvaluationsAreMadeUpForFromTheTenant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.catchesUp(time.Hour)
		w.counts("s", time.Now())
		w.apply(ofTenant("456:789", recording("r", "s")))
		w.pass(time.Second)
		w.datasource.Fail("s", context.DeadlineExceeded)
		w.pass(30 * time.Second)
		w.counts("s", time.Unix(midnight, 0))
		w.appender.Appended()
		w.pass(10 * time.Second)
		ranges := w.datasource.AskedRanges()
		if len(ranges) != 1 || ranges[0].Tenant != "456:789" {
			t.Fatalf("asked %+v, want one range query of tenant 456:789", ranges)
		}
		written := w.appender.Appended()
		if len(written) != 4 {
			t.Errorf("%d samples written, want those of three missed evaluations and the present one", len(written))
		}
		for _, s := range written {
			if s.Labels.Get("vm_project_id") != "789" {
				t.Errorf("%s is not of the tenant", s.Labels)
			}
		}
	})
}

// The same edit as another label of the group: series end with the tenant they
// were of, and go on with the other.
func TestEditedTenantMovesTheClock(t *testing.T) {
	before, g := usual(), usual()
	before.Tenant, g.Tenant = "1", "2"
	e := after(g)
	e.before = []config.Group{before}
	e.expect(t, `
		25s changed g, resolves 1
		30s asked f p r; told {g F 1 0} resolved 0s-30s, {g F 2 0} firing 0s; `+
		`ended r{1 0}, ALERTS_FOR_STATE{g F 1 0}, ALERTS{g F firing 1 0}, ALERTS_FOR_STATE{g P 1 0}, ALERTS{g P pending 1 0}
		40s asked f p r; told {g F 2 0} firing 0s, {g P 2 0} firing 40s; ended ALERTS{g P pending 2 0}
		50s asked f p r; told {g F 2 0} firing 0s, {g P 2 0} firing 40s`)
}
