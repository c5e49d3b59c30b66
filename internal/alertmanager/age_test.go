package alertmanager

import (
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/rules"
)

func TestEndsOfAlertsAreKeptForTheirMaxAge(t *testing.T) {
	for _, c := range []struct {
		name      string
		maxAge    time.Duration
		sinceEnd  time.Duration
		delivered int
	}{
		{"young", time.Hour, 59 * time.Minute, 1},
		{"old", time.Hour, 61 * time.Minute, 0},
		{"young by default", 0, 119 * time.Hour, 1},
		{"old by default", 0, 121 * time.Hour, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSet(t, Options{MaxAge: c.maxAge}, Endpoint{URL: "http://am"})
			now := time.Now()
			end := now.Add(-c.sinceEnd)
			mail := s.list()[0].mail
			mail.put(nil, []rules.Alert{{
				Labels: labels.FromStrings("alertname", "A"), Resolved: true, StartsAt: end.Add(-time.Minute), EndsAt: end,
			}}, now)
			b, _, _ := mail.take(nil, 10, now.Add(gatherFor))
			if len(b.sent) != c.delivered {
				t.Errorf("%d alerts to be sent, want %d", len(b.sent), c.delivered)
			}
		})
	}
}
