package main

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"tocsin/internal/app"
	"tocsin/internal/httpx"
)

// remoteWriteFlags are the flags of the storages that results are written to.
type remoteWriteFlags struct {
	urls    urlList
	targets *targetFlags
	// common is what the connections of all targets have in common.
	common httpx.ClientOptions
}

func addRemoteWriteFlags(f *flagSet, o *app.RemoteWriteOptions) *remoteWriteFlags {
	f.topic = topicRemoteWrite
	w := &remoteWriteFlags{}
	f.add(&w.urls, "remoteWrite.url", "Where results of recording rules and the state of alerts are written; every URL given gets all of them, from a queue of its own, and the lists below pair with it: one value is for all URLs. Required for recording rules")
	f.bool(&o.ShowURL, "remoteWrite.showURL", false, "Show -remoteWrite.url whole in logs, pages and metrics; otherwise user, password and values of its query are hidden")
	f.bool(&o.DisablePathAppend, "remoteWrite.disablePathAppend", false, "Use the URL as it is instead of appending /api/v1/write")
	concurrency := f.int(&o.Concurrency, "remoteWrite.concurrency", usualConcurrency(), "Requests in flight, for each URL")
	concurrency.defaultDoc = "twice the CPUs"
	f.duration(&o.FlushInterval, "remoteWrite.flushInterval", 2*time.Second, "Longest a series waits for its batch to fill")
	f.int(&o.MaxBatchSize, "remoteWrite.maxBatchSize", 10_000, "Most series in one request")
	f.int(&o.MaxQueueSize, "remoteWrite.maxQueueSize", 100_000, "Most series that wait to be sent, for each URL")
	f.duration(&o.RetryMinInterval, "remoteWrite.retryMinInterval", time.Second, "Wait before the first retry; it doubles with every further one")
	f.duration(&o.RetryMaxTime, "remoteWrite.retryMaxTime", 30*time.Second, "While storage fails, series wait for at least this long; after it, and without -storage.path only, the oldest are given up if newer ones need their room. A replay ends that could write nothing for this long")
	f.duration(&o.SendTimeout, "remoteWrite.sendTimeout", 30*time.Second, "Most time one request may take")
	f.duration(&o.DrainTimeout, "remoteWrite.drainTimeout", 5*time.Second, "How long to go on writing queued series at shutdown")

	// vmalert has one URL, and so no lists.
	w.targets = addTargetFlags(f, "remoteWrite", "vmalert_remotewrite", true)
	f.connection = true
	defer func() { f.connection = false }()
	f.duration(&w.common.IdleConnTimeout, "remoteWrite.idleConnTimeout", idleConnTimeout, idleConnTimeoutHelp)
	f.int(&w.common.MaxIdleConnections, "remoteWrite.maxIdleConnections", 100, "Most idle connections kept for later requests")
	return w
}

// usualConcurrency is what stands for 0 as well.
func usualConcurrency() int { return 2 * runtime.GOMAXPROCS(0) }

// options fills in the targets, or returns everything that is wrong with them.
func (w *remoteWriteFlags) options(o *app.RemoteWriteOptions) error {
	if o.Concurrency <= 0 {
		o.Concurrency = usualConcurrency()
	}
	n := len(w.urls.items)
	if n == 0 {
		_, err := w.targets.client(0, 1) // a mistake is one even if nothing is written
		return err
	}
	errs := make([]error, 0, 2*n)
	o.Targets = make([]app.RemoteWriteTarget, n)
	for i, url := range w.urls.items {
		if _, err := httpx.ParseURL(url); err != nil && n == 1 {
			errs = append(errs, fmt.Errorf("-remoteWrite.url: %w", err))
		} else if err != nil {
			errs = append(errs, fmt.Errorf("-remoteWrite.url: address %d: %w", i+1, err))
		}
		client, err := w.targets.client(i, n)
		errs = append(errs, err)
		client.IdleConnTimeout, client.MaxIdleConnections = w.common.IdleConnTimeout, w.common.MaxIdleConnections
		o.Targets[i] = app.RemoteWriteTarget{URL: url, Client: client}
	}
	return errors.Join(errs...)
}

// surplus warns of connection values that belong to no URL.
func (w *remoteWriteFlags) surplus() []string { return w.targets.surplus(len(w.urls.items)) }
