package rules

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/labels"

	"tocsin/config"
)

var replayStart = time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)

// replayOf returns the replay of a rule that is evaluated each minute, n times, and
// results of so many label sets.
func replayOf(t testing.TB, r config.Rule, n, series int) (*Replay, []Track) {
	t.Helper()
	cfg := &config.Group{
		Key: config.Key{File: "f.yml", Name: "g"}, Type: config.Prometheus,
		Interval: time.Minute, EvalAlignment: true, Rules: []config.Rule{r},
	}
	g, err := NewGroup(cfg, &Deps{Log: slog.New(slog.DiscardHandler), Counters: NewCounters(metrics.NewSet()), Link: testLink})
	if err != nil {
		t.Fatal(err)
	}
	times := g.Times(replayStart, replayStart.Add(time.Duration(n-1)*time.Minute))
	tracks := make([]Track, series)
	for i := range tracks {
		tracks[i].Labels = labels.FromStrings("__name__", "x", "instance", fmt.Sprintf("host-%d:9100", i), "job", "node")
		for k := range n {
			at := replayStart.Add(time.Duration(k) * time.Minute)
			tracks[i].Points = append(tracks[i].Points, Point{T: at.UnixMilli(), V: float64(k)})
		}
	}
	return g.Replay(0, times, nil), tracks
}

func TestStateOfReplayGoesOn(t *testing.T) {
	rule := config.Rule{Kind: config.Alerting, Name: "A", Expr: "x", For: 3 * time.Minute}
	whole, tracks := replayOf(t, rule, 10, 2)
	var want, got []Series
	all := whole.Left()
	if err := whole.Evaluate(t.Context(), all, tracks, 1, func(e Replayed) error { want = append(want, e.Series...); return nil }); err != nil {
		t.Fatal(err)
	}
	first, rest := all.Cut(4)
	for _, times := range []Times{first, rest} {
		part, tracks := replayOf(t, rule, 10, 2)
		if len(got) > 0 {
			if err := part.Resume(whole.State()); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(times.First(), part.Left().First()); diff != "" {
			t.Fatalf("the first time that is left (-want +got):\n%s", diff)
		}
		if err := part.Evaluate(t.Context(), times, tracks, 3, func(e Replayed) error { got = append(got, e.Series...); return nil }); err != nil {
			t.Fatal(err)
		}
		whole = part
	}
	same := cmp.Comparer(func(a, b Series) bool { return a.Full() == b.Full() && a.T == b.T && !differ(a.V, b.V) })
	if diff := cmp.Diff(want, got, same); diff != "" {
		t.Errorf("written (-in one +in two parts):\n%s", diff)
	}
	if whole.Left().Len() != 0 {
		t.Errorf("%d times are left", whole.Left().Len())
	}
}

func TestProbeNamesTheWholeSeries(t *testing.T) {
	r, _ := replayOf(t, config.Rule{Kind: config.Recording, Name: "r", Expr: "x"}, 1, 0)
	s := alertSeries(labels.FromStrings("a", `q"\`, "ünï", "b"), Firing)
	s.T = replayStart.UnixMilli()
	q := r.Probe(&s)
	want := `timestamp({__name__="ALERTS",a="q\"\\",alertstate="firing","ünï"="b"})`
	if q.Expr != want || !q.To.Equal(replayStart) {
		t.Errorf("asked %s for %s, want %s for %s", q.Expr, q.To, want, replayStart)
	}
}

// Any state that is accepted is one that State gives.
func FuzzReplayResume(f *testing.F) {
	rule := config.Rule{Kind: config.Alerting, Name: "A", Expr: "x", For: time.Minute}
	r, tracks := replayOf(f, rule, 4, 2)
	first, _ := r.Left().Cut(2)
	if err := r.Evaluate(f.Context(), first, tracks, 1, func(Replayed) error { return nil }); err != nil {
		f.Fatal(err)
	}
	f.Add(r.State())
	f.Add([]byte{replayVersion, plainState, 0})
	f.Fuzz(func(t *testing.T, state []byte) {
		r, tracks := replayOf(t, rule, 4, 2)
		if err := r.Resume(state); err != nil {
			if r.Left().Len() != 4 {
				t.Fatal("a state that is refused has changed the rule")
			}
			return
		}
		again, _ := replayOf(t, rule, 4, 2)
		if err := again.Resume(r.State()); err != nil {
			t.Fatalf("a state that was accepted is refused the second time: %v", err)
		}
		if err := r.Evaluate(context.Background(), r.Left(), tracks, 1, func(Replayed) error { return nil }); err != nil {
			t.Fatal(err)
		}
	})
}

func benchmarkReplay(b *testing.B, r config.Rule) {
	const times, series = 1000, 100
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		replay, tracks := replayOf(b, r, times, series)
		b.StartTimer()
		if err := replay.Evaluate(b.Context(), replay.Left(), tracks, 10_000, func(Replayed) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*times*series), "ns/result")
}

func BenchmarkReplayRecording(b *testing.B) {
	benchmarkReplay(b, config.Rule{Kind: config.Recording, Name: "r", Expr: "x"})
}

func BenchmarkReplayAlerting(b *testing.B) {
	benchmarkReplay(b, config.Rule{Kind: config.Alerting, Name: "A", Expr: "x", For: time.Minute})
}
