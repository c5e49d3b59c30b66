package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/internal/alertmanager"
	"tocsin/internal/journal"
)

// DiscoveryOptions says how often those are asked who know where Alertmanagers are,
// where the notifier file does not say.
type DiscoveryOptions struct {
	ConsulInterval time.Duration
	ConsulWait     time.Duration // how long Consul may wait for changes; 0 is as discovery has it
	DNSInterval    time.Duration
}

// notifiers is who is told of alerts, and how they are doing.
type notifiers interface {
	journal.Notifier
	Targets() []alertmanager.Status
	Waiting() int // alerts that wait for an Alertmanager to be found
	Deliveries(labels.Labels) []alertmanager.Delivery
}

// wanted reports whether somebody is to be told of alerts.
func (o *NotifierOptions) wanted() bool { return len(o.URLs) > 0 || o.Config != "" }

// notifier builds and starts the clients of the Alertmanagers; nil if there are
// none.
func (a *App) notifier(ctx context.Context) (notifiers, error) {
	o := &a.opts.Notifier
	switch {
	case o.Blackhole:
		b := alertmanager.NewBlackhole(a.metrics)
		b.Start()
		return b, nil
	case !o.wanted():
		return nil, nil
	}
	set := alertmanager.NewSet(alertmanager.Options{
		MaxBatchSize: o.MaxBatchSize, MaxAge: o.MaxAge, ShowURL: o.ShowURL,
		SuppressDuplicates: o.SuppressDuplicateErrors, Log: a.log.With("client", "notifier"),
	}, a.metrics)
	use := a.useURLs
	if o.Config != "" {
		use = a.useFile
	}
	if err := use(ctx, set); err != nil {
		return nil, err
	}
	set.Start()
	a.closers.add("notifiers", o.DrainTimeout, func(ctx context.Context) error {
		if a.notifierFile != nil {
			a.notifierFile.end()
		}
		err := set.Close(ctx)
		if a.journal != nil && errors.Is(err, alertmanager.ErrUndelivered) {
			a.log.Info("alerts are left for the next run to deliver", "reason", err)
			return nil
		}
		return err
	})
	return set, nil
}

// useURLs makes those of -notifier.url the targets.
func (a *App) useURLs(ctx context.Context, set *alertmanager.Set) error {
	o := &a.opts.Notifier
	endpoints := make([]alertmanager.Endpoint, len(o.URLs))
	for i, u := range o.URLs {
		t, err := a.transport("notifier", o.Targets[i].Client)
		if err != nil {
			return err
		}
		endpoints[i] = alertmanager.Endpoint{
			URL: u, Transport: t, SendTimeout: o.Targets[i].SendTimeout, Kind: "static",
		}
	}
	if err := set.Use(ctx, endpoints); err != nil {
		return fmt.Errorf("-notifier.url: %w", err)
	}
	return nil
}

// useFile makes those of -notifier.config the targets, as far as they are found
// soon enough, and follows them from then on.
func (a *App) useFile(ctx context.Context, set *alertmanager.Set) error {
	t, err := a.transport("notifier.config", fileClient())
	if err != nil {
		return err
	}
	f := newNotifierFile(a.opts, t, a.metrics, a.log.With("client", "notifier"))
	plan, problems := f.prepare(ctx)
	if len(problems) > 0 {
		return located(problems...)
	}
	a.notifierFile = f
	// As those of -notifier.url, these are closed after the set has used them last.
	a.closers.add("notifier connections", 0, func(context.Context) error {
		f.disconnect()
		return nil
	})
	f.start(set)
	f.commit(ctx, plan)
	return nil
}
