package verdict

import (
	"fmt"
	"time"

	"tocsin/internal/faults/plan"
	"tocsin/internal/faults/witness"
	"tocsin/internal/faults/world"
)

// Loss is one way in which telling an Alertmanager of an alert can go wrong.
type Loss uint8

// The ways.
const (
	Missing      Loss = iota // never told of a firing
	Late                     // told later than could have been
	Unresolved               // never told of an end
	LateResolved             // told of an end later than could have been
	Early                    // told of an end while the data fires
	Again                    // told of the same firing once more, after an end
	Clock                    // began to fire later than it should: the clock was lost
	Moved                    // startsAt changed while it fired
	Unfounded                // told of an alert that was not to fire
	lossKinds
)

func (l Loss) String() string {
	return [lossKinds]string{
		"never told of a firing", "told late", "never told of an end", "told late of an end",
		"told of an end that was none", "told again after an end", "began late: clock lost",
		"startsAt moved", "unfounded",
	}[l]
}

// Losses is how often each went wrong.
type Losses [lossKinds]int

// Pages says what one Alertmanager learned of what it had to learn.
type Pages struct {
	Demanded int // firings it had to be told of, since there was quiet enough to do so
	Ends     int // ends of firings, likewise
	Unjudged int // firings for which it cannot be said
	Losses   Losses

	Slowest  time.Duration // longest time until it was told, of those with no fault meanwhile
	Examples []string
}

// Lost returns how many things went wrong.
func (p *Pages) Lost() int {
	sum := 0
	for _, n := range p.Losses {
		sum += n
	}
	return sum
}

// PageCheck says in what circumstances an Alertmanager was told.
type PageCheck struct {
	Span
	Evaluate Blind // when nothing can be evaluated
	Deliver  Blind // when this Alertmanager cannot be told of what was evaluated
	// EvaluateWithin is how much quiet an evaluation takes, two intervals aside, and
	// DeliverWithin how much a delivery takes.
	EvaluateWithin time.Duration
	DeliverWithin  time.Duration
	End            time.Time // until when was noted what came
	// Horizon is until when things may be due to be judged. After End, it is taken
	// that nothing more would have come.
	Horizon time.Time
}

// Check compares the posts that reached an Alertmanager with what firings demand.
func (c *PageCheck) Check(firings []world.Firing, posts []witness.Post) Pages {
	var p Pages
	byAlert := map[alertKey][]witness.Post{}
	for _, post := range posts {
		k := alertKey{post.Alert, post.Instance}
		byAlert[k] = append(byAlert[k], post)
	}
	for len(firings) > 0 {
		k, n := alertKey{firings[0].Alert, firings[0].Instance}, 1
		for n < len(firings) && (alertKey{firings[n].Alert, firings[n].Instance}) == k {
			n++
		}
		a := alertCheck{PageCheck: c, pages: &p, key: k, firings: firings[:n]}
		a.judge(byAlert[k])
		delete(byAlert, k)
		firings = firings[n:]
	}
	for k, posts := range byAlert {
		// Alerts the data never demands; the sum does not depend on the order.
		p.Losses[Unfounded] += len(episodes(posts, c.End, sameMoment))
		if len(p.Examples) < maxExamples {
			p.Examples = append(p.Examples, fmt.Sprintf("%s: nobody is to know of it", k))
		}
	}
	return p
}

func sameMoment(a, b time.Time) bool { return a.Equal(b) }

type alertKey struct {
	alert    string
	instance int
}

func (k alertKey) String() string { return fmt.Sprintf("%s/%d", k.alert, k.instance) }

// evaluated returns by when the state of f at an evaluation time had to be known.
// Data that came late when the alert became what it is at turn puts it off.
func (c *PageCheck) evaluated(f *world.Firing, at, turn time.Time) time.Time {
	due := at.Add(c.Delay + c.lag(turn, f.Interval))
	return c.Evaluate.Quiet(due, 2*f.Interval+c.EvaluateWithin)
}

// told returns by when the Alertmanager had to know the state of f at an
// evaluation time.
func (c *PageCheck) told(f *world.Firing, at, turn time.Time) time.Time {
	return c.Deliver.Quiet(c.evaluated(f, at, turn), c.DeliverWithin)
}

// slack is how far from the evaluation time of a transition startsAt may lie:
// daemons differ in whether it is by the data or by the clock.
func (c *PageCheck) slack(f *world.Firing) time.Duration {
	return c.Delay + 2*f.Interval + plan.MaxLag
}
