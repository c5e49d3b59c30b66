package rules

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/prometheus/prometheus/model/labels"

	"tocsin/config"
)

const benchSeries = 50_000

// benchSamples are results as a datasource gives them, label sets of their own
// in every answer.
func benchSamples() []Sample {
	out := make([]Sample, benchSeries)
	for i := range out {
		n := strconv.Itoa(i)
		out[i] = Sample{V: float64(i), Labels: labels.FromStrings(
			"__name__", "up", "cluster", "west", "instance", "host-"+n+":9100", "job", "node", "pod", "pod-"+n)}
	}
	return out
}

// plainTexts is templates that expand to the value, so that they cost nothing.
type plainTexts []config.Pair

func (plainTexts) CompileLabels(p []config.Pair) (Template, error)      { return plainTexts(p), nil }
func (plainTexts) CompileAnnotations(p []config.Pair) (Template, error) { return plainTexts(p), nil }
func (plainTexts) Uses() TemplateUse                                    { return UsesValue }
func (plainTexts) Digest() (d [32]byte)                                 { return d }

func (p plainTexts) Expand(context.Context, *TemplateData) ([]string, error) {
	out := make([]string, len(p))
	for i := range p {
		out[i] = p[i].Value
	}
	return out, nil
}

// benchRounds evaluates a rule b.N times; answers are given in turn.
func benchRounds(b *testing.B, r config.Rule, answers ...[]Sample) {
	g := &config.Group{
		Key: config.Key{File: "f.yml", Name: "g"}, Type: config.Prometheus,
		Interval: 10 * time.Second, EvalAlignment: true, Concurrency: 1, Rules: []config.Rule{r},
	}
	group, err := NewGroup(g, &Deps{
		Templates: plainTexts{}, Log: slog.New(slog.DiscardHandler), Counters: NewCounters(metrics.NewSet()),
		Link: testLink,
	})
	if err != nil {
		b.Fatal(err)
	}
	turn := 0
	ev := evaluation{at: Instant(time.Hour), write: true}
	var m RuleMemory
	evaluate := func() {
		ev.at = ev.at.Add(10 * time.Second)
		ev.now = ev.at
		res := Result{Samples: answers[turn%len(answers)]}
		turn++
		var out output
		if m, out, err = group.rules[0].apply(context.Background(), ev, m, res, nil); err != nil || len(out.series) == 0 {
			b.Fatalf("%d series, error %v", len(out.series), err)
		}
	}
	for range 2 * len(answers) {
		evaluate()
	}
	b.ReportAllocs()
	for b.Loop() {
		evaluate()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchSeries, "ns/series")
}

func benchAlert() config.Rule {
	return config.Rule{
		Kind: config.Alerting, Name: "Down", Expr: "up == 0", UpdateEntries: 20,
		Labels: []config.Pair{{Name: "severity", Value: "page"}},
		Annotations: []config.Pair{
			{Name: "description", Value: "it is down"}, {Name: "runbook", Value: "see there"}, {Name: "summary", Value: "down"},
		},
	}
}

func BenchmarkAlertRound(b *testing.B) {
	steady, again := benchSamples(), benchSamples()
	b.Run("steady", func(b *testing.B) { benchRounds(b, benchAlert(), steady, again) })

	values := benchSamples()
	for i := range values {
		values[i].V++
	}
	b.Run("other values", func(b *testing.B) { benchRounds(b, benchAlert(), steady, values) })

	backward := make([]Sample, 0, benchSeries)
	for i := range again {
		backward = append(backward, again[len(again)-1-i])
	}
	b.Run("other order", func(b *testing.B) { benchRounds(b, benchAlert(), steady, backward) })

	held := benchAlert()
	held.KeepFiringFor = time.Hour
	b.Run("held every other time", func(b *testing.B) { benchRounds(b, held, steady, nil) })
}

func BenchmarkRecordingRound(b *testing.B) {
	r := config.Rule{
		Kind: config.Recording, Name: "job:up", Expr: "up", UpdateEntries: 20,
		Labels: []config.Pair{{Name: "team", Value: "x"}},
	}
	steady, again := benchSamples(), benchSamples()
	b.Run("steady", func(b *testing.B) { benchRounds(b, r, steady, again) })
	b.Run("churn", func(b *testing.B) { benchRounds(b, r, steady[:benchSeries-10], again[10:]) })
}

func BenchmarkStep(b *testing.B) {
	p := policy{holdFor: time.Minute, keepFiring: time.Minute}
	for _, start := range []Instance{{State: Pending, ActiveAt: 1}, {State: Firing, ActiveAt: 1, StartsAt: 1}} {
		for _, seen := range []bool{true, false} {
			b.Run(fmt.Sprintf("%s seen=%t", start.State, seen), func(b *testing.B) {
				b.ReportAllocs()
				kept := 0
				for b.Loop() {
					if _, keep := start.step(2, seen, p); keep {
						kept++
					}
				}
				if want := start.State == Firing || seen; (kept > 0) != want {
					b.Fatalf("kept %d times", kept)
				}
			})
		}
	}
}
