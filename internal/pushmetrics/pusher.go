// Package pushmetrics sends the metrics of this process to where they are
// collected, for places that nobody can scrape.
//
// A Pusher owns one goroutine for each URL, from Start until Close has returned.
// A push that fails is not repeated: the next one says more.
package pushmetrics

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"tocsin/internal/httpx"
)

// Options is what a Pusher is made of.
type Options struct {
	URLs     []string
	Interval time.Duration // between pushes, also before the first; > 0
	// Labels are added to every series that does not have one of the name.
	Labels             []Label
	DisableCompression bool
	// Transport adds headers and credentials. It is the caller's to close.
	Transport http.RoundTripper
	// Write writes the metrics in the Prometheus text format, without timestamps.
	Write func(io.Writer)

	Metrics *metrics.Set
	Log     *slog.Logger
}

// Pusher pushes metrics to every URL.
type Pusher struct {
	targets  []*target
	interval time.Duration

	stop    context.CancelFunc
	stopped context.Context
	running sync.WaitGroup
}

// New returns a Pusher that has to be started. Errors do not show the URL.
func New(o Options) (*Pusher, error) {
	p := &Pusher{interval: o.Interval}
	var errs []error
	for i, address := range o.URLs {
		u, err := httpx.ParseURL(address)
		if err != nil {
			errs = append(errs, fmt.Errorf("address %d: %w", i+1, err))
			continue
		}
		p.targets = append(p.targets, newTarget(u, &o))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	p.stopped, p.stop = context.WithCancel(context.Background())
	return p, nil
}

// Start begins to push.
func (p *Pusher) Start() {
	for _, t := range p.targets {
		p.running.Go(func() { p.run(t) })
	}
}

func (p *Pusher) run(t *target) {
	tick := time.NewTicker(p.interval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			ctx, cancel := context.WithTimeout(p.stopped, max(p.interval, time.Second))
			t.push(ctx)
			cancel()
		case <-p.stopped.Done():
			return
		}
	}
}

// Close ends the pushes under way and pushes a last time, within ctx, so that what
// happened since is not missing. That it fails is logged and counted as ever.
func (p *Pusher) Close(ctx context.Context) error {
	p.stop()
	p.running.Wait()
	for _, t := range p.targets {
		p.running.Go(func() { t.push(ctx) })
	}
	p.running.Wait()
	return nil
}
