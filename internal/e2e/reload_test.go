package e2e

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
)

const rulesBefore = `
groups:
  - name: changing
    rules:
      - alert: Edited
        expr: sample > 0
        annotations: {text: old}
      - alert: Removed
        expr: sample > 0
`

const rulesAfter = `
groups:
  - name: changing
    rules:
      - alert: Added
        expr: sample > 0
      - alert: Edited
        expr: sample > 1
        annotations: {text: new}
`

func TestReloadAddsEditsAndRemovesRules(t *testing.T) {
	for _, c := range []struct {
		name   string
		reload func(t *testing.T, d *tocsin)
	}{
		{"by SIGHUP", func(t *testing.T, d *tocsin) { d.signal(t, syscall.SIGHUP) }},
		{"by HTTP", func(t *testing.T, d *tocsin) {
			if _, err := get(d.url + "/-/reload"); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, am := startVictoriaMetrics(t), startAlertmanager(t)
			feed(t, s, series(2, "sample"))
			d := StartTocsin(t, rulesBefore, withAlertmanager(s, am)...)
			am.waitFor(t, "Edited Removed")
			before := am.alert(t, "Edited")

			d.edit(t, rulesAfter)
			c.reload(t, d)
			am.waitFor(t, "Added Edited")
			if names, err := d.ruleNames(); err != nil || names != "Added Edited" {
				t.Errorf("rules are %q, %v; want them in the order of the file", names, err)
			}
			after := am.alert(t, "Edited")
			if !after.StartsAt.Equal(before.StartsAt) {
				t.Errorf("startsAt changes from %s to %s", before.StartsAt, after.StartsAt)
			}
			eventually(t, storyTimeout, "series of the removed rule have ended", func() error {
				return none(s, `ALERTS{alertname="Removed"}`)
			})
		})
	}
}

// TestReloadShowsNewAnnotation lets alerts be sent each round, so that the next
// notification comes soon.
func TestReloadShowsNewAnnotation(t *testing.T) {
	t.Parallel()
	s, am := startVictoriaMetrics(t), startAlertmanager(t)
	feed(t, s, series(2, "sample"))
	d := StartTocsin(t, rulesBefore, append(withAlertmanager(s, am), "-rule.resendDelay=0s")...)
	if got := am.alert(t, "Edited").Annotations["text"]; got != "old" {
		t.Fatalf("annotation is %q", got)
	}
	d.edit(t, rulesAfter)
	d.signal(t, syscall.SIGHUP)
	eventually(t, storyTimeout, "the annotation is new", func() error {
		if got := am.alert(t, "Edited").Annotations["text"]; got != "new" {
			return fmt.Errorf("it is %q", got)
		}
		return nil
	})
}

func TestBrokenReloadLeavesEverythingAsItIs(t *testing.T) {
	t.Parallel()
	s, am := startVictoriaMetrics(t), startAlertmanager(t)
	feed(t, s, series(2, "sample"))
	d := StartTocsin(t, rulesBefore, withAlertmanager(s, am)...)
	am.waitFor(t, "Edited Removed")

	d.edit(t, strings.Replace(rulesAfter, "sample > 1", "sum(", 1))
	body, err := get(d.url + "/-/reload")
	if err == nil || !strings.Contains(body, d.rules+":") {
		t.Errorf("reload answers %q, %v; want an error that names file and line", body, err)
	}
	if ok, err := d.metric("vmalert_config_last_reload_successful"); err != nil || ok != 0 {
		t.Errorf("vmalert_config_last_reload_successful is %g, %v", ok, err)
	}
	if names, err := d.ruleNames(); err != nil || names != "Edited Removed" {
		t.Errorf("rules are %q, %v", names, err)
	}

	d.edit(t, rulesBefore)
	if body, err := get(d.url + "/-/reload"); err != nil {
		t.Errorf("going back is answered with %q, %v", body, err)
	}
	if ok, err := d.metric("vmalert_config_last_reload_successful"); err != nil || ok != 1 {
		t.Errorf("after going back vmalert_config_last_reload_successful is %g, %v", ok, err)
	}
}
