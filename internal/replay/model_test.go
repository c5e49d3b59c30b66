package replay_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tocsin/config"
	"tocsin/internal/replay"
	"tocsin/rules"
	"tocsin/rules/rulestest"
)

// season is rules, and what their expressions have as results over time.
type season struct {
	answers map[string][][]rules.Sample // for each minute
	groups  []config.Group
	labels  []config.Pair // external
}

const seasonLength = 40 // minutes

func drawSeason(t *rapid.T) *season {
	s := &season{answers: map[string][][]rules.Sample{}}
	for _, expr := range []string{"x", "y", "template query"} {
		answer := drawSamples(t)
		for range seasonLength + 1 {
			if rapid.IntRange(0, 2).Draw(t, "changes") == 0 {
				answer = drawSamples(t)
			}
			s.answers[expr] = append(s.answers[expr], answer)
		}
	}
	if rapid.Bool().Draw(t, "labelled") {
		s.labels = []config.Pair{{Name: "x", Value: "outside"}}
	}
	labelled := recording("s", "y")
	labelled.Labels = []config.Pair{{Name: "team", Value: "db"}}
	first := group("first", recording("r", "x"), drawAlerting(t, "A", "x"), drawAlerting(t, "B", "y"), labelled)
	second := group("second", drawAlerting(t, "A", "y"))
	for _, g := range []*config.Group{&first, &second} {
		g.Limit = rapid.SampledFrom([]int{0, 0, 1, 2}).Draw(t, "limit")
		g.Concurrency = rapid.IntRange(1, 3).Draw(t, "concurrency")
	}
	s.groups = []config.Group{first, second}
	return s
}

// drawSamples draws results of different labels.
func drawSamples(t *rapid.T) (all []rules.Sample) {
	for _, x := range []string{"0", "1", "2"} {
		if rapid.IntRange(0, 2).Draw(t, "there") > 0 {
			all = append(all, rulestest.Sample(float64(rapid.IntRange(0, 1).Draw(t, "v")), "x", x))
		}
	}
	return all
}

func drawAlerting(t *rapid.T, name, expr string) config.Rule {
	durations := []time.Duration{0, time.Minute, 150 * time.Second, 10 * time.Minute}
	r := alerting(name, expr, rapid.SampledFrom(durations).Draw(t, "for"))
	r.KeepFiringFor = rapid.SampledFrom(durations).Draw(t, "keep_firing_for")
	label := rapid.SampledFrom([]string{"", "db", "{{label:x}}", "{{value}}", "{{query}}", "{{fail}}"}).Draw(t, "label")
	if label != "" {
		r.Labels = []config.Pair{{Name: "l", Value: label}}
	}
	note := rapid.SampledFrom([]string{"text", "{{value}}", "{{activeAt}}"}).Draw(t, "annotation")
	r.Annotations = []config.Pair{{Name: "summary", Value: note}}
	return r
}

// world returns a world in which the season's data is, from its start on.
func (s *season) world(t *testing.T) *world {
	w := newWorld(t)
	w.deps.Options.ExternalLabels = s.labels
	w.options.Period.To = start.Add(seasonLength * time.Minute)
	for expr, answers := range s.answers {
		w.datasource.SetTrack(expr, func(at time.Time) []rules.Sample {
			if at.Before(start) {
				return nil
			}
			return answers[at.Sub(start)/time.Minute]
		})
	}
	return w
}

// lived returns what is written by groups that run all the season long.
func (s *season) lived(t *testing.T) (written []string) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(start))
		w := s.world(t)
		deps := *w.deps
		deps.Appender, deps.Notifier = &w.sink, &rulestest.Notifier{}
		deps.Options.QueryTimeout = time.Minute
		m := rules.NewManager()
		if _, err := m.Apply(rules.Plan{Files: []rules.PlanFile{{Name: "f.yml", Groups: s.groups}}, Deps: &deps}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Until(start.Add(seasonLength*time.Minute + time.Second)))
		synctest.Wait()
		written = shown(w.sink.Appended())
		m.CutShort() // so that nothing is said of the rules that end
		if err := m.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return written
}

// replayed returns what replays write, each of which goes on where the one before
// was interrupted, after so many batches.
func (s *season) replayed(t *testing.T, asking replay.Asking, chunk int, interruptions []int) (written []string) {
	synctest.Test(t, func(t *testing.T) {
		w := s.world(t)
		w.options.Asking, w.options.Chunk = asking, chunk
		for i := 0; ; i++ {
			ctx, interrupt := context.WithCancel(context.Background())
			var batches atomic.Int64
			w.sink.OnAppend(func(context.Context) error {
				if n := batches.Add(1); i < len(interruptions) && n > int64(interruptions[i]) {
					interrupt()
					return context.Canceled
				}
				return nil
			})
			record := w.recorded()
			w.groups(s.groups...)
			_, err := replay.Run(ctx, w.options)
			interrupt()
			if cerr := record.Close(); cerr != nil {
				t.Fatal(cerr)
			}
			if !errors.Is(err, replay.ErrInterrupted) {
				if err != nil && !errors.Is(err, replay.ErrIncomplete) {
					t.Fatal(err)
				}
				break
			}
		}
		written = shown(w.sink.Appended())
	})
	return written
}

// A replay writes what groups that ran then would have written, each sample once,
// however it is cut into queries and batches and wherever it is interrupted.
func TestReplayWritesWhatRunningGroupsWouldHave(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := drawSeason(rt)
		asking := replay.Asking{
			MaxPoints:   rapid.IntRange(1, seasonLength+2).Draw(rt, "points"),
			Concurrency: rapid.IntRange(1, 4).Draw(rt, "ahead"), Attempts: 1,
		}
		chunk := rapid.IntRange(1, 100).Draw(rt, "chunk")
		interruptions := rapid.SliceOfN(rapid.IntRange(0, 12), 0, 3).Draw(rt, "interruptions")
		want, got := s.lived(t), s.replayed(t, asking, chunk, interruptions)
		if diff := cmp.Diff(want, got); diff != "" {
			rt.Errorf("written (-live +replay):\n%s", diff)
		}
	})
}
