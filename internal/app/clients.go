package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"tocsin/internal/alertmanager"
	"tocsin/internal/datasource"
	"tocsin/internal/httpx"
	"tocsin/internal/journal"
	"tocsin/internal/remotewrite"
	"tocsin/rules"
)

// transport builds the transport of one endpoint and closes it with the app.
func (a *App) transport(name string, o httpx.ClientOptions) (http.RoundTripper, error) {
	t, err := o.RoundTripper(a.metrics)
	if err != nil {
		return nil, fmt.Errorf("-%s: %w", name, err)
	}
	a.closers.add(name+" connections", 0, closing(t))
	return t, nil
}

// ruleTransport builds the transport by which rule files are fetched.
func ruleTransport(m *metrics.Set) (*httpx.Transport, error) {
	if m == nil {
		m = metrics.NewSet()
	}
	return httpx.ClientOptions{MetricsPrefix: "tocsin_rule_files", MaxIdleConnections: 1, IdleConnTimeout: 50 * time.Second}.RoundTripper(m)
}

func closing(t *httpx.Transport) func(context.Context) error {
	return func(context.Context) error { return t.Close() }
}

// querier builds the client of -datasource.url.
func (a *App) querier() (*datasource.Client, error) {
	o := &a.opts.Datasource
	client := o.Client
	client.ManySmall = true
	t, err := a.transport("datasource", client)
	if err != nil {
		return nil, err
	}
	c, err := datasource.New(datasource.Options{
		URL: o.URL, Transport: t, QueryStep: o.QueryStep, DisableStepParam: o.DisableStepParam,
		AppendTypePrefix: o.AppendTypePrefix, RoundDigits: o.RoundDigits, ShowURL: o.ShowURL,
		MaxConcurrency: o.MaxConcurrency, Metrics: a.metrics, Log: a.log.With("client", "datasource"),
	})
	if err != nil {
		return nil, fmt.Errorf("-datasource.url: %w", err)
	}
	return c, nil
}

// restorer builds the client of -remoteRead.url; nil if there is none.
func (a *App) restorer(c *rules.Counters) (*rules.Restorer, error) {
	o := &a.opts.RemoteRead
	if o.URL == "" {
		return nil, nil
	}
	t, err := a.transport("remoteRead", o.Client)
	if err != nil {
		return nil, err
	}
	q, err := datasource.New(datasource.Options{
		URL: o.URL, Transport: t, QueryStep: a.opts.Datasource.QueryStep,
		DisablePathAppend: o.DisablePathAppend, ShowURL: o.ShowURL, Log: a.log.With("client", "remote read"),
	})
	if err != nil {
		return nil, fmt.Errorf("-remoteRead.url: %w", err)
	}
	return rules.NewRestorer(q, o.Lookback, c), nil
}

// writers builds the clients of -remoteWrite.url; nil if there are none.
func (a *App) writers() (*remotewrite.Set, error) {
	o := &a.opts.RemoteWrite
	if len(o.Targets) == 0 {
		return nil, nil
	}
	targets := make([]remotewrite.Target, len(o.Targets))
	for i := range o.Targets {
		t, err := a.transport("remoteWrite", o.Targets[i].Client)
		if err != nil {
			return nil, err
		}
		targets[i] = remotewrite.Target{URL: o.Targets[i].URL, Transport: t}
	}
	set, err := remotewrite.NewSet(remotewrite.Options{
		DisablePathAppend: o.DisablePathAppend, ShowURL: o.ShowURL,
		Concurrency: o.Concurrency, FlushInterval: o.FlushInterval,
		MaxBatchSize: o.MaxBatchSize, MaxQueueSize: o.MaxQueueSize,
		RetryMinInterval: o.RetryMinInterval, RetryMaxTime: o.RetryMaxTime, SendTimeout: o.SendTimeout,
		Metrics: a.metrics, Log: a.log.With("client", "remote write"),
	}, targets)
	if err != nil {
		return nil, fmt.Errorf("-remoteWrite.url: %w", err)
	}
	return set, nil
}

// notifiers is who is told of alerts, and how they are doing.
type notifiers interface {
	journal.Notifier
	Targets() []alertmanager.Status
}

// notifier builds and starts the clients of -notifier.url; nil if there are none.
func (a *App) notifier() (notifiers, error) {
	o := &a.opts.Notifier
	if o.Blackhole {
		b := alertmanager.NewBlackhole(a.metrics)
		b.Start()
		return b, nil
	}
	if len(o.URLs) == 0 {
		return nil, nil
	}
	endpoints := make([]alertmanager.Endpoint, len(o.URLs))
	for i, u := range o.URLs {
		t, err := a.transport("notifier", o.Targets[i].Client)
		if err != nil {
			return nil, err
		}
		endpoints[i] = alertmanager.Endpoint{URL: u, Transport: t, SendTimeout: o.Targets[i].SendTimeout}
	}
	targets, err := alertmanager.NewTargets(alertmanager.Options{
		MaxBatchSize: o.MaxBatchSize, MaxAge: o.MaxAge, ShowURL: o.ShowURL,
		SuppressDuplicates: o.SuppressDuplicateErrors, Log: a.log.With("client", "notifier"),
	}, endpoints)
	if err != nil {
		return nil, fmt.Errorf("-notifier.url: %w", err)
	}
	set := alertmanager.NewSet(a.metrics, targets)
	set.Start()
	a.closers.add("notifiers", o.DrainTimeout, func(ctx context.Context) error {
		err := set.Close(ctx)
		if a.journal != nil && errors.Is(err, alertmanager.ErrUndelivered) {
			a.log.Info("alerts are left for the next run to deliver", "reason", err)
			return nil
		}
		return err
	})
	return set, nil
}
