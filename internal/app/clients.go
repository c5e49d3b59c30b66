package app

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"tocsin/internal/datasource"
	"tocsin/internal/httpx"
	"tocsin/internal/remotewrite"
	"tocsin/rules"
)

// transport builds the transport of one endpoint and closes it with the app.
func (a *App) transport(name string, o httpx.ClientOptions) (http.RoundTripper, error) {
	o.Lookup = httpx.Lookup{IPv4Only: !a.opts.HTTP.Server.IPv6, Log: a.log.With("client", name)}
	t, err := o.RoundTripper(a.metrics)
	if err != nil {
		return nil, fmt.Errorf("-%s: %w", name, err)
	}
	a.closers.add(name+" connections", 0, closing(t))
	return t, nil
}

func closing(c io.Closer) func(context.Context) error {
	return func(context.Context) error { return c.Close() }
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
		AppendTypePrefix: o.AppendTypePrefix, DisablePathAppend: a.opts.RemoteRead.DisablePathAppend,
		ClusterMode: a.opts.Tenants.Enabled, RoundDigits: o.RoundDigits, ShowURL: o.ShowURL,
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
		DisablePathAppend: o.DisablePathAppend, ClusterMode: a.opts.Tenants.Enabled,
		ShowURL: o.ShowURL, Log: a.log.With("client", "remote read"),
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
		DisablePathAppend: o.DisablePathAppend, ClusterMode: a.opts.Tenants.Enabled, ShowURL: o.ShowURL,
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
