package verdict

import (
	"fmt"
	"time"

	"tocsin/internal/faults/witness"
	"tocsin/internal/faults/world"
)

// alertCheck judges what one Alertmanager was told of one alert.
type alertCheck struct {
	*PageCheck
	pages   *Pages
	key     alertKey
	firings []world.Firing // of the alert, in order

	blurred  []bool      // which of firings nobody may have told from its neighbour
	episodes [][]episode // by firing
	all      []episode
}

func (a *alertCheck) judge(posts []witness.Post) {
	a.blur()
	a.all = episodes(posts, a.End, func(x, y time.Time) bool { return a.firing(x) == a.firing(y) })
	a.episodes = make([][]episode, len(a.firings))
	for _, e := range a.all {
		i := a.firing(e.startsAt)
		if i < 0 {
			a.pages.Losses[Unfounded]++
			a.note("fires since %s, for which the data gives no reason", clock(e.startsAt))
			continue
		}
		a.episodes[i] = append(a.episodes[i], e)
	}
	for i := range a.firings {
		f := &a.firings[i]
		switch {
		case a.blurred[i]:
			a.pages.Unjudged++
		case f.Never():
		default:
			a.beginning(i)
			a.course(i)
			a.end(i)
		}
	}
}

// blur finds the firings between which nothing could be evaluated: to the daemon
// they may be one.
func (a *alertCheck) blur() {
	a.blurred = make([]bool, len(a.firings))
	for i := 1; i < len(a.firings); i++ {
		prev, next := &a.firings[i-1], &a.firings[i]
		if a.evaluated(prev, prev.Resolves, prev.Resolves).After(next.Active.Add(a.Delay)) {
			a.blurred[i-1], a.blurred[i] = true, true
		}
	}
}

// firing returns the index of the firing that startsAt belongs to, or -1.
func (a *alertCheck) firing(startsAt time.Time) int {
	for i := range a.firings {
		f := &a.firings[i]
		from := f.Fires
		if a.blurred[i] {
			from = f.Active
		} else if f.Never() {
			continue
		}
		if !startsAt.Before(from.Add(-f.Interval)) && startsAt.Before(f.Resolves.Add(a.slack(f))) {
			return i
		}
	}
	return -1
}

// beginning judges whether the Alertmanager was told in time that firing i began.
func (a *alertCheck) beginning(i int) {
	f, own := &a.firings[i], a.episodes[i]
	by := a.told(f, f.Fires, f.Active)
	if !by.Before(f.Resolves.Add(a.Delay)) || by.After(a.Horizon) {
		a.pages.Unjudged++
	} else {
		a.pages.Demanded++
		switch {
		case a.covered(f, by):
		case len(own) == 0:
			a.pages.Losses[Missing]++
			a.note("was to fire at %s and be told by %s: it was not", clock(f.Fires), clock(by))
		case own[0].from.After(by):
			a.pages.Losses[Late]++
			a.note("was to fire at %s and be told by %s: it was at %s", clock(f.Fires), clock(by), clock(own[0].from))
		}
	}
	if len(own) == 0 {
		return
	}
	if due := f.Fires.Add(a.Delay); !a.Evaluate.Overlaps(f.Active, own[0].from) && !a.Deliver.Overlaps(due, own[0].from) {
		a.pages.Slowest = max(a.pages.Slowest, own[0].from.Sub(due))
	}
	if latest := a.evaluated(f, f.Fires, f.Active); own[0].startsAt.Add(a.Delay).After(latest) {
		a.pages.Losses[Clock]++
		a.note("was to fire at %s, and does since %s", clock(f.Fires), clock(own[0].startsAt))
	}
}

// covered reports whether the Alertmanager took the alert to fire at some moment
// from which f fires and until by, be it that it knew no end of the firing before.
func (a *alertCheck) covered(f *world.Firing, by time.Time) bool {
	for _, e := range a.all {
		if !e.from.After(by) && e.to.After(f.Fires) {
			return true
		}
	}
	return false
}

// course judges what the Alertmanager was told while firing i went on.
func (a *alertCheck) course(i int) {
	f, own := &a.firings[i], a.episodes[i]
	for k, e := range own {
		a.pages.Losses[Moved] += e.moved
		if e.moved > 0 {
			a.note("fires since %s and then since another time, without an end between", clock(f.Fires))
		}
		if k > 0 && e.from.Before(f.Resolves.Add(a.Delay)) {
			a.pages.Losses[Again]++
			a.note("fires at %s although it was known to at %s", clock(e.from), clock(own[k-1].from))
		}
		if !e.open && !e.replaced && e.to.Before(f.Resolves) {
			a.pages.Losses[Early]++
			a.note("ends at %s, while the data fires until %s", clock(e.to), clock(f.Resolves))
		}
	}
}

// end judges whether the Alertmanager was told in time that firing i is over, if
// it knew of it.
func (a *alertCheck) end(i int) {
	f := &a.firings[i]
	until := a.Horizon
	if i+1 < len(a.firings) {
		until = a.firings[i+1].Fires.Add(a.Delay)
	}
	last := a.lastWithin(f.Fires, until)
	by := a.told(f, f.Resolves, f.Resolves)
	if last == nil || by.After(until) {
		return // it knew nothing, or may well learn of the next firing only
	}
	a.pages.Ends++
	switch {
	case last.open || last.replaced:
		a.pages.Losses[Unresolved]++
		a.note("was to end at %s and be told by %s: it was not", clock(f.Resolves), clock(by))
	case last.to.After(by):
		a.pages.Losses[LateResolved]++
		a.note("was to end at %s and be told by %s: it was at %s", clock(f.Resolves), clock(by), clock(last.to))
	}
}

// lastWithin returns the last episode that began before until and went on after
// from; nil if there is none.
func (a *alertCheck) lastWithin(from, until time.Time) *episode {
	for i := len(a.all) - 1; i >= 0; i-- {
		if e := &a.all[i]; e.from.Before(until) && e.to.After(from) {
			return e
		}
	}
	return nil
}

func (a *alertCheck) note(format string, args ...any) {
	if len(a.pages.Examples) < maxExamples {
		a.pages.Examples = append(a.pages.Examples, a.key.String()+" "+fmt.Sprintf(format, args...))
	}
}
