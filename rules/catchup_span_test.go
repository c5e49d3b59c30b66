package rules

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/prometheus/prometheus/model/labels"
	"pgregory.net/rapid"

	"tocsin/config"
)

// times returns the times of s.
func times(s span) (all []Instant) {
	for t := s.from; s.interval > 0 && t <= s.to; t = t.Add(s.interval) {
		all = append(all, t)
	}
	return all
}

func TestSpanIsCutIntoItsTimes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		interval := time.Duration(rapid.IntRange(1, 7).Draw(t, "interval"))
		s := span{from: Instant(rapid.IntRange(1, 20).Draw(t, "from")), interval: interval}
		s.to = s.from.Add(time.Duration(rapid.IntRange(-1, 9).Draw(t, "steps")) * interval)
		all := times(s)
		if s.steps() != len(all) {
			t.Fatalf("%d steps, want %d", s.steps(), len(all))
		}
		oldest, young := Instant(rapid.IntRange(-5, 90).Draw(t, "oldest")), 0
		for _, at := range all {
			if at >= oldest {
				young++
			}
		}
		if got := s.since(oldest); got != young {
			t.Fatalf("%d steps since %d, want %d", got, oldest, young)
		}
		if len(all) == 0 {
			return
		}
		n := rapid.IntRange(-1, len(all)+1).Draw(t, "n")
		older, newer := s.cut(n)
		n = min(max(n, 0), len(all))
		if older.steps() != len(all)-n || newer.steps() != n {
			t.Fatalf("cut into %d and %d steps, want %d and %d", older.steps(), newer.steps(), len(all)-n, n)
		}
		for i, at := range append(times(older), times(newer)...) {
			if at != all[i] {
				t.Fatalf("time %d is %d, want %d", i, at, all[i])
			}
		}
	})
}

// Times that are no whole milliseconds are those of the nearest.
func TestResultsAreFoundByTheNearestMillisecond(t *testing.T) {
	tracks := []Track{{Points: []Point{{T: 1, V: 10}, {T: 3, V: 30}}}, {Points: []Point{{T: 3, V: 31}}}}
	cursors := make([]int, 2)
	for _, c := range []struct {
		at   Instant
		want []float64
	}{
		{400_000, nil}, {500_000, []float64{10}}, {1_499_999, []float64{10}}, {2_000_000, nil}, {2_900_000, []float64{30, 31}}, {4_000_000, nil},
	} {
		res := resultAt(tracks, cursors, c.at)
		if len(res.Samples) != len(c.want) {
			t.Fatalf("%d results at %d, want %v", len(res.Samples), c.at, c.want)
		}
		for i, s := range res.Samples {
			if s.V != c.want[i] {
				t.Errorf("result %d at %d is %v, want %v", i, c.at, s.V, c.want[i])
			}
		}
	}
}

// BenchmarkReplay makes up for an hour of an alerting rule with ten alerts.
func BenchmarkReplay(b *testing.B) {
	b.ReportAllocs()
	cfg := &config.Group{Interval: 10 * time.Second, Type: config.Prometheus, Rules: []config.Rule{{
		Kind: config.Alerting, Name: "A", Labels: []config.Pair{{Name: "team", Value: "db"}},
	}}}
	g, err := NewGroup(cfg, &Deps{Counters: NewCounters(metrics.NewSet()), Log: slog.New(slog.DiscardHandler), Link: testLink})
	if err != nil {
		b.Fatal(err)
	}
	l := newLoop(g, Memory{})
	s := span{from: Instant(time.Hour), to: Instant(2*time.Hour - 10*time.Second), interval: cfg.Interval}
	tracks := make([]Track, 10)
	for i := range tracks {
		tracks[i].Labels = labels.FromStrings("instance", string(rune('a'+i)))
		for _, t := range times(s) {
			tracks[i].Points = append(tracks[i].Points, Point{T: t.Milli(), V: 1})
		}
	}
	for b.Loop() {
		if _, _, done := l.replay(context.Background(), 0, evaluation{write: true}, RuleMemory{}, s, tracks); done != 360 {
			b.Fatalf("%d evaluations, want 360", done)
		}
	}
}
