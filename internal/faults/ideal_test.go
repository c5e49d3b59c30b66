package main

import (
	"slices"
	"testing"
	"time"

	"tocsin/internal/faults/plan"
	"tocsin/internal/faults/verdict"
	"tocsin/internal/faults/witness"
	"tocsin/internal/faults/world"
)

// ideal is a daemon that forgets nothing, in a run that is only computed: what it
// knows of an alert after an evaluation is the truth, and what it has to tell it
// tries to until it is taken.
type ideal struct {
	*options
	world    *world.World
	evaluate verdict.Blind
	process  verdict.Blind // when it is not there
	deliver  verdict.Blind // when nothing reaches the Alertmanager
}

// startUp is how long it takes the daemon until it is ready.
const startUp = 300 * time.Millisecond

// newIdeal has the faults of a plan happen exactly on time.
func newIdeal(t *testing.T, o *options, am plan.Target) (*ideal, *verdict.PageCheck) {
	t.Helper()
	p, err := plan.New(o.plan)
	if err != nil {
		t.Fatal(err)
	}
	w := o.world
	w.Start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	d := &ideal{options: o, world: world.New(w)}
	var process, source, gone []verdict.Window
	var late []verdict.Lag
	for _, f := range p {
		at := w.Start.Add(f.At)
		win := verdict.Window{From: at, To: at.Add(f.Length)}
		switch {
		case f.Target == plan.Process:
			win.To = win.To.Add(startUp)
			process = append(process, win)
		case f.Kind == plan.Late:
			late = append(late, verdict.Lag{Window: win, By: f.Amount})
			source = append(source, win)
		case f.Target == plan.Datasource:
			source = append(source, win)
		case f.Target == am && f.Kind != plan.BadRequest:
			gone = append(gone, win)
		}
	}
	d.process = verdict.Merge(process)
	d.evaluate, d.deliver = verdict.Merge(process, source), verdict.Merge(process, gone)
	end := d.world.End().Add(time.Minute)
	return d, &verdict.PageCheck{
		Span:     verdict.Span{Delay: evalDelay, Late: late},
		Evaluate: d.evaluate, Deliver: d.deliver,
		EvaluateWithin: o.within.evaluate, DeliverWithin: o.within.deliver,
		End: end, Horizon: end.Add(time.Hour),
	}
}

// posts returns what reaches the Alertmanager about one alert, given its firings
// and how far after a multiple of the interval its group is evaluated.
func (d *ideal) posts(firings []world.Firing, phase time.Duration) []witness.Post {
	interval := firings[0].Interval
	var posts []witness.Post
	var tell tongue
	for slot := d.world.Start.Truncate(interval).Add(phase); slot.Before(d.world.End().Add(time.Minute)); slot = slot.Add(interval) {
		if !d.evaluate.Overlaps(slot, slot.Add(20*time.Millisecond)) {
			tell.learn(firings, slot, slot.Add(-evalDelay).Truncate(interval))
		}
		for tell.waiting && tell.due.Before(slot.Add(interval)) {
			if p, taken := d.attempt(&tell); taken {
				posts = append(posts, p)
			}
		}
	}
	return posts
}

// tongue is what the daemon has to tell of one alert, and when it tries next.
type tongue struct {
	state    witness.Post // to be told; At is not set
	firing   bool
	known    bool // it ever fired
	lastSent time.Time
	waiting  bool
	due      time.Time
	backoff  time.Duration
}

// learn takes what an evaluation shows.
func (t *tongue) learn(firings []world.Firing, now, at time.Time) {
	i := slices.IndexFunc(firings, func(f world.Firing) bool { return !at.Before(f.Fires) && at.Before(f.Resolves) })
	switch {
	case i >= 0:
		f := &firings[i]
		if t.firing && t.state.StartsAt.Equal(f.Fires) && at.Sub(t.lastSent) < resendDelay {
			return
		}
		t.state = witness.Post{Alert: f.Alert, Instance: f.Instance, StartsAt: f.Fires}
		t.firing, t.known = true, true
	case t.firing:
		t.firing = false
		t.state.EndsAt = at
	case !t.known || at.Sub(t.lastSent) < resendDelay:
		return
	}
	t.lastSent = at
	if !t.waiting {
		t.waiting, t.due, t.backoff = true, now.Add(100*time.Millisecond), 0
	}
}

// attempt tries to tell once, and returns the post if it reached the Alertmanager.
func (d *ideal) attempt(t *tongue) (witness.Post, bool) {
	now := t.due
	if d.process.Overlaps(now, now.Add(time.Millisecond)) {
		// What it had to tell it still knows when it is there again.
		t.due, t.backoff = d.process.Quiet(now, 10*time.Millisecond), 0
		return witness.Post{}, false
	}
	if d.deliver.Overlaps(now, now.Add(time.Millisecond)) {
		t.backoff = min(max(2*t.backoff, 500*time.Millisecond), 5*time.Second)
		t.due = now.Add(t.backoff)
		return witness.Post{}, false
	}
	t.waiting = false
	p := t.state
	p.At = now
	if t.firing {
		p.EndsAt = now.Add(4 * resendDelay)
	}
	return p, true
}

// TestDaemonThatForgetsNothingLosesNothing shows that the harness demands nothing
// that cannot be done, in the plans that it makes.
func TestDaemonThatForgetsNothingLosesNothing(t *testing.T) {
	faults, err := plan.NewSet("*/*")
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(4) {
		o := &options{
			plan:   plan.Options{Seed: seed, Duration: 6 * time.Minute, Kills: 200, Faults: faults},
			within: patience{evaluate: 2 * time.Second, deliver: 8 * time.Second},
		}
		o.world.Interval = time.Duration(1+seed%2) * time.Second
		o.fill()
		for _, am := range alertmanagers {
			d, check := newIdeal(t, o, am)
			all := d.world.Firings()
			var posts []witness.Post
			for from := 0; from < len(all); {
				to := from
				for to < len(all) && all[to].Alert == all[from].Alert && all[to].Instance == all[from].Instance {
					to++
				}
				phase := time.Duration(from*137%1000) * all[from].Interval / 1000
				posts = append(posts, d.posts(all[from:to], phase)...)
				from = to
			}
			got := check.Check(all, posts)
			if got.Lost() != 0 {
				t.Errorf("seed %d, %s: %+v\n%q", seed, am, got, got.Examples)
			}
			if got.Demanded < len(all)/8 || got.Ends < len(all)/8 {
				t.Errorf("seed %d, %s: of %d only %d firings and %d ends are demanded", seed, am, len(all), got.Demanded, got.Ends)
			}
		}
	}
}
