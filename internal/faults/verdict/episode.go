package verdict

import (
	"time"

	"tocsin/internal/faults/witness"
)

// episode is a time in which an Alertmanager took an alert to fire.
type episode struct {
	startsAt time.Time // as it was first told
	starts   time.Time // as it was last told
	from, to time.Time // by the clock
	open     bool      // it has not ended
	replaced bool      // it gave way to one that starts at another time, without an end between
	moved    int       // how often startsAt changed
}

// episodes returns how an Alertmanager understands posts about one alert, given in
// order, until end. sameDemand tells whether two values of startsAt are about the
// same firing.
func episodes(posts []witness.Post, end time.Time, sameDemand func(a, b time.Time) bool) []episode {
	var all []episode
	var cur *episode
	var expires time.Time // of cur; zero is never
	finish := func(at time.Time) {
		cur.to, cur.open = at, false
		all = append(all, *cur)
		cur = nil
	}
	for _, p := range posts {
		if cur != nil && !expires.IsZero() && expires.Before(p.At) {
			finish(expires)
		}
		if !p.Fires() {
			if cur != nil {
				finish(p.At)
			}
			continue
		}
		if cur != nil && !sameDemand(cur.starts, p.StartsAt) {
			cur.replaced = true
			finish(p.At)
		}
		if cur == nil {
			cur = &episode{startsAt: p.StartsAt, starts: p.StartsAt, from: p.At, to: end, open: true}
		} else if !cur.starts.Equal(p.StartsAt) {
			cur.moved++
			cur.starts = p.StartsAt
		}
		expires = p.EndsAt
	}
	if cur != nil && !expires.IsZero() && expires.Before(end) {
		finish(expires)
	}
	if cur != nil {
		all = append(all, *cur)
	}
	return all
}
