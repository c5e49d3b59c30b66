package alertmanager

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/config"
	"tocsin/rules"
)

func aState(name string) state {
	return state{labels: labels.FromStrings("alertname", name), endsAt: 1000}
}

// contents returns the alerts of a lane in order.
func contents(q *queue, l *lane) string {
	var names []string
	for i := l.first; i != nowhere; i = q.slots[i].next {
		names = append(names, q.slots[i].labels.Get("alertname"))
	}
	if len(names) != l.len {
		return fmt.Sprintf("%v, though it says %d", names, l.len)
	}
	return strings.Join(names, " ")
}

func wantContents(t *testing.T, q *queue, l *lane, want string) {
	t.Helper()
	if got := contents(q, l); got != want {
		t.Errorf("lane holds %q, want %q", got, want)
	}
}

func noneBuried(t *testing.T) func(staleness) {
	return func(staleness) { t.Error("a living state was removed") }
}

func TestQueueKeepsPlaceOfSupersededState(t *testing.T) {
	q := newQueue()
	l := q.lane(nil, nil, time.Time{})
	for i, name := range []string{"A", "B", "C", "A"} {
		if superseded := q.put(l, aState(name), rules.Instant(10+i)); superseded != (i == 3) {
			t.Errorf("put %d superseded: %v", i, superseded)
		}
	}
	wantContents(t, q, l, "A B C")
	if got := q.oldest(); got != 10 {
		t.Errorf("oldest is of %d, want 10: the alert has waited since then", got)
	}
}

func TestQueueSettlesOnlyWhatWasSent(t *testing.T) {
	q := newQueue()
	l := q.lane(nil, nil, time.Time{})
	for _, name := range []string{"A", "B", "C"} {
		q.put(l, aState(name), 10)
	}
	sent := q.collect(nil, l, 2, 20, noneBuried(t))
	q.put(l, aState("A"), 21)
	q.put(l, aState("D"), 22)
	q.settle(sent, 30)
	wantContents(t, q, l, "C D A")
	if got := q.len(); got != 3 {
		t.Errorf("queue holds %d, want 3", got)
	}
}

func TestStateThatMovedInFlightIsNotSettled(t *testing.T) {
	q := newQueue()
	red := q.lane([]byte("red"), nil, time.Time{})
	q.put(red, aState("A"), 10)
	q.put(red, aState("B"), 10)
	sent := q.collect(nil, red, 2, 20, noneBuried(t))
	blue := q.lane([]byte("blue"), nil, time.Time{})
	q.put(blue, aState("A"), 21)
	q.put(red, aState("C"), 22)
	q.settle(sent, 30)
	wantContents(t, q, red, "C")
	wantContents(t, q, blue, "A")
	if got := q.oldest(); got != 22 {
		t.Errorf("oldest is of %d, want 22: A waits anew since its earlier state was told", got)
	}
}

func TestQueueForgetsEmptyLanes(t *testing.T) {
	q := newQueue()
	for i := range 100 {
		l := q.lane([]byte{byte(i)}, nil, time.Time{})
		q.put(l, aState("A"), 10)
	}
	if len(q.lanes) != 1 || len(q.byHeader) != 1 || q.len() != 1 {
		t.Errorf("%d lanes, %d by header, %d states; want one of each", len(q.lanes), len(q.byHeader), q.len())
	}
	if len(q.slots) > 2 {
		t.Errorf("%d slots for one alert", len(q.slots))
	}
}

func TestCollectBuriesTheDead(t *testing.T) {
	q := newQueue()
	l := q.lane(nil, nil, time.Time{})
	late := aState("Late")
	late.endsAt = 5
	over := aState("Over")
	over.endsAt, over.resolved = 5, true
	for _, s := range []state{late, aState("A"), over, aState("B")} {
		q.put(l, s, 1)
	}
	var buried []staleness
	sent := q.collect(nil, l, 2, 5, func(why staleness) { buried = append(buried, why) })
	if len(buried) != 1 || buried[0] != deadFiring {
		t.Errorf("buried %v, want the firing state that ended", buried)
	}
	wantContents(t, q, l, "A Over B")
	if len(sent) != 2 {
		t.Errorf("collected %d, want 2", len(sent))
	}
}

func TestSweepReachesTheDeadBehindTheLiving(t *testing.T) {
	q := newQueue()
	l := q.lane(nil, nil, time.Time{})
	const day = rules.Instant(24 * time.Hour)
	living := aState("A")
	living.endsAt = 100 * day
	q.put(l, living, 1)
	for i := range 10 {
		s := aState(fmt.Sprint("R", i))
		s.resolved, s.endsAt = true, day*rules.Instant(i+1)
		q.put(l, s, 1)
	}
	buried := 0
	q.sweep(10*day, func(staleness) { buried++ })
	if wantContents(t, q, l, "A R4 R5 R6 R7 R8 R9"); buried != 4 {
		t.Errorf("buried %d, want those that ended more than five days ago", buried)
	}
	q.sweep(1000*day, func(staleness) { buried++ })
	if q.len() != 0 || len(q.lanes) != 0 || buried != 11 {
		t.Errorf("%d states and %d lanes left, %d buried", q.len(), len(q.lanes), buried)
	}
}

func TestStateIsDeadWhenTellingItChangesNothing(t *testing.T) {
	const end = rules.Instant(1000)
	for _, tt := range []struct {
		name     string
		endsAt   rules.Instant
		resolved bool
		now      rules.Instant
		want     staleness
	}{
		{"firing", end, false, end - 1, alive},
		{"firing until now", end, false, end, deadFiring},
		{"firing without an end", 0, false, end, alive},
		{"resolved just now", end, true, end, alive},
		{"resolved long ago", end, true, end.Add(resolvedRetention), alive},
		{"resolved too long ago", end, true, end.Add(resolvedRetention + 1), deadResolved},
	} {
		s := state{endsAt: tt.endsAt, resolved: tt.resolved}
		if got := s.dead(tt.now, resolvedRetention); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestEmptyQueueGivesBackMemoryOfStorm(t *testing.T) {
	fill := func(n int) *queue {
		q := newQueue()
		l := q.lane(nil, nil, time.Time{})
		for i := range n {
			q.put(l, aState(fmt.Sprint("A", i)), 1)
		}
		q.settle(q.collect(nil, l, n, 2, noneBuried(t)), 3)
		return q
	}
	if q := fill(keepSlots); len(q.slots) != keepSlots || q.len() != 0 {
		t.Errorf("%d slots kept after a usual round, want %d", len(q.slots), keepSlots)
	}
	if q := fill(keepSlots + 1); q.slots != nil || q.unused != nowhere || q.len() != 0 {
		t.Errorf("%d slots kept after a storm, want none", len(q.slots))
	}
}

func TestUnusedSlotHoldsNoStrings(t *testing.T) {
	q := newQueue()
	l := q.lane(nil, nil, time.Time{})
	q.put(l, aState("A"), 1)
	q.settle(q.collect(nil, l, 1, 2, noneBuried(t)), 3)
	if got := q.slots[0]; got != (slot{next: nowhere}) {
		t.Errorf("slot still holds %+v", got)
	}
}

func TestPauseDoublesWithJitterUpToItsBound(t *testing.T) {
	now := time.Now()
	var l lane
	for i, want := range []time.Duration{
		500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 5 * time.Second, 5 * time.Second,
	} {
		low, high := l, l
		low.postpone(now, 0, 0)
		high.postpone(now, 0, 1)
		if a, b := low.due.Sub(now), high.due.Sub(now); a != want/2 || b != want {
			t.Errorf("pause %d is between %s and %s, want %s and %s", i, a, b, want/2, want)
		}
		l = high
	}
	if l.postpone(now, time.Minute, 0); l.due.Sub(now) != time.Minute {
		t.Errorf("pause is %s, though the peer asked for a minute", l.due.Sub(now))
	}
	if l.succeeded(now); l.failing || l.due != now {
		t.Error("success does not end the pause")
	}
	if l.postpone(now, 0, 1); l.due.Sub(now) != retryMin {
		t.Errorf("after a success the first pause is %s, want %s", l.due.Sub(now), retryMin)
	}
}

func TestHeaderKeyTellsHeadersApart(t *testing.T) {
	seen := map[string][]config.Pair{}
	for _, headers := range [][]config.Pair{
		nil,
		{{Name: "a", Value: ""}},
		{{Name: "", Value: "a"}},
		{{Name: "a", Value: "b"}},
		{{Name: "ab", Value: ""}},
		{{Name: "a", Value: "b"}, {Name: "c", Value: "d"}},
		{{Name: "c", Value: "d"}, {Name: "a", Value: "b"}},
	} {
		key := string(appendHeaderKey(nil, headers))
		if other, ok := seen[key]; ok {
			t.Errorf("%v and %v have the same key", headers, other)
		}
		seen[key] = headers
	}
}
