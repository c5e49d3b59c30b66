package datasource

import (
	"context"
	"fmt"
	"time"

	"tocsin/config"
	"tocsin/rules"
)

// ErrNoRange is wrapped by the error of a range query which cannot be answered
// however often it is asked, although instant queries for its times could be: of
// another type than prometheus, asked of a URL whose path is used as it is, or
// answered for other times. It wraps rules.ErrRejected.
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
// It is one request, or several one after the other where the server's answer
// depends on the step (see lanes), all of them within ctx. Each counts towards
// the cap of queries in flight, and is tried again as that of Query is. Errors
// are as there, and some wrap ErrNoRange.
//
// The number of steps is the server's to bound; Prometheus refuses more than
// 11,000.
func (c *Client) QueryRange(ctx context.Context, q rules.RangeQuery) ([]rules.Track, error) {
	p, err := c.pastQuery(&q)
	if err != nil {
		return nil, err
	}
	if lanes := p.lanes(); lanes == 1 || c.stepMatters.Load() {
		return c.askLanes(ctx, &q, p, lanes)
	}
	ans, err := c.askPast(ctx, &q, p)
	if err != nil {
		return nil, err
	}
	if c.stepMatters.Load() { // it had not been asked anything yet
		return c.askLanes(ctx, &q, p, p.lanes())
	}
	return ans.tracks, nil
}

// pastQuery returns how q is asked of a server that takes any step.
func (c *Client) pastQuery(q *rules.RangeQuery) (*pastQuery, error) {
	if q.Type != config.Prometheus && q.Type != "" {
		return nil, fmt.Errorf("range query of type %q: %w", q.Type, ErrNoRange)
	}
	if c.prometheus.past == nil {
		return nil, fmt.Errorf("%s: the path of this URL is used as it is: %w", c.prometheus.at.shown, ErrNoRange)
	}
	times, err := newGrid(q)
	if err != nil {
		return nil, err
	}
	return &pastQuery{
		prometheus: c.prometheus,
		times:      times,
		step:       stepString(q.Step),
		usual:      c.prometheus.usualStep(&q.Query),
	}, nil
}

// askPast asks p, which is q or a part of it.
func (c *Client) askPast(ctx context.Context, q *rules.RangeQuery, p *pastQuery) (answer, error) {
	if err := c.enter(ctx, p); err != nil {
		return answer{}, err
	}
	defer c.leave()
	args := p.arguments(make([]argument, 0, usualRangeArguments+len(q.Params)), &q.Query)
	if q.Debug {
		c.log.Info("range query sent", "expr", q.Expr, "from", p.times.first(), "to", p.times.last(), "step", p.step,
			"request", commandLine(p.endpoint(), args, q.Headers))
	}
	c.counters.ranges.Inc()
	began := time.Now()
	m := newMessage(p.endpoint(), args, q.Headers, p.times.steps() >= compressSteps || c.long.has(q.Expr))
	ans, err := c.ask(ctx, p, &m)
	if err != nil {
		return answer{}, err
	}
	if q.Debug {
		c.log.Info("range query answered", "expr", q.Expr, "from", p.times.first(), "to", p.times.last(),
			"duration", time.Since(began), "series", len(ans.tracks), "partial", ans.Partial)
	}
	c.count(&ans) // its warnings are logged when the instant query has them
	return ans, nil
}
