package journal

import (
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/config"
	"tocsin/rules"
)

// holdFor is how long the end of an alert that a former process stored waits for
// news of its group. What came after it may be on no disk: the alert may fire again.
const holdFor = time.Minute

// held is ends of alerts that a former process stored and that are not told yet.
type held map[labels.Labels]rules.Notification

// release returns the ends that are told before r is: those of alerts in the groups
// whose memory is in r, unless r itself says what has become of them.
func (h held) release(r *rules.Record) []rules.Notification {
	if len(h) == 0 {
		return nil
	}
	for i := range r.Told {
		for k := range r.Told[i].Alerts {
			delete(h, r.Told[i].Alerts[k].Labels)
		}
	}
	return h.take(func(group config.Key) bool {
		return slices.ContainsFunc(r.States, func(s rules.GroupState) bool { return s.Group == group })
	})
}

// take removes and returns the ends in the groups that are meant, in order of their
// labels.
func (h held) take(meant func(group config.Key) bool) []rules.Notification {
	var ends []rules.Notification
	for l, n := range h {
		if meant(n.Group) {
			ends = append(ends, n)
			delete(h, l)
		}
	}
	slices.SortFunc(ends, func(a, b rules.Notification) int {
		return labels.Compare(a.Alerts[0].Labels, b.Alerts[0].Labels)
	})
	return ends
}
