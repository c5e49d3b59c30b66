package world

import (
	"math/rand/v2"
	"time"
)

// period is when an alert is on, from inclusively.
type period struct{ from, to time.Time }

// wave is when an instance of an alert is on, in order.
type wave []period

// newWave returns a wave that is off at the start and at the end.
func newWave(r *rand.Rand, o *Options) wave {
	var w wave
	end := o.Start.Add(o.Duration + o.Steady)
	at := o.Start.Add(2*o.Interval + random(r, 0, min(2*o.Steady, o.Duration)))
	for at.Before(o.Start.Add(o.Duration)) {
		length := o.For + random(r, o.Steady, 2*o.Steady)
		if short := o.For - o.Lag - 4*o.Interval; short > 0 && r.IntN(4) == 0 {
			length = random(r, short/2, short)
		}
		to := at.Add(length)
		if to.After(end) {
			to = end
		}
		w = append(w, period{at, to})
		at = to.Add(random(r, o.Steady, 2*o.Steady))
	}
	return w
}

func (w wave) on(at time.Time) bool {
	for _, p := range w {
		if !at.Before(p.from) && at.Before(p.to) {
			return true
		}
	}
	return false
}

// random returns a duration of whole milliseconds in [from, to].
func random(r *rand.Rand, from, to time.Duration) time.Duration {
	return from + time.Duration(r.Int64N(int64((to-from)/time.Millisecond)+1))*time.Millisecond
}

// Firing is a time in which the rule of an alert demands that an instance fires,
// or is at least pending. The moments are evaluation times.
type Firing struct {
	Alert    string
	Instance int
	Interval time.Duration // of the rule
	Active   time.Time     // first seen
	Fires    time.Time     // not before Resolves if it never fires
	Resolves time.Time     // first not seen
}

// Never reports that the instance is not to fire.
func (f *Firing) Never() bool { return !f.Fires.Before(f.Resolves) }

// Firings returns what the alerting rules demand, by group, rule, instance and time.
func (w *World) Firings() []Firing {
	var all []Firing
	for _, g := range w.Groups {
		for _, alert := range g.Alerts {
			for i, wave := range w.alerts[alert] {
				for _, p := range wave {
					active := ceil(p.from, g.Interval)
					f := Firing{
						Alert: alert, Instance: i, Interval: g.Interval, Active: active,
						Fires: ceil(active.Add(w.For), g.Interval), Resolves: ceil(p.to, g.Interval),
					}
					if f.Active.Before(f.Resolves) {
						all = append(all, f)
					}
				}
			}
		}
	}
	return all
}

// ceil returns the first multiple of interval, from the zero time as evaluation
// times are, that is not before t.
func ceil(t time.Time, interval time.Duration) time.Time {
	c := t.Truncate(interval)
	if c.Before(t) {
		c = c.Add(interval)
	}
	return c
}

// Times returns the evaluation times of a group in [from, to].
func (g *Group) Times(from, to time.Time) []time.Time {
	var times []time.Time
	for t := ceil(from, g.Interval); !t.After(to); t = t.Add(g.Interval) {
		times = append(times, t)
	}
	return times
}
