package e2e

import (
	"fmt"
	"testing"
	"time"
)

// TestEndedAlertIsNotRestored lets a pending alert end before the restart and
// come back after it: its clock begins anew, though the old one is still in
// storage.
func TestEndedAlertIsNotRestored(t *testing.T) {
	eachStorage(t, func(t *testing.T, s *storage) {
		am := startAlertmanager(t)
		f := feed(t, s, series(5, "lag", "host", "a"))
		d := StartTocsin(t, patientRules, withAlertmanager(s, am)...)
		const clock = `ALERTS_FOR_STATE{alertname="Slow"}`
		eventually(t, storyTimeout, "the clock is in storage", func() error {
			_, err := s.one(clock)
			return err
		})
		f.set(series(0, "lag", "host", "a"))
		eventually(t, storyTimeout, "the clock has ended", func() error { return none(s, clock) })
		if code := d.stop(t); code != 0 {
			t.Errorf("exit code is %d", code)
		}

		restarted := time.Now()
		f.set(series(5, "lag", "host", "a"))
		d.start(t)
		// The clock of a pending alert is written once storage was asked for an older
		// one, so by then the alert has been restored or will not be.
		eventually(t, storyTimeout, "a clock is in storage again", func() error {
			p, err := s.one(clock)
			if err == nil && int64(p.v) < restarted.Add(-5*time.Second).Unix() {
				t.Fatalf("the clock is %f, before the restart at %s", p.v, restarted)
			}
			return err
		})
		a, err := d.alert()
		if err == nil && (a.Restored || a.ActiveAt.Before(restarted.Add(-5*time.Second))) {
			err = fmt.Errorf("active since %s, restored %t; want a new clock after %s", a.ActiveAt, a.Restored, restarted)
		}
		if err != nil {
			t.Error(err)
		}
	})
}
