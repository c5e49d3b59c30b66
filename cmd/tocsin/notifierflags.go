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
	n := &notifierFlags{urls: f.strings("notifier.url", "Alertmanager to send alerts to; every one given gets all alerts. Required for alerting rules, unless -notifier.config or -notifier.blackhole is set")}
	f.string(&o.Config, "notifier.config", "", "File, or http(s) URL of one, that says which Alertmanagers there are or how they are discovered, and how alerts are relabeled, instead of -notifier.url; read again with the rules")
	f.bool(&o.Blackhole, "notifier.blackhole", false, "Evaluate alerting rules but send no alerts")
	f.bool(&o.ShowURL, "notifier.showURL", false, "Show -notifier.url whole in logs, pages and metrics; otherwise user, password and values of its query are hidden")
	f.bool(&o.SuppressDuplicateErrors, "notifier.suppressDuplicateTargetErrors", false, "Do not report Alertmanagers that are found more than once")
	n.sendTimeout = f.durations("notifier.sendTimeout", 10*time.Second, "Most time one request to Alertmanager may take")
	f.int(&o.MaxBatchSize, "notifier.maxBatchSize", 1000, "Most alerts in one request")
	f.duration(&o.MaxAge, "notifier.maxAge", 120*time.Hour, "How long the end of an alert is kept for an Alertmanager that does not take it; by default as long as Alertmanager remembers whom it told of what")
	f.duration(&o.DrainTimeout, "notifier.drainTimeout", 5*time.Second, "How long to go on sending queued alerts at shutdown")
	n.targets = addTargetFlags(f, "notifier", "vmalert_notifier", false)
	d := &o.Discovery
	f.duration(&d.ConsulInterval, "promscrape.consulSDCheckInterval", 30*time.Second, "How often Consul is asked by consul_sd_configs of -notifier.config that have no refresh_interval")
	f.duration(&d.ConsulWait, "promscrape.consul.waitTime", 0, "How long Consul may wait for a change before it answers, at most 10m; 5m if it is not more than 1s")
	f.duration(&d.DNSInterval, "promscrape.dnsSDCheckInterval", 30*time.Second, "How often names are looked up by dns_sd_configs of -notifier.config that have no refresh_interval")
	return n
}

// options fills in the URLs with their targets, or returns everything that is
// wrong with them.
func (n *notifierFlags) options(o *app.NotifierOptions) error {
	errs := []error{n.checkChoice(o)}
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

// checkChoice refuses more than one way to say who is told.
func (n *notifierFlags) checkChoice(o *app.NotifierOptions) error {
	var given []string
	for _, way := range []struct {
		flag string
		set  bool
	}{
		{"-notifier.url", len(n.urls.items) > 0},
		{"-notifier.config", o.Config != ""},
		{"-notifier.blackhole", o.Blackhole},
	} {
		if way.set {
			given = append(given, way.flag)
		}
	}
	switch len(given) {
	case 2:
		return fmt.Errorf("%s and %s exclude each other", given[0], given[1])
	case 3:
		return errors.New("-notifier.url, -notifier.config and -notifier.blackhole exclude one another")
	}
	return nil
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
func (n *notifierFlags) surplus(config string) []string {
	if config != "" {
		return n.besideConfig()
	}
	urls := len(n.urls.items)
	return append(n.targets.surplus(urls), n.targets.warn("sendTimeout", len(n.sendTimeout.items), urls)...)
}

// besideConfig warns of connection values which the notifier file has to say.
func (n *notifierFlags) besideConfig() []string {
	var given []string
	for _, text := range n.targets.texts {
		if len(text.given) > 0 {
			given = append(given, text.suffix)
		}
	}
	if len(n.targets.skipVerify.items) > 0 {
		given = append(given, "tlsInsecureSkipVerify")
	}
	if len(n.sendTimeout.items) > 0 {
		given = append(given, "sendTimeout")
	}
	warnings := make([]string, len(given))
	for i, suffix := range given {
		warnings[i] = "-notifier." + suffix + " is for -notifier.url; with -notifier.config the file has to say it"
	}
	return warnings
}
