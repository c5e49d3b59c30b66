package rules

import (
	"testing"
	"time"
)

func TestClockNoticesWhenItWasSet(t *testing.T) {
	c := clock{wall: clockAt("12:00:00")}
	for _, step := range []struct {
		wall string
		mono time.Duration
		jump time.Duration
	}{
		{"12:00:10", 10 * time.Second, 0},
		{"12:05:20", 20 * time.Second, 5 * time.Minute}, // set forward, or resumed
		{"12:05:30", 30 * time.Second, 0},
		{"12:00:40", 40 * time.Second, -5 * time.Minute},
		{"12:00:50", 50 * time.Second, 0},
	} {
		now, jump := c.advance(clockAt(step.wall), step.mono)
		if now != clockAt(step.wall) || jump != step.jump {
			t.Errorf("at %s: got %s, jump %s; want jump %s", step.wall, now.Time(), jump, step.jump)
		}
	}
}
