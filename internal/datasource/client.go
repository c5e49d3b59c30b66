// Package datasource asks Prometheus, VictoriaMetrics, Graphite and VictoriaLogs
// instant and range queries.
//
// A Client owns the shape of the request and the reading of the answer; the
// connection, with its TLS, authentication and flag headers, belongs to the
// RoundTripper it is given. That RoundTripper must leave alone the headers a
// request already has: those of a rule group win over those of the flags.
//
// What depends on a query's type (the arguments sent, the decoding of the
// answer) is behind protocol; the cap on queries in flight, sending, retrying,
// redirects, errors and metrics are the same for all.
package datasource

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"tocsin/config"
	"tocsin/rules"
)

// defaultMaxResponseSize is the longest answer, in bytes after decompression,
// that a Client reads unless told otherwise.
const defaultMaxResponseSize = 1 << 30

// compressFrom is the length of an answer, in bytes, from which the next answer
// to the same expression is asked for compressed. VictoriaMetrics compresses
// however little it has to say, which makes a short answer longer and costs both
// sides more than the query.
const compressFrom = 64 << 10

// Options says where queries go and how they are asked.
type Options struct {
	// URL is the base address. Its query arguments go with every query; a user and
	// password in it become basic authentication.
	URL       string
	Transport http.RoundTripper

	QueryStep         time.Duration // the step argument; 0 is the group's interval
	DisableStepParam  bool          // send no step
	AppendTypePrefix  bool          // put the type, as in "/prometheus", after the path of URL
	DisablePathAppend bool          // append no path of an API; Graphite's /render is appended all the same
	ClusterMode       bool          // put "/select/", the tenant of the query and the type after the path of URL
	RoundDigits       int           // the round_digits argument; 0 sends none
	ShowURL           bool          // show the values of URL's query arguments in errors and requests

	MaxConcurrency  int   // most queries in flight; 0 is no cap
	MaxResponseSize int64 // bytes after decompression; 0 is a gibibyte

	Metrics *metrics.Set // nil counts for nobody
	Log     *slog.Logger // nil logs nothing
}

// Client asks one datasource. It may be used from many goroutines and has
// nothing to close.
type Client struct {
	transport  http.RoundTripper
	prometheus *prometheus
	graphite   *graphite
	vlogs      *vlogs
	slots      chan struct{} // one element per query in flight; nil is no cap
	limit      int64         // bytes of an answer

	log      *slog.Logger
	counters counters
	warned   exprSet // last answered with warnings
	long     exprSet // last answered at length
	// stepMatters tells whether the last answer to a query of type prometheus was
	// VictoriaMetrics', where the results of selectors without a range depend on
	// the step.
	stepMatters atomic.Bool
}

var _ rules.Querier = (*Client)(nil)

// protocol is what depends on the type of an instant query.
type protocol interface {
	service
	// arguments appends the form arguments by which q is asked to dst.
	arguments(dst []argument, q *rules.Query) []argument
}

// service is who answers queries of one kind, and how the answers are read.
type service interface {
	endpoint() *endpoint
	// decode reads an answer of at most limit bytes. Its error wraps that of r when
	// r fails, and is a *remoteError when the answer reports one.
	decode(r io.Reader, limit int64) (answer, error)
}

// New returns a client for o, or an error if the URL is no http(s) URL or there
// is no transport. It connects to nothing.
func New(o Options) (*Client, error) {
	if o.Transport == nil {
		return nil, errors.New("datasource needs a transport")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Metrics == nil {
		o.Metrics = metrics.NewSet()
	}
	if o.MaxResponseSize <= 0 {
		o.MaxResponseSize = defaultMaxResponseSize
	}
	c := &Client{
		transport: o.Transport,
		limit:     o.MaxResponseSize,
		log:       o.Log,
		counters:  newCounters(o.Metrics),
	}
	var err error
	if c.prometheus, err = newPrometheus(&o); err != nil {
		return nil, err
	}
	if c.graphite, err = newGraphite(&o); err != nil {
		return nil, err
	}
	if c.vlogs, err = newVLogs(&o); err != nil {
		return nil, err
	}
	if o.MaxConcurrency > 0 {
		c.slots = make(chan struct{}, o.MaxConcurrency)
	}
	return c, nil
}

// path returns what comes after the path of URL where queries of type t are asked.
func (o *Options) path(t config.Type) string {
	prefix, path := "/prometheus", "/api/v1/query"
	switch t {
	case config.Graphite:
		prefix, path = "/graphite", "/render"
	case config.VLogs:
		prefix, path = "", "/select/logsql/stats_query" // VictoriaLogs shares its address with no other type
	}
	switch {
	case o.ClusterMode && t != config.VLogs:
		prefix = "/select/" + tenantMark + prefix
	case !o.AppendTypePrefix:
		prefix = ""
	}
	if o.DisablePathAppend && t != config.Graphite {
		path = ""
	}
	return prefix + path
}

func (c *Client) protocol(t config.Type) (protocol, error) {
	switch t {
	case config.Prometheus, "":
		return c.prometheus, nil
	case config.Graphite:
		return c.graphite, nil
	case config.VLogs:
		return c.vlogs, nil
	}
	return nil, fmt.Errorf("queries of type %q are not supported", t)
}

// Query returns the answer to q. A broken connection is tried once more with a
// fresh request, unless ctx has ended. The error names the endpoint, without
// secrets, and wraps rules.ErrRejected when the datasource refused the query
// itself.
func (c *Client) Query(ctx context.Context, q rules.Query) (rules.Result, error) {
	p, err := c.protocol(q.Type)
	if err != nil {
		return rules.Result{}, err
	}
	e := p.endpoint().of(q.Tenant)
	if err := c.enter(ctx, e); err != nil {
		return rules.Result{}, err
	}
	defer c.leave()
	if q.Debug {
		c.log.Info("query sent", "expr", q.Expr, "at", q.Time, "request", c.Request(q))
	}
	began := time.Now()
	args := p.arguments(make([]argument, 0, usualArguments+len(q.Params)), &q)
	m := newMessage(e, args, q.Headers, c.long.has(q.Expr))
	ans, err := c.ask(ctx, p, &m)
	if err != nil {
		return rules.Result{}, err
	}
	if q.Debug {
		c.log.Info("query answered", "expr", q.Expr, "at", q.Time, "duration", time.Since(began),
			"samples", len(ans.Samples), "series_fetched", ans.SeriesFetched, "partial", ans.Partial)
	}
	c.count(q.Type, &ans)
	c.long.put(q.Expr, ans.size >= compressFrom)
	c.noteWarnings(q.Expr, &ans)
	return ans.Result, nil
}

// enter waits for a slot to ask e.
func (c *Client) enter(ctx context.Context, e *endpoint) error {
	if c.slots == nil {
		return nil
	}
	select {
	case c.slots <- struct{}{}:
		return nil
	default:
	}
	c.counters.waiting.Inc()
	defer c.counters.waiting.Dec()
	select {
	case c.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%s: waiting for a free query slot: %w", e.shown, ctx.Err())
	}
}

func (c *Client) leave() {
	if c.slots != nil {
		<-c.slots
	}
}

// count takes in what an answer to a query of type t says besides its samples.
func (c *Client) count(t config.Type, ans *answer) {
	metrics := t == config.Prometheus || t == ""
	if metrics && c.stepMatters.Load() != ans.victoria {
		c.stepMatters.Store(ans.victoria)
	}
	if ans.histograms > 0 {
		c.counters.histograms.Add(ans.histograms)
	}
	if ans.Partial {
		c.counters.partial.Inc()
	}
	if ans.warned > 0 {
		c.counters.warnings.Add(ans.warned)
	}
}

// noteWarnings logs when instant queries of expr begin or cease to be answered
// with warnings.
func (c *Client) noteWarnings(expr string, ans *answer) {
	if !c.warned.put(expr, ans.warned > 0) {
		return
	}
	if ans.warned > 0 {
		c.log.Warn("datasource answers a query with warnings", "expr", expr, "warnings", ans.warnings)
	} else {
		c.log.Info("datasource answers a query without warnings again", "expr", expr)
	}
}
