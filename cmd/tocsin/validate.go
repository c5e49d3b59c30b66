package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"tocsin/config"
	"tocsin/internal/httpx"
)

// checkOptions returns everything that is wrong with the options, each problem
// with the name of its flag. A dry run needs no datasource.
func (f *flags) checkOptions() error {
	return errors.Join(f.checkFiles(), f.checkURLs(), f.checkChoices(), f.checkRanges(), f.checkServerAuth(), f.checkObjectStorage())
}

// checkFiles refuses rule files without a name, as a trailing comma or an empty
// variable makes them.
func (f *flags) checkFiles() error {
	if i := slices.Index(f.ruleFiles.items, ""); i >= 0 {
		return fmt.Errorf("-rule: item %d is empty", i+1)
	}
	return nil
}

func (f *flags) checkURLs() error {
	o := &f.options
	var errs []error
	if o.Datasource.URL == "" && !o.DryRun {
		errs = append(errs, errors.New("-datasource.url is required, for example -datasource.url=http://127.0.0.1:8428"))
	}
	for _, u := range []struct{ flag, url string }{
		{"datasource.url", o.Datasource.URL},
		{"remoteRead.url", o.RemoteRead.URL},
		{"external.url", o.External.URL},
		{"tlsAutocertDirectoryURL", o.HTTP.Server.Autocert.DirectoryURL},
	} {
		if u.url == "" {
			continue
		}
		if _, err := httpx.ParseURL(u.url); err != nil {
			errs = append(errs, fmt.Errorf("-%s: %w", u.flag, err))
		}
	}
	return errors.Join(errs...)
}

func (f *flags) checkChoices() error {
	o := &f.options
	return errors.Join(
		oneOf("rule.defaultRuleType", string(o.Rules.DefaultType), string(config.Prometheus), string(config.Graphite), string(config.VLogs)),
		oneOf("rule.conflictingLabels", o.Rules.ConflictingLabels, "exported", "override"),
	)
}

// oneOf refuses a value that is none of the choices.
func oneOf(flag, value string, choices ...string) error {
	for _, choice := range choices {
		if value == choice {
			return nil
		}
	}
	last := len(choices) - 1
	return fmt.Errorf("-%s: %q is neither %s nor %s", flag, value, strings.Join(choices[:last], ", "), choices[last])
}

func (f *flags) checkRanges() error {
	o := &f.options
	r, w := &o.Rules, &o.RemoteWrite
	return errors.Join(
		positive("evaluationInterval", r.EvaluationInterval),
		notNegative("rule.evalDelay", r.EvalDelay),
		notNegative("group.maxStartDelay", r.MaxStartDelay),
		notNegative("rule.resendOnErrorDuration", r.ErrorResendDuration),
		notNegative("rule.chainWait", r.ChainWait),
		notNegative("rule.chainDelay", r.ChainDelay),
		notNegative("rule.catchUp", r.CatchUp),
		positive("rule.catchUpConcurrency", r.CatchUpConcurrency),
		positive("storage.maxDiskUsage", o.Storage.MaxDiskUsage),
		positive("rule.loadTimeout", r.LoadTimeout),
		positive("rule.maxFileSize", r.MaxFileSize),

		notNegative("datasource.queryStep", o.Datasource.QueryStep),
		positive("datasource.queryTimeout", o.Datasource.QueryTimeout),
		notNegative("datasource.maxConcurrentQueries", o.Datasource.MaxConcurrency),
		notNegative("datasource.idleConnTimeout", f.datasource.direct.IdleConnTimeout),
		notNegative("datasource.maxIdleConnections", f.datasource.direct.MaxIdleConnections),

		notNegative("remoteWrite.flushInterval", w.FlushInterval),
		notNegative("remoteWrite.maxBatchSize", w.MaxBatchSize),
		notNegative("remoteWrite.maxQueueSize", w.MaxQueueSize),
		notNegative("remoteWrite.retryMinInterval", w.RetryMinInterval),
		notNegative("remoteWrite.retryMaxTime", w.RetryMaxTime),
		notNegative("remoteWrite.sendTimeout", w.SendTimeout),
		notNegative("remoteWrite.drainTimeout", w.DrainTimeout),
		notNegative("remoteWrite.idleConnTimeout", f.remoteWrite.common.IdleConnTimeout),
		notNegative("remoteWrite.maxIdleConnections", f.remoteWrite.common.MaxIdleConnections),

		positive("remoteRead.lookback", o.RemoteRead.Lookback),
		notNegative("remoteRead.idleConnTimeout", f.remoteRead.direct.IdleConnTimeout),

		positive("notifier.maxBatchSize", o.Notifier.MaxBatchSize),
		positive("notifier.maxAge", o.Notifier.MaxAge),
		notNegative("notifier.drainTimeout", o.Notifier.DrainTimeout),
		notNegative("promscrape.consulSDCheckInterval", o.Notifier.Discovery.ConsulInterval),
		notNegative("promscrape.consul.waitTime", o.Notifier.Discovery.ConsulWait),
		notNegative("promscrape.dnsSDCheckInterval", o.Notifier.Discovery.DNSInterval),

		notNegative("http.connTimeout", o.HTTP.Server.ConnTimeout),
		notNegative("http.idleConnTimeout", o.HTTP.Server.IdleConnTimeout),
		notNegative("http.maxGracefulShutdownDuration", o.HTTP.Server.MaxGracefulShutdown),
		notNegative("http.shutdownDelay", o.HTTP.ShutdownDelay),
	)
}

func positive[T cmp.Ordered](flag string, value T) error {
	var zero T
	if value > zero {
		return nil
	}
	return fmt.Errorf("-%s must be more than 0, not %v", flag, value)
}

func notNegative[T cmp.Ordered](flag string, value T) error {
	var zero T
	if value >= zero {
		return nil
	}
	return fmt.Errorf("-%s must not be negative, as %v is", flag, value)
}

// checkServerAuth refuses half of an authentication.
func (f *flags) checkServerAuth() error {
	if f.options.HTTP.AuthPassword != "" && f.options.HTTP.AuthUsername == "" {
		return errors.New("-httpAuth.password needs -httpAuth.username")
	}
	return nil
}
