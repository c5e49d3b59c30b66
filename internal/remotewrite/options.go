package remotewrite

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"tocsin/internal/httpx"
)

// Target is one storage.
type Target struct {
	URL       string            // http or https
	Transport http.RoundTripper // nil is http.DefaultTransport
}

// Options says where samples are written and how. Of the numbers and durations,
// zero and less mean vmalert's default, in parentheses.
type Options struct {
	Target
	DisablePathAppend bool // URL is complete; else /api/v1/write is appended to its path
	ClusterMode       bool // and before that the path for samples of many tenants, told by their labels
	ShowURL           bool // show the query of URL in errors and logs

	// Borrowed says that what is appended is kept elsewhere until it is settled.
	// Then no sample is given up or counted as dropped for want of room, nor at
	// Close.
	Borrowed bool

	Metrics *metrics.Set
	Log     *slog.Logger

	Concurrency      int           // requests in flight (4); more than 64 count as 64
	FlushInterval    time.Duration // longest time a sample waits for company (2s)
	MaxBatchSize     int           // series per request (10000)
	MaxQueueSize     int           // series that wait (100000)
	RetryMinInterval time.Duration // pause before the first retry (1s)
	RetryMaxTime     time.Duration // a sample refused for longer may be given up for a newer one (30s)
	SendTimeout      time.Duration // for one request (30s)

	name string // of the target among several; "" if it is the only one
}

const maxConcurrency = 64

func (o Options) withDefaults() Options {
	defaultTo(&o.Concurrency, 4)
	o.Concurrency = min(o.Concurrency, maxConcurrency)
	defaultTo(&o.FlushInterval, 2*time.Second)
	defaultTo(&o.MaxBatchSize, 10_000)
	defaultTo(&o.MaxQueueSize, 100_000)
	defaultTo(&o.RetryMinInterval, time.Second)
	defaultTo(&o.RetryMaxTime, 30*time.Second)
	defaultTo(&o.SendTimeout, 30*time.Second)
	return o
}

func defaultTo[T int | time.Duration](value *T, fallback T) {
	if *value <= 0 {
		*value = fallback
	}
}

// address returns the address to post to and the name it has in errors and logs.
func (o *Options) address() (u *url.URL, name string, err error) {
	u, err = httpx.ParseURL(o.URL)
	if err != nil {
		return nil, "", fmt.Errorf("remote write: %w", err)
	}
	switch {
	case o.DisablePathAppend:
	case o.ClusterMode:
		// One path for all tenants: requests need not be divided among them.
		u = u.JoinPath("insert/multitenant/prometheus/api/v1/write")
	default:
		u = u.JoinPath("api/v1/write")
	}
	if o.ShowURL {
		return u, u.Redacted(), nil
	}
	return u, httpx.RedactURL(u.String()), nil
}
