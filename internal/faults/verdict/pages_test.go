package verdict

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tocsin/internal/faults/witness"
	"tocsin/internal/faults/world"
)

// The story: A/0 is active from 10 on, is to fire from 25 to 70, and again from
// 135 to 170. Quiet it takes 4s to be evaluated and 5s more to be told.
var story = []world.Firing{
	{Alert: "A", Interval: time.Second, Active: at(10), Fires: at(25), Resolves: at(70)},
	{Alert: "A", Interval: time.Second, Active: at(120), Fires: at(135), Resolves: at(170)},
}

func circumstances() *PageCheck {
	return &PageCheck{
		Span:           Span{Delay: time.Second},
		EvaluateWithin: 2 * time.Second, DeliverWithin: 5 * time.Second,
		End: at(300), Horizon: at(400),
	}
}

// fires and ends are posts of A/0 that come at a time.
func fires(came, startsAt float64) witness.Post {
	return witness.Post{Alert: "A", At: at(came), StartsAt: at(startsAt), EndsAt: at(came + 120)}
}

func ends(came, startsAt, endsAt float64) witness.Post {
	return witness.Post{Alert: "A", At: at(came), StartsAt: at(startsAt), EndsAt: at(endsAt)}
}

var (
	first  = []witness.Post{fires(26, 25), fires(56, 25), ends(71, 25, 70), ends(101, 25, 70)}
	second = []witness.Post{fires(137, 135), ends(172, 135, 170), ends(202, 135, 170)}
)

func join(lists ...[]witness.Post) []witness.Post {
	var all []witness.Post
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

func TestStoryToldWellLosesNothing(t *testing.T) {
	got := circumstances().Check(story, join(first, second))
	want := Pages{Demanded: 2, Ends: 2, Slowest: time.Second}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhatIsToldWrongIsFound(t *testing.T) {
	for _, c := range []struct {
		name  string
		posts []witness.Post
		want  Losses
	}{
		{"nothing at all", nil, Losses{Missing: 2}},
		{"the first not", second, Losses{Missing: 1}},
		{"the first late", join([]witness.Post{fires(40, 25), ends(71, 25, 70)}, second), Losses{Late: 1}},
		{"no end", join([]witness.Post{fires(26, 25), fires(130, 25)}, second), Losses{Unresolved: 1}},
		{"no last end", join(first, []witness.Post{fires(137, 135), fires(290, 135)}), Losses{Unresolved: 1}},
		{"an end that comes late", join([]witness.Post{fires(26, 25), ends(90, 25, 70)}, second), Losses{LateResolved: 1}},
		{"an end too early", join([]witness.Post{fires(26, 25), ends(50, 25, 49)}, second), Losses{Early: 1}},
		{
			"an end too early and then again",
			join([]witness.Post{fires(26, 25), ends(50, 25, 49), fires(52, 25), ends(71, 25, 70)}, second),
			Losses{Early: 1, Again: 1},
		},
		{
			"a restart that begins again",
			join([]witness.Post{fires(26, 25), ends(50, 25, 49), fires(66, 65), ends(71, 65, 70)}, second),
			Losses{Early: 1, Again: 1},
		},
		{"a clock that was lost", join([]witness.Post{fires(33, 32), ends(71, 32, 70)}, second), Losses{Clock: 1}},
		{
			"another start without an end",
			join([]witness.Post{fires(26, 25), fires(50, 49), ends(71, 49, 70)}, second),
			Losses{Moved: 1},
		},
		{"firing before its time", join([]witness.Post{fires(16, 15), ends(18, 15, 17)}, first, second), Losses{Unfounded: 1}},
		{
			"an alert nobody knows",
			join(first, second, []witness.Post{{Alert: "B", At: at(1), StartsAt: at(1), EndsAt: at(200)}}),
			Losses{Unfounded: 1},
		},
		{
			"not told again in time, so that it expires",
			join([]witness.Post{{Alert: "A", At: at(26), StartsAt: at(25), EndsAt: at(50)}, ends(71, 25, 70)}, second),
			Losses{Early: 1},
		},
		{
			"the second as part of the first",
			[]witness.Post{fires(26, 25), fires(100, 25), fires(137, 25), ends(171, 25, 170)},
			Losses{LateResolved: 1},
		},
	} {
		got := circumstances().Check(story, c.posts)
		if diff := cmp.Diff(c.want, got.Losses); diff != "" {
			t.Errorf("%s (-want +got):\n%s\n%q", c.name, diff, got.Examples)
		}
		if got.Lost() > 0 != (len(got.Examples) > 0) {
			t.Errorf("%s: lost %d with %d examples", c.name, got.Lost(), len(got.Examples))
		}
	}
}

func TestPageWithoutEndFiresUntilSaidOtherwise(t *testing.T) {
	page := func(came, startsAt float64) witness.Post {
		return witness.Post{Alert: "A", At: at(came), StartsAt: at(startsAt)}
	}
	posts := []witness.Post{page(27, 25), ends(72, 25, 70), page(138, 135), ends(173, 135, 170)}
	if got := circumstances().Check(story, posts); got.Lost() != 0 || got.Demanded != 2 {
		t.Errorf("%+v", got)
	}
}

// TestNobodyIsToldWhileThereIsNobody has the Alertmanager away from before the
// first firing until after its end.
func TestNobodyIsToldWhileThereIsNobody(t *testing.T) {
	c := circumstances()
	c.Deliver = Blind{window(20, 80)}
	if got := c.Check(story, second); got.Lost() != 0 || got.Demanded != 1 || got.Unjudged != 1 {
		t.Errorf("told of the second alone: %+v", got)
	}
	c.Deliver = Blind{window(20, 50)}
	late := join([]witness.Post{fires(53, 25), ends(71, 25, 70)}, second)
	if got := c.Check(story, late); got.Lost() != 0 || got.Demanded != 2 {
		t.Errorf("told as soon as it is back: %+v", got)
	}
	if got := c.Check(story, second); got.Losses[Missing] != 1 {
		t.Errorf("not told although it is back: %+v", got)
	}
}

// TestOutageOfEvaluationExcusesTheClock has the daemon down when the alert was to
// fire, and, without excuse, while it was pending.
func TestOutageOfEvaluationExcusesTheClock(t *testing.T) {
	shifted := join([]witness.Post{fires(41, 40), ends(71, 40, 70)}, second)
	c := circumstances()
	c.Evaluate = Blind{window(20, 40)}
	if got := c.Check(story, shifted); got.Lost() != 0 {
		t.Errorf("down when it was to fire: %+v", got)
	}
	c.Evaluate = Blind{window(12, 25)}
	if got := c.Check(story, shifted); got.Losses[Clock] != 1 {
		t.Errorf("down while it was pending: %+v", got)
	}
}

// TestLateDataPutsTheClockOff has data come 5s late when the alert becomes active.
func TestLateDataPutsTheClockOff(t *testing.T) {
	posts := join([]witness.Post{fires(31, 30), ends(71, 30, 70)}, second)
	if got := circumstances().Check(story, posts); got.Losses[Clock] != 1 {
		t.Errorf("without reason: %+v", got)
	}
	c := circumstances()
	c.Late = []Lag{{window(8, 12), 5 * time.Second}}
	if got := c.Check(story, posts); got.Lost() != 0 {
		t.Errorf("with late data: %q", got.Examples)
	}
}

// TestFiringsNobodyCanTellApartAreNotJudged has nothing evaluated between two.
func TestFiringsNobodyCanTellApartAreNotJudged(t *testing.T) {
	c := circumstances()
	c.Evaluate = Blind{window(69, 122)}
	got := c.Check(story, []witness.Post{fires(26, 25), fires(130, 25), ends(171, 25, 170)})
	if got.Lost() != 0 || got.Unjudged != 2 {
		t.Errorf("%+v", got)
	}
}

func TestAlertTooShortToFireMustNot(t *testing.T) {
	short := []world.Firing{{Alert: "A", Interval: time.Second, Active: at(10), Fires: at(25), Resolves: at(15)}}
	if got := circumstances().Check(short, nil); got.Lost() != 0 || got.Demanded != 0 {
		t.Errorf("not told: %+v", got)
	}
	if got := circumstances().Check(short, []witness.Post{fires(12, 11), ends(16, 11, 15)}); got.Losses[Unfounded] != 1 {
		t.Errorf("told: %+v", got)
	}
}

// TestWhoDoesWhatCanBeDoneLosesNothing has faults at random and a daemon that
// tells everything at the last moment at which it must.
func TestWhoDoesWhatCanBeDoneLosesNothing(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		c := circumstances()
		c.Evaluate, c.Deliver = randomBlind(r, "evaluate"), randomBlind(r, "deliver")
		var posts []witness.Post
		for i := range story {
			f := &story[i]
			begin, end := c.told(f, f.Fires, f.Active), c.told(f, f.Resolves, f.Resolves)
			if i+1 < len(story) && end.After(story[i+1].Fires) {
				end = story[i+1].Fires
			}
			if !begin.Before(f.Resolves.Add(c.Delay)) {
				continue // by then it is seen not to fire any more
			}
			posts = append(posts,
				witness.Post{Alert: "A", At: begin, StartsAt: f.Fires, EndsAt: begin.Add(time.Hour)},
				witness.Post{Alert: "A", At: end, StartsAt: f.Fires, EndsAt: f.Resolves})
		}
		if got := c.Check(story, posts); got.Lost() != 0 {
			r.Fatalf("%q", got.Examples)
		}
	})
}

func randomBlind(r *rapid.T, what string) Blind {
	var list []Window
	for range rapid.IntRange(0, 6).Draw(r, what) {
		from := rapid.Float64Range(0, 250).Draw(r, "from")
		list = append(list, window(from, from+rapid.Float64Range(0.1, 40).Draw(r, "length")))
	}
	return Merge(list)
}
