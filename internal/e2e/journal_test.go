package e2e

import (
	"fmt"
	"testing"
	"time"
)

const steadyRules = `
groups:
  - name: steady
    eval_alignment: true
    rules:
      - record: now
        expr: vector(time())
      - alert: Patient
        expr: vector(1)
        for: 1h
`

// TestKilledDaemonGoesOnWithoutAGap kills the daemon twice. What it should have
// recorded meanwhile is recorded by the next one, and the clock of a pending
// alert goes on, though nobody asks storage for it.
func TestKilledDaemonGoesOnWithoutAGap(t *testing.T) {
	eachStorage(t, func(t *testing.T, s *storage) {
		d := StartTocsin(t, steadyRules, append(against(s), "-storage.path="+t.TempDir(), "-notifier.blackhole", "-remoteRead.url=")...)
		var began time.Time
		for range 2 {
			eventually(t, storyTimeout, "three rounds are stored", func() error { return stored(s, 3) })
			a, err := d.alert()
			if err != nil {
				t.Fatal(err)
			}
			if began.IsZero() {
				began = a.ActiveAt
			}
			if !a.ActiveAt.Equal(began) || a.State != "pending" {
				t.Errorf("alert is %s since %s, want pending since %s", a.State, a.ActiveAt, began)
			}
			d.kill()
			killed := time.Now()
			eventually(t, storyTimeout, "some evaluations are missed", func() error {
				if down := time.Since(killed); down < 3*time.Second {
					return fmt.Errorf("down for %s", down)
				}
				return nil
			})
			d.start(t)
		}
		eventually(t, storyTimeout, "the gaps are filled", func() error { return gapless(s) })
	})
}

// stored returns an error unless the last n seconds or so are in storage.
func stored(s *storage, n int) error {
	points, err := s.samples("now")
	if err != nil {
		return err
	}
	recent := 0
	for _, p := range points {
		if p.t > float64(time.Now().Unix()-int64(n)-4) {
			recent++
		}
	}
	if recent < n {
		return fmt.Errorf("%d recent samples", recent)
	}
	return nil
}

// gapless returns an error unless every second from the first sample to a moment
// ago has a sample, with that time as its value.
func gapless(s *storage) error {
	points, err := s.samples("now")
	if err != nil || len(points) == 0 {
		return fmt.Errorf("%d samples, %w", len(points), err)
	}
	seen := map[int64]bool{}
	first := int64(points[0].t)
	for _, p := range points {
		if p.v != p.t {
			return fmt.Errorf("the sample at %f is %f", p.t, p.v)
		}
		seen[int64(p.t)] = true
		first = min(first, int64(p.t))
	}
	for at := first; at < time.Now().Add(-5*time.Second).Unix(); at++ {
		if !seen[at] {
			return fmt.Errorf("no sample at %d, %d seconds after the first", at, at-first)
		}
	}
	return nil
}
