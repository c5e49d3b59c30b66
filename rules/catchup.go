package rules

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"tocsin/config"
)

// CatchUp evaluates rules for the times at which they could not be: while the
// program was down, the datasource did not answer, or a round was missed. It is
// shared by all groups.
type CatchUp struct {
	querier RangeQuerier
	window  time.Duration
	slots   chan struct{} // holds a token for each query under way

	queries, errors  *metrics.Counter
	filled, unfilled *metrics.Counter // evaluations
}

// NewCatchUp returns a CatchUp that asks q, with at most concurrency queries at
// once, for evaluations that are missing since window or less. Its counters are
// part of s.
func NewCatchUp(q RangeQuerier, window time.Duration, concurrency int, s *metrics.Set) *CatchUp {
	return &CatchUp{
		querier: q, window: window, slots: make(chan struct{}, max(concurrency, 1)),
		queries:  s.NewCounter("tocsin_catchup_queries_total"),
		errors:   s.NewCounter("tocsin_catchup_errors_total"),
		filled:   s.NewCounter("tocsin_catchup_filled_evaluations_total"),
		unfilled: s.NewCounter("tocsin_catchup_unfilled_evaluations_total"),
	}
}

const (
	// maxSteps is the most times that one query may ask for; Prometheus refuses
	// 11,000.
	maxSteps = 10_000
	// maxPoints is the most samples that one query should answer, going by the
	// result of the present: they are all in memory at once.
	maxPoints = 250_000
)

// missing returns the evaluations that are missing between the last one of a rule
// and the one for the time at.
func (l *loop) missing(m *RuleMemory, at Instant) span {
	interval := l.sched.interval
	// Times of an interval that was not in force are not missing.
	usual := max(interval, m.interval)
	if m.answeredAt == 0 || at.Sub(m.answeredAt) <= usual+usual/2 {
		return span{}
	}
	steps := int((at.Sub(m.answeredAt) - interval/2) / interval)
	return span{from: at.Add(-time.Duration(steps) * interval), to: at.Add(-interval), interval: interval}
}

// caught is what came of making up for evaluations of a rule.
type caught struct {
	past     output
	replayed bool  // there is a past, be it empty
	gaps     []Gap // that were dealt with
	asked    bool  // the datasource was
	err      error // of it
}

// catchUp makes up for evaluations of rule i that are missing before ev, as far as
// that is possible now: for those since the last one, or else for older ones for
// which there was no time. What alerts go through meanwhile is told to nobody, but
// for the end of what was told before; what they are in the end is told by ev
// itself. The result of ev has as many label sets as series says.
func (l *loop) catchUp(ctx context.Context, i int, ev evaluation, m RuleMemory, series int) (RuleMemory, caught) {
	missing := l.missing(&m, ev.at)
	if missing.steps() == 0 && len(m.heard().gaps) == 0 {
		return m, caught{}
	}
	c := l.deps.CatchUp
	if c == nil {
		m.recorded(m.heard().series, nil)
		return m, caught{}
	}
	f := filling{
		loop: l, rule: i, ev: ev, oldest: ev.at.Add(-c.window),
		most:    max(1, min(maxSteps, maxPoints/max(series, 1))),
		patient: l.cfg.Rules[i].Kind == config.Recording,
	}
	if f.patient && !ev.write {
		missing, f.oldest = span{}, ev.at // nobody wants it
	}
	var waiting []span
	waiting, f.gaps = expire(m.heard().gaps, f.oldest)
	m.recorded(m.heard().series, waiting)
	switch {
	case missing.steps() > 0:
		m = f.recent(ctx, m, missing)
	case len(waiting) > 0:
		m = f.older(ctx, m)
	}
	return m, f.caught
}

// filling is an attempt to make up for evaluations of a rule.
type filling struct {
	*loop
	rule    int
	ev      evaluation // the present one
	oldest  Instant
	most    int  // steps in one query
	patient bool // what cannot be made up for now can be later

	caught
}

// recent makes up for the evaluations since the last one.
func (f *filling) recent(ctx context.Context, m RuleMemory, missing span) RuleMemory {
	later := f.attempt(ctx, missing, 0, func(s span, tracks []Track) (done int) {
		m, f.past, done = f.replay(ctx, f.rule, f.ev, m, s, tracks)
		return done
	})
	m.recorded(m.heard().series, slices.Concat(m.heard().gaps, later))
	return m
}

// older makes up for the newest of the gaps of a recording rule that wait.
// Storage gets these evaluations after newer ones.
func (f *filling) older(ctx context.Context, m RuleMemory) RuleMemory {
	waiting := m.heard().gaps
	last := len(waiting) - 1
	gap := waiting[last]
	later := f.attempt(ctx, gap, gap.interval, func(s span, tracks []Track) (done int) {
		f.past, done = f.replayBetween(ctx, s, tracks)
		return done
	})
	m.recorded(m.heard().series, slices.Concat(waiting[:last], later))
	return m
}

// attempt asks for the results of s, or the newest of them, has them replayed and
// returns what is to be tried later. The results are of times before and after as
// well, as far as margin.
func (f *filling) attempt(ctx context.Context, s span, margin time.Duration, replay func(span, []Track) int) (later []span) {
	gap := Gap{From: s.from, To: s.to}
	rest, part := s.cut(min(s.since(f.oldest), f.most))
	if part.steps() > 0 {
		tracks, err := f.ask(ctx, span{part.from.Add(-margin), part.to.Add(margin), s.interval})
		switch {
		case err == nil:
			gap.Filled, f.replayed = replay(part, tracks), true
			if f.patient && rest.since(f.oldest) > 0 {
				gap.From, later = part.from, []span{rest}
			}
		case !f.patient, errors.Is(err, ErrRejected):
		case errors.Is(err, errTooSlow) && part.steps() > 1:
			rest, part = s.cut(part.steps() / 2)
			later = []span{rest, part}
		default:
			later = []span{s}
		}
	}
	gap.Unfilled = s.steps() - gap.Filled
	for _, x := range later {
		gap.Unfilled -= x.steps()
	}
	if gap.Filled+gap.Unfilled > 0 {
		f.gaps = append(f.gaps, gap)
	}
	return later
}

var (
	// errBusy is why a gap is not filled now.
	errBusy = errors.New("other work comes first")
	// errTooSlow is wrapped by the error of a query that asks for too much at once.
	errTooSlow = errors.New("no answer in the time that is left for catching up")
	// errAsksForLabels is why a gap cannot be filled.
	errAsksForLabels = errors.New("labels would take a query for each alert and time")
)

// ask returns the results that the rule would have had. The present comes first:
// the gaps of all rules get a part of the interval, and then wait for the next
// round.
func (f *filling) ask(ctx context.Context, s span) ([]Track, error) {
	c, l := f.deps.CatchUp, f.loop
	if r, ok := l.rules[f.rule].(*alertingRule); ok && r.asksForLabels() {
		return nil, errAsksForLabels
	}
	spare := time.Duration(l.spare.Load())
	if spare <= 0 || l.awaitsPast(f.rule, s) {
		return nil, errBusy
	}
	start := time.Now()
	defer func() { l.spare.Add(-int64(time.Since(start))) }()
	limited, cancel := context.WithTimeout(ctx, min(spare, l.timeout))
	defer cancel()
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-limited.Done():
	}
	if limited.Err() != nil {
		return nil, errBusy
	}
	tracks, err := c.queryRange(limited, RangeQuery{
		Query: newQuery(l.cfg, &l.cfg.Rules[f.rule], s.to.Time()),
		From:  s.from.Time(), To: s.to.Time(), Step: s.interval,
	})
	if err != nil && ctx.Err() != nil {
		return nil, errBusy // the round is cut short; that says nothing of the datasource
	}
	if err != nil && limited.Err() != nil {
		err = fmt.Errorf("%w: %w", errTooSlow, err)
	}
	f.asked, f.err = true, err
	return tracks, err
}

func (c *CatchUp) queryRange(ctx context.Context, q RangeQuery) ([]Track, error) {
	c.queries.Inc()
	tracks, err := c.querier.QueryRange(ctx, q)
	if err != nil {
		c.errors.Inc()
	}
	return tracks, err
}

// awaitsPast reports whether rule i reads what an earlier rule is yet to make up
// for at times of s: it would find nothing there.
func (l *loop) awaitsPast(i int, s span) bool {
	if l.chain == nil {
		return false
	}
	return slices.ContainsFunc(l.chain[i], func(on int) bool {
		return slices.ContainsFunc(l.memories[on].heard().gaps, s.overlaps)
	})
}

// noteCaught counts what became of gaps of rule i, and says once that the
// datasource began or ceased to refuse.
func (l *loop) noteCaught(i int, c *caught) {
	for _, g := range c.gaps {
		l.deps.CatchUp.filled.Add(g.Filled)
		l.deps.CatchUp.unfilled.Add(g.Unfilled)
		l.stats.noteGap(g)
	}
	if failing := c.err != nil; c.asked && failing != l.pastFails {
		l.pastFails = failing
		if failing {
			l.log.Warn("missing evaluations were not made up for", "rule", l.cfg.Rules[i].Name, "error", c.err)
		} else {
			l.log.Info("missing evaluations are made up for again", "rule", l.cfg.Rules[i].Name)
		}
	}
}
