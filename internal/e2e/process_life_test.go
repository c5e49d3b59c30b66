package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// TestStopDrainsWhatWasAccepted lets nothing be flushed before the end.
func TestStopDrainsWhatWasAccepted(t *testing.T) {
	eachStorage(t, func(t *testing.T, s *storage) {
		feed(t, s, series(1, "alive"))
		d := StartTocsin(t, `
groups:
  - name: clock
    rules:
      - record: tick
        expr: vector(time())
`, append(against(s), "-remoteWrite.flushInterval=1h")...)
		eventually(t, storyTimeout, "four rounds have passed", func() error {
			rounds, err := d.metric("vmalert_iteration_total")
			if err == nil && rounds < 4 {
				err = fmt.Errorf("%g have", rounds)
			}
			return err
		})
		if points, err := s.samples("tick"); err != nil || len(points) != 0 {
			t.Errorf("before the end %d ticks are stored, %v; want none", len(points), err)
		}
		if code := d.stop(t); code != 0 {
			t.Errorf("exit code is %d", code)
		}
		assertGapless(t, waitForTicks(t, s, 4))
	})
}

// TestStopDeliversAlertsInQueue stops the daemon as soon as the alert fires.
func TestStopDeliversAlertsInQueue(t *testing.T) {
	t.Parallel()
	s, am := startVictoriaMetrics(t), startAlertmanager(t)
	feed(t, s, series(1, "first"))
	d := StartTocsin(t, twoAlerts, withAlertmanager(s, am)...)
	eventually(t, storyTimeout, "the alert fires", func() error {
		_, err := d.alert()
		return err
	})
	if code := d.stop(t); code != 0 {
		t.Errorf("exit code is %d", code)
	}
	am.waitFor(t, "First")
}

func TestStopIsPromptWhileEverythingIsDown(t *testing.T) {
	t.Parallel()
	nobody := "http://" + freeAddr(t)
	d := StartTocsin(t, twoAlerts, "-datasource.url="+nobody, "-remoteWrite.url="+nobody, "-notifier.url="+nobody)
	eventually(t, storyTimeout, "a round has failed", func() error {
		failed, err := d.metric("vmalert_execution_errors_total")
		if err == nil && failed == 0 {
			err = errNone
		}
		return err
	})
	if code := d.stop(t); code != 0 {
		t.Errorf("exit code is %d", code)
	}
}

const brokenRules = `groups:
  - name: broken
    rules:
      - alert: NoParenthesis
        expr: sum(
      - record: unknown_key
        expr: up
        fro: 5m
`

func TestBrokenRulesStopTheStart(t *testing.T) {
	t.Parallel()
	d := newTocsin(t, brokenRules, "-datasource.url=http://127.0.0.1:1", "-notifier.blackhole", "-remoteWrite.url=http://127.0.0.1:1")
	d.launch(t)
	if code := d.wait(t); code != 1 {
		t.Errorf("exit code is %d, want 1", code)
	}
	// Both problems, each at its place.
	for _, want := range []string{d.rules + ":5", d.rules + ":8", "NoParenthesis", "fro"} {
		if !strings.Contains(d.output.String(), want) {
			t.Errorf("it does not print %s:\n%s", want, d.output.String())
		}
	}
}

func TestDryRunGivesVerdict(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, rules string
		code        int
	}{{"good rules", twoAlerts, 0}, {"broken rules", brokenRules, 1}} {
		t.Run(c.name, func(t *testing.T) {
			d := newTocsin(t, c.rules, "-dryRun")
			d.launch(t)
			if code := d.wait(t); code != c.code {
				t.Errorf("exit code is %d, want %d:\n%s", code, c.code, d.output.String())
			}
		})
	}
}
