package main

import (
	"errors"
	"fmt"
	"time"

	"tocsin/internal/app"
	"tocsin/internal/httpx"
)

// notifierFlags are the flags of the Alertmanagers.
type notifierFlags struct {
	urls        *list[string]
	sendTimeout *list[time.Duration]
	targets     *targetFlags
}

func addNotifierFlags(f *flagSet, o *app.NotifierOptions) *notifierFlags {
	f.topic = topicNotifier
	n := &notifierFlags{urls: f.strings("notifier.url", "Alertmanager to send alerts to; every one given gets all alerts. Required for alerting rules, unless -notifier.blackhole is set")}
	f.bool(&o.Blackhole, "notifier.blackhole", false, "Evaluate alerting rules but send no alerts")
	f.bool(&o.ShowURL, "notifier.showURL", false, "Show -notifier.url whole in logs, pages and metrics; otherwise user, password and values of its query are hidden")
	f.bool(&o.SuppressDuplicateErrors, "notifier.suppressDuplicateTargetErrors", false, "Do not report Alertmanagers that are found more than once")
	n.sendTimeout = f.durations("notifier.sendTimeout", 10*time.Second, "Most time one request to Alertmanager may take")
	f.int(&o.MaxBatchSize, "notifier.maxBatchSize", 1000, "Most alerts in one request")
	f.duration(&o.MaxAge, "notifier.maxAge", 120*time.Hour, "How long the end of an alert is kept for an Alertmanager that does not take it; by default as long as Alertmanager remembers whom it told of what")
	f.duration(&o.DrainTimeout, "notifier.drainTimeout", 5*time.Second, "How long to go on sending queued alerts at shutdown")
	n.targets = addTargetFlags(f, "notifier", "vmalert_notifier", false)
	return n
}

// options fills in the URLs with their targets, or returns everything that is
// wrong with them.
func (n *notifierFlags) options(o *app.NotifierOptions) error {
	var errs []error
	if o.Blackhole && len(n.urls.items) > 0 {
		errs = append(errs, errors.New("-notifier.url and -notifier.blackhole exclude each other"))
	}
	for i, url := range n.urls.items {
		if _, err := httpx.ParseURL(url); err != nil {
			errs = append(errs, fmt.Errorf("-notifier.url: address %d: %w", i+1, err))
		}
		target, err := n.target(i)
		errs = append(errs, err)
		o.Targets = append(o.Targets, target)
	}
	o.URLs = n.urls.items
	return errors.Join(errs...)
}

// target returns the connection of the i-th URL.
func (n *notifierFlags) target(i int) (app.NotifierTarget, error) {
	client, clientErr := n.targets.client(i, len(n.urls.items))
	timeout := n.sendTimeout.at(i)
	var timeoutErr error
	if timeout <= 0 {
		timeoutErr = fmt.Errorf("-notifier.sendTimeout (address %d) must be more than 0", i+1)
	}
	return app.NotifierTarget{Client: client, SendTimeout: timeout}, errors.Join(clientErr, timeoutErr)
}

// surplus warns of connection values that belong to no URL.
func (n *notifierFlags) surplus() []string {
	urls := len(n.urls.items)
	return append(n.targets.surplus(urls), n.targets.warn("sendTimeout", len(n.sendTimeout.items), urls)...)
}
