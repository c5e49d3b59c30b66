package e2e

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const kitchenRules = `
groups:
  - name: rooms
    labels:
      site: home
    rules:
      - alert: TooHot
        expr: temperature > 30
        for: 2s
        labels:
          severity: '{{ if eq $labels.room "kitchen" }}page{{ else }}note{{ end }}'
        annotations:
          summary: '{{ $labels.room }} has {{ $value | humanize }} degrees'
`

func TestAlertFiresAndResolves(t *testing.T) {
	eachStorage(t, func(t *testing.T, s *storage) {
		am := startAlertmanager(t)
		f := feed(t, s, series(42, "temperature", "room", "kitchen"), series(20, "temperature", "room", "hall"))
		began := time.Now()
		d := StartTocsin(t, kitchenRules, append(withAlertmanager(s, am), "-external.label=dc=north")...)

		held := am.alert(t, "TooHot")
		want := map[string]string{
			"alertname": "TooHot", "alertgroup": "rooms", "room": "kitchen",
			"severity": "page", "site": "home", "dc": "north",
		}
		if diff := cmp.Diff(want, held.Labels); diff != "" {
			t.Errorf("labels (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(map[string]string{"summary": "kitchen has 42 degrees"}, held.Annotations); diff != "" {
			t.Errorf("annotations (-want +got):\n%s", diff)
		}
		// The first evaluation may be of a time shortly before the start.
		if held.StartsAt.Before(began.Add(-5*time.Second)) || held.StartsAt.After(time.Now()) {
			t.Errorf("startsAt is %s, want it between %s and now", held.StartsAt, began)
		}
		if !held.EndsAt.After(time.Now().Add(time.Minute)) {
			t.Errorf("endsAt is %s, want it minutes away", held.EndsAt)
		}
		leadsToPageOf(t, d, held.GeneratorURL, "TooHot")
		eventually(t, storyTimeout, "storage has ALERTS firing", func() error {
			_, err := s.one(`ALERTS{alertname="TooHot",alertstate="firing",room="kitchen",dc="north"}`)
			return err
		})

		f.set(series(21, "temperature", "room", "kitchen"))
		am.waitFor(t, "")
		if alerts, err := d.alerts(); err != nil || len(alerts) != 0 {
			t.Errorf("the API still has %v, %v", alerts, err)
		}
		eventually(t, storyTimeout, "ALERTS and ALERTS_FOR_STATE have ended", func() error {
			return none(s, `{__name__=~"ALERTS.*"}`)
		})
	})
}

// leadsToPageOf checks that the address in a notification is one of the
// daemon's own that names the alert.
func leadsToPageOf(t *testing.T, d *tocsin, address, alert string) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(address, d.url+"/vmalert/alert?") || u.Query().Get("group_id") == "" || u.Query().Get("alert_id") == "" {
		t.Errorf("generatorURL is %s", address)
	}
	page, err := get(address)
	if err != nil || !strings.Contains(page, alert) {
		t.Errorf("the page at generatorURL does not mention %s: %v", alert, err)
	}
}

// none returns an error while the query has results.
func none(s *storage, expr string) error {
	points, err := s.query(expr)
	if err == nil && len(points) > 0 {
		err = fmt.Errorf("query %q has %d results: %v", expr, len(points), points)
	}
	return err
}

const patientRules = `
groups:
  - name: patient
    rules:
      - alert: Slow
        expr: lag > 1
        for: 10m
`

func TestRestartKeepsPendingClock(t *testing.T) {
	eachStorage(t, func(t *testing.T, s *storage) {
		am := startAlertmanager(t)
		feed(t, s, series(5, "lag", "host", "a"))
		d := StartTocsin(t, patientRules, withAlertmanager(s, am)...)

		var before activeAlert
		eventually(t, storyTimeout, "the alert is pending", func() (err error) {
			before, err = d.alert()
			return err
		})
		eventually(t, storyTimeout, "the clock is in storage", func() error {
			p, err := s.one(`ALERTS_FOR_STATE{alertname="Slow"}`)
			if err == nil && int64(p.v) != before.ActiveAt.Unix() {
				t.Fatalf("ALERTS_FOR_STATE is %f, want %d", p.v, before.ActiveAt.Unix())
			}
			return err
		})
		if code := d.stop(t); code != 0 {
			t.Errorf("exit code is %d", code)
		}
		// A clock that is begun anew would show.
		letPass(t, before.ActiveAt, 6*time.Second)
		d.start(t)
		eventually(t, storyTimeout, "the clock is restored", func() error {
			after, err := d.alert()
			if err == nil && (!after.Restored || after.ActiveAt.Unix() != before.ActiveAt.Unix()) {
				err = fmt.Errorf("active since %s, restored %t; want since %s", after.ActiveAt, after.Restored, before.ActiveAt)
			}
			if err == nil && after.State != "pending" {
				err = fmt.Errorf("state is %s", after.State)
			}
			return err
		})
	})
}

const twoAlerts = `
groups:
  - name: two
    rules:
      - alert: First
        expr: first > 0
      - alert: Second
        expr: second > 0
`

// TestAlertsWaitForAlertmanagerThatIsDown lets alerts be sent each round, because
// an Alertmanager forgets them when it stops.
func TestAlertsWaitForAlertmanagerThatIsDown(t *testing.T) {
	t.Parallel()
	s, am := startVictoriaMetrics(t), startAlertmanager(t)
	f := feed(t, s, series(1, "first"), series(0, "second"))
	d := StartTocsin(t, twoAlerts, append(withAlertmanager(s, am), "-rule.resendDelay=0s")...)
	am.waitFor(t, "First")

	am.stop(t)
	f.set(series(1, "first"), series(1, "second"))
	eventually(t, storyTimeout, "both fire while Alertmanager is down", func() error {
		alerts, err := d.alerts()
		if err == nil && (len(alerts) != 2 || alerts[0].State != "firing" || alerts[1].State != "firing") {
			err = fmt.Errorf("alerts are %v", alerts)
		}
		return err
	})
	rounds, err := d.metric("vmalert_iteration_total")
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, storyTimeout, "evaluation goes on", func() error {
		now, err := d.metric("vmalert_iteration_total")
		if err == nil && now < rounds+3 {
			err = fmt.Errorf("%g rounds, were %g", now, rounds)
		}
		return err
	})

	restarted := time.Now()
	am.start(t)
	if second := am.alert(t, "Second"); second.StartsAt.After(restarted) {
		t.Errorf("startsAt is %s, after Alertmanager came back at %s", second.StartsAt, restarted)
	}

	am.stop(t)
	f.set(series(1, "first"), series(0, "second"))
	eventually(t, storyTimeout, "the second is resolved while Alertmanager is down", func() error {
		a, err := d.alert()
		if err == nil && a.Name != "First" {
			err = fmt.Errorf("%s is active", a.Name)
		}
		return err
	})
	am.start(t)
	am.waitFor(t, "First")
}
