package datasource

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tocsin/config"
	"tocsin/rules"
)

// ErrNoRange is wrapped by the error of a range query which cannot be answered
// however often it is asked, although instant queries for its times could be: of
// an unknown type, asked of a URL to which no path is appended, or answered for
// other times. It wraps rules.ErrRejected.
var ErrNoRange error = noRange{}

type noRange struct{}

func (noRange) Error() string { return "range queries are not available" }
func (noRange) Unwrap() error { return rules.ErrRejected }

// errMoved is the ErrNoRange of a server that shifts the times it is asked for,
// as caching frontends do to find more of them in their caches.
var errMoved = fmt.Errorf("%w: answer is for other times than those asked for", ErrNoRange)

var _ rules.RangeQuerier = (*Client)(nil)

// QueryRange returns the samples that instant queries for the times of q would
// have had. What a group or a flag adds to instant queries goes with it. Label
// sets without a sample, native histograms among them, are left out.
//
// It is one request, or several one after the other where one would be answered
// otherwise (see lanes and moments), all of them within ctx. Each counts towards
// the cap of queries in flight, and is tried again as that of Query is. Errors
// are as there, and some wrap ErrNoRange.
//
// The number of steps is the server's to bound; Prometheus refuses more than
// 11,000.
func (c *Client) QueryRange(ctx context.Context, q rules.RangeQuery) ([]rules.Track, error) {
	times, err := newGrid(&q)
	if err != nil {
		return nil, err
	}
	switch q.Type {
	case config.Prometheus, "":
		return c.prometheusRange(ctx, &q, times)
	case config.VLogs:
		if p := c.vlogs.pastQuery(&q, times); p != nil {
			ans, err := c.askPast(ctx, &q, p)
			if err == nil || !errors.Is(err, rules.ErrRejected) {
				return ans.tracks, err
			}
			// It may be an expression that only range queries cannot be asked with.
		}
		return c.askMoments(ctx, &q, times)
	case config.Graphite:
		return c.askMoments(ctx, &q, times)
	}
	return nil, fmt.Errorf("range query of type %q: %w", q.Type, ErrNoRange)
}

func (c *Client) prometheusRange(ctx context.Context, q *rules.RangeQuery, times grid) ([]rules.Track, error) {
	p, err := c.pastQuery(q, times)
	if err != nil {
		return nil, err
	}
	if lanes := p.lanes(); lanes == 1 || c.stepMatters.Load() {
		return c.askLanes(ctx, q, p, lanes)
	}
	ans, err := c.askPast(ctx, q, p)
	if err != nil {
		return nil, err
	}
	if c.stepMatters.Load() { // it had not been asked anything yet
		return c.askLanes(ctx, q, p, p.lanes())
	}
	return ans.tracks, nil
}

// pastQuery returns how q is asked of a server that takes any step.
func (c *Client) pastQuery(q *rules.RangeQuery, times grid) (*pastQuery, error) {
	if c.prometheus.past == nil {
		return nil, fmt.Errorf("%s: no path is appended to this URL: %w", c.prometheus.at.shown, ErrNoRange)
	}
	return &pastQuery{
		prometheus: c.prometheus,
		times:      times,
		step:       stepString(q.Step),
		usual:      c.prometheus.usualStep(&q.Query),
	}, nil
}

// pastProtocol is a protocol for one range query.
type pastProtocol interface {
	protocol
	span() grid // the times asked for
}

// askPast asks p, which is q or a part of it.
func (c *Client) askPast(ctx context.Context, q *rules.RangeQuery, p pastProtocol) (answer, error) {
	e := p.endpoint().of(q.Tenant)
	if err := c.enter(ctx, e); err != nil {
		return answer{}, err
	}
	defer c.leave()
	times := p.span()
	args := p.arguments(make([]argument, 0, usualRangeArguments+len(q.Params)), &q.Query)
	if q.Debug {
		c.log.Info("range query sent", "expr", q.Expr, "from", times.first(), "to", times.last(), "step", times.distance(),
			"request", commandLine(e, args, q.Headers))
	}
	c.counters.ranges.Inc()
	began := time.Now()
	m := newMessage(e, args, q.Headers, times.steps() >= compressSteps || c.long.has(q.Expr))
	ans, err := c.ask(ctx, p, &m)
	if err != nil {
		return answer{}, err
	}
	if q.Debug {
		c.log.Info("range query answered", "expr", q.Expr, "from", times.first(), "to", times.last(),
			"duration", time.Since(began), "series", len(ans.tracks), "partial", ans.Partial)
	}
	c.count(q.Type, &ans) // its warnings are logged when the instant query has them
	return ans, nil
}
