package app

import (
	"fmt"
	"time"

	"tocsin/internal/httpx"
	"tocsin/internal/pushmetrics"
)

// lastPush is how long the push at the end of the process may take.
const lastPush = 5 * time.Second

// startPushing has the metrics pushed, if that is asked for, until everything else
// has ended, so that the last push tells of the end, too.
func (a *App) startPushing() error {
	o := &a.opts.Metrics
	if len(o.PushURLs) == 0 {
		return nil
	}
	t, err := a.transport("pushmetrics", httpx.ClientOptions{
		Headers:            append([]string{"Content-Type: text/plain"}, o.PushHeaders...),
		IdleConnTimeout:    50 * time.Second,
		MaxIdleConnections: 1,
	})
	if err != nil {
		return err
	}
	p, err := pushmetrics.New(pushmetrics.Options{
		URLs: o.PushURLs, Interval: o.PushInterval, Labels: o.PushLabels,
		DisableCompression: o.PushUncompressed, Transport: t, Write: a.writeMetrics,
		Metrics: a.metrics, Log: a.log.With("part", "pushmetrics"),
	})
	if err != nil {
		return fmt.Errorf("-pushmetrics.url: %w", err)
	}
	a.closers.add("metrics", lastPush, p.Close)
	p.Start()
	return nil
}
