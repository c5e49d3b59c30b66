// Package memstore is a small storage for samples that answers PromQL: the
// Prometheus engine over its time series database, without a write-ahead log,
// so that everything is gone when it is closed. Handler puts the Prometheus
// HTTP API in front of it.
//
// A Store owns its database and engine; its user owns the directory.
package memstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/tsdb"
)

// ErrBadSample is wrapped by Append's error when samples were refused for what
// they are: out of order, a second value for one moment, or invalid labels.
var ErrBadSample = errors.New("sample refused")

// Sample is one value of one series.
type Sample struct {
	Labels labels.Labels // with the metric name
	T      int64         // milliseconds since the Unix epoch
	V      float64
}

// Options says how a Store keeps and answers.
type Options struct {
	Dir          string        // for chunks; must exist
	Lookback     time.Duration // how far an instant query looks back for a sample; > 0
	QueryTimeout time.Duration // > 0
	MaxSamples   int           // most samples one query may hold in memory; > 0
	Log          *slog.Logger
}

// Store keeps samples and evaluates expressions over them. It may be used from
// many goroutines.
type Store struct {
	db     *tsdb.DB
	engine *promql.Engine
	log    *slog.Logger
}

// Open returns an empty Store. It starts the database's goroutine; Close ends it.
func Open(o Options) (*Store, error) {
	to := tsdb.DefaultOptions()
	to.WALSegmentSize = -1 // no log: nothing is read back
	to.RetentionDuration = (24 * time.Hour).Milliseconds()
	db, err := tsdb.Open(o.Dir, o.Log, nil, to, nil)
	if err != nil {
		return nil, fmt.Errorf("opening storage in %s: %w", o.Dir, err)
	}
	engine := promql.NewEngine(promql.EngineOpts{
		Logger:                   o.Log,
		MaxSamples:               o.MaxSamples,
		Timeout:                  o.QueryTimeout,
		LookbackDelta:            o.Lookback,
		NoStepSubqueryIntervalFn: func(int64) int64 { return time.Minute.Milliseconds() },
		EnableAtModifier:         true,
		EnableNegativeOffset:     true,
		Parser:                   parser.NewParser(parser.Options{}),
	})
	return &Store{db: db, engine: engine, log: o.Log}, nil
}

// Close waits for the database to end. The Store must not be used afterwards.
func (s *Store) Close() error {
	return errors.Join(s.engine.Close(), s.db.Close())
}

// Append stores batch. Samples that cannot be stored are left out and reported
// in one error that wraps ErrBadSample; any other error means that nothing of
// batch was stored.
func (s *Store) Append(ctx context.Context, batch []Sample) error {
	app := s.db.Appender(ctx)
	var refused refusals
	for _, x := range batch {
		if err := checkLabels(x.Labels); err != nil {
			refused.add(x, err)
			continue
		}
		if _, err := app.Append(0, x.Labels, x.T, x.V); err != nil {
			refused.add(x, err)
		}
	}
	if err := app.Commit(); err != nil {
		return fmt.Errorf("storing %d samples: %w", len(batch), err)
	}
	return refused.err(len(batch))
}

// checkLabels reports labels that the database would take but no query could
// tell apart.
func checkLabels(l labels.Labels) error {
	if l.Get(model.MetricNameLabel) == "" {
		return errors.New("no metric name")
	}
	if name, dup := l.HasDuplicateLabelNames(); dup {
		return fmt.Errorf("label %q is given twice", name)
	}
	return nil
}

// refusals counts samples that were left out and remembers the first.
type refusals struct {
	n     int
	first error
}

func (r *refusals) add(x Sample, why error) {
	r.n++
	if r.first == nil {
		r.first = fmt.Errorf("%s at %d: %w", x.Labels, x.T, why)
	}
}

func (r *refusals) err(of int) error {
	if r.n == 0 {
		return nil
	}
	return fmt.Errorf("%w: %d of %d, the first being %w", ErrBadSample, r.n, of, r.first)
}

// Instant evaluates expr at one moment. Errors of the expression are returned by
// the call itself, those of its evaluation within the result. The caller must
// call done when it has read the result.
func (s *Store) Instant(ctx context.Context, expr string, at time.Time) (res *promql.Result, done func(), err error) {
	q, err := s.engine.NewInstantQuery(ctx, s.db, nil, expr, at)
	if err != nil {
		return nil, nil, fmt.Errorf("parsing %q: %w", expr, err)
	}
	return q.Exec(ctx), q.Close, nil
}

// Range evaluates expr from start to end, both included, at each step. It
// returns as Instant does.
func (s *Store) Range(ctx context.Context, expr string, start, end time.Time, step time.Duration) (res *promql.Result, done func(), err error) {
	q, err := s.engine.NewRangeQuery(ctx, s.db, nil, expr, start, end, step)
	if err != nil {
		return nil, nil, fmt.Errorf("parsing %q: %w", expr, err)
	}
	return q.Exec(ctx), q.Close, nil
}
