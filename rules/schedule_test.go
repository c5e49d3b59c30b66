package rules

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"tocsin/config"
)

func clockAt(text string) Instant {
	t, err := time.Parse("15:04:05.999", text)
	if err != nil {
		panic(err)
	}
	return InstantOf(time.Date(2026, 1, 1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC))
}

func TestNextSlot(t *testing.T) {
	every := schedule{interval: 10 * time.Second}
	offset := schedule{interval: time.Minute, offset: config.Duration{Duration: 15 * time.Second, Set: true}}
	for _, c := range []struct {
		name      string
		s         schedule
		prev, now string
		want      string
		missed    int
	}{
		{"waits for the coming slot", every, "12:00:00", "12:00:03", "12:00:10", 0},
		{"a slot that has begun is evaluated late", every, "12:00:00", "12:00:12", "12:00:10", 0},
		{"exactly on time", every, "12:00:00", "12:00:10", "12:00:10", 0},
		{"a round of three intervals loses two slots", every, "12:00:00", "12:00:31", "12:00:30", 2},
		{"clock set back by a minute", every, "12:01:00", "12:00:03", "12:00:10", 0},
		{"clock set back onto a slot", every, "12:01:00", "12:00:30", "12:00:40", 0},
		{"offset slot", offset, "12:00:15", "12:00:20", "12:01:15", 0},
		{"offset was edited", offset, "12:00:40", "12:00:50", "12:01:15", 0},
		{"offset missed", offset, "12:00:15", "12:03:20", "12:03:15", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			at, missed := c.s.next(clockAt(c.prev), clockAt(c.now))
			if at != clockAt(c.want) || missed != c.missed {
				t.Errorf("got %s, %d missed; want %s, %d", at.Time(), missed, c.want, c.missed)
			}
		})
	}
}

// Whatever happens, a slot lies on the grid, is not older than one interval, and
// lost slots and evaluated ones add up.
func TestNextSlotAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := schedule{interval: time.Duration(rapid.Int64Range(1, 600).Draw(t, "seconds")) * time.Second}
		start := clockAt("12:00:00")
		prev, now := start, start
		slots := 0
		for range rapid.IntRange(1, 20).Draw(t, "rounds") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(5*s.interval)).Draw(t, "took")))
			at, missed := s.next(prev, now)
			if at <= prev || at.Sub(start)%s.interval != 0 {
				t.Fatalf("slot %s after %s is off the grid", at.Time(), prev.Time())
			}
			if now.Sub(at) >= s.interval || at.Sub(now) > s.interval {
				t.Fatalf("slot %s at %s is too old or too far", at.Time(), now.Time())
			}
			slots += missed + 1
			prev = at
			now = max(now, at)
		}
		if want := int(prev.Sub(start) / s.interval); slots != want {
			t.Fatalf("%d slots accounted for, %d passed", slots, want)
		}
	})
}

func TestFirstRoundIsAFixedFractionIntoTheSpread(t *testing.T) {
	g := &config.Group{Key: config.Key{File: "f", Name: "g"}, Type: config.Prometheus, Interval: time.Minute}
	s := newSchedule(g, 5*time.Minute)
	first := s.first(clockAt("12:00:00"))
	for _, now := range []string{"12:00:00", "12:07:13", "18:59:59.5"} {
		at := s.first(clockAt(now))
		if at < clockAt(now) || at.Sub(clockAt(now)) >= time.Minute {
			t.Errorf("at %s: first round at %s, want it within the coming minute", now, at.Time())
		}
		if at.Sub(first)%time.Minute != 0 {
			t.Errorf("at %s: first round at %s, which is another phase than %s", now, at.Time(), first.Time())
		}
	}
	if got, limit := s.first(clockAt("12:00:00")).Sub(clockAt("12:00:00")), time.Minute; got >= limit {
		t.Errorf("delay %s exceeds the interval", got)
	}
}

func TestFirstRoundWithoutStartDelayIsNow(t *testing.T) {
	g := &config.Group{Key: config.Key{File: "f", Name: "g"}, Interval: time.Minute}
	s := newSchedule(g, 0)
	if now := clockAt("12:00:07"); s.first(now) != now {
		t.Errorf("first round at %s, want now", s.first(now).Time())
	}
}

func TestFirstRoundWithOffsetIsOnTheOffset(t *testing.T) {
	g := &config.Group{Interval: 5 * time.Minute, EvalOffset: config.Duration{Duration: time.Minute, Set: true}}
	s := newSchedule(g, 10*time.Second)
	if got, want := s.first(clockAt("12:01:01")), clockAt("12:06:00"); got != want {
		t.Errorf("first round at %s, want %s", got.Time(), want.Time())
	}
	if got, want := s.first(clockAt("12:01:00")), clockAt("12:01:00"); got != want {
		t.Errorf("first round at %s, want %s", got.Time(), want.Time())
	}
}

func TestQueryTime(t *testing.T) {
	at := clockAt("12:00:37.25")
	for _, c := range []struct {
		name string
		s    schedule
		want string
	}{
		{"aligned", schedule{interval: 30 * time.Second, aligned: true}, "12:00:30"},
		{"delay before alignment", schedule{interval: 30 * time.Second, aligned: true, delay: 10 * time.Second}, "12:00:00"},
		{"not aligned: whole seconds", schedule{interval: 30 * time.Second, delay: 2 * time.Second}, "12:00:35"},
		{"not aligned, interval below a second", schedule{interval: 250 * time.Millisecond}, "12:00:37.25"},
		{"offset ignores delay", schedule{interval: time.Minute, aligned: true, delay: time.Hour, offset: config.Duration{Set: true}}, "12:00:37.25"},
	} {
		if got := c.s.queryTime(at); InstantOf(got) != clockAt(c.want) {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}
