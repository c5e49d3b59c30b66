package replay_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/prometheus/prometheus/model/value"

	"tocsin/config"
	"tocsin/internal/replay"
	"tocsin/rules"
	"tocsin/rules/rulestest"
)

// start is when periods begin, unless a test says otherwise.
var start = time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)

// world is a replay with fakes all around.
type world struct {
	t          *testing.T
	datasource rulestest.Datasource
	sink       rulestest.Appender
	deps       *rules.Deps
	options    replay.Options
	dir        string // of records
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, dir: t.TempDir()}
	log := slog.New(slog.DiscardHandler)
	w.deps = &rules.Deps{
		Querier: &w.datasource, Templates: rulestest.Templates{}, Log: log,
		Counters: rules.NewCounters(metrics.NewSet()),
	}
	w.options = replay.Options{
		Period: replay.Period{From: start, To: start.Add(10 * time.Minute)},
		Asking: replay.Asking{MaxPoints: 1000, Concurrency: 1, Attempts: 5, Pause: time.Second},
		Ranges: &w.datasource, Sink: &w.sink, Chunk: 1000, Delay: time.Second, Drain: time.Second,
		Progress: replay.NewLines(log), Log: log,
	}
	return w
}

// groups has groups replayed.
func (w *world) groups(groups ...config.Group) {
	w.t.Helper()
	w.options.Groups = nil
	for i := range groups {
		g, err := rules.NewGroup(&groups[i], w.deps)
		if err != nil {
			w.t.Fatal(err)
		}
		w.options.Groups = append(w.options.Groups, g)
	}
}

// replay runs the replay.
func (w *world) replay(groups ...config.Group) (replay.Summary, error) {
	w.t.Helper()
	w.groups(groups...)
	return replay.Run(context.Background(), w.options)
}

// mustReplay runs the replay, which is to end well, and returns what was written.
func (w *world) mustReplay(groups ...config.Group) []string {
	w.t.Helper()
	if _, err := w.replay(groups...); err != nil {
		w.t.Fatal(err)
	}
	return shown(w.sink.Appended())
}

// recorded has the replay record how far it has come.
func (w *world) recorded() *replay.Record {
	w.t.Helper()
	r, err := replay.OpenRecord(w.dir, "the same", false)
	if err != nil {
		w.t.Fatal(err)
	}
	w.options.Record = r
	return r
}

// leftOff returns the record of a replay of the rule r of x that was interrupted
// after one query.
func (w *world) leftOff() *replay.Record {
	w.t.Helper()
	w.counts("x")
	r := w.recorded()
	w.groups(group("g", recording("r", "x")))
	w.options.Asking.MaxPoints = 1
	_ = w.interrupted(1)
	return r
}

// group returns a group of the file f.yml that is evaluated every minute.
func group(name string, rs ...config.Rule) config.Group {
	return config.Group{
		Key: config.Key{File: "f.yml", Name: name}, Type: config.Prometheus,
		Interval: time.Minute, EvalAlignment: true, Concurrency: 1, Rules: rs,
	}
}

func alerting(name, expr string, d time.Duration) config.Rule {
	return config.Rule{Kind: config.Alerting, Name: name, Expr: expr, For: d, UpdateEntries: 1}
}

func recording(name, expr string) config.Rule {
	return config.Rule{Kind: config.Recording, Name: name, Expr: expr, UpdateEntries: 1}
}

// shown returns series as "name{labels} value @minutes", in order of series and
// time.
func shown(all []rules.Series) []string {
	texts := make([]string, len(all))
	for i := range all {
		v := fmt.Sprint(all[i].V)
		if value.IsStaleNaN(all[i].V) {
			v = "stale"
		}
		texts[i] = fmt.Sprintf("%s %s @%g", all[i].Full(), v, time.UnixMilli(all[i].T).Sub(start).Minutes())
	}
	slices.Sort(texts)
	return texts
}

// counts makes expr answer how many minutes have passed since start.
func (w *world) counts(expr string) {
	w.datasource.SetTrack(expr, func(at time.Time) []rules.Sample {
		return []rules.Sample{rulestest.Sample(at.Sub(start).Minutes())}
	})
}

// exists makes expr answer a sample at those minutes.
func (w *world) exists(expr string, minutes ...int) {
	w.datasource.SetTrack(expr, func(at time.Time) []rules.Sample {
		if !slices.Contains(minutes, int(at.Sub(start).Minutes())) {
			return nil
		}
		return []rules.Sample{rulestest.Sample(1)}
	})
}

var errDown = errors.New("connection refused")
