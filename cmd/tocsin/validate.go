package main

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"strings"

	"tocsin/config"
	"tocsin/internal/httpx"
)

// checkOptions returns everything that is wrong with the options, each problem
// with the name of its flag. A dry run needs no datasource.
func (f *flags) checkOptions() error {
	return errors.Join(f.checkURLs(), f.checkChoices(), f.checkRanges(), f.checkListenAddrs())
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
		oneOf("rule.defaultRuleType", f.defaultType, string(config.Prometheus), string(config.Graphite), string(config.VLogs)),
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
		notNegative("configCheckInterval", r.ConfigCheckInterval),
		notNegative("rule.evalDelay", r.EvalDelay),
		notNegative("group.maxStartDelay", r.MaxStartDelay),
		notNegative("rule.resultsLimit", r.ResultsLimit),
		notNegative("rule.resendDelay", r.ResendDelay),
		notNegative("rule.maxResolveDuration", r.MaxResolveDuration),
		notNegative("rule.resendOnErrorDuration", r.ErrorResendDuration),
		notNegative("rule.chainWait", r.ChainWait),
		notNegative("rule.catchUp", r.CatchUp),
		positive("rule.catchUpConcurrency", r.CatchUpConcurrency),
		positive("storage.maxDiskUsage", o.Storage.MaxDiskUsage),
		positive("rule.loadTimeout", r.LoadTimeout),
		positive("rule.maxFileSize", r.MaxFileSize),

		notNegative("datasource.queryStep", o.Datasource.QueryStep),
		notNegative("datasource.roundDigits", o.Datasource.RoundDigits),
		positive("datasource.queryTimeout", o.Datasource.QueryTimeout),
		notNegative("datasource.maxConcurrentQueries", o.Datasource.MaxConcurrency),
		notNegative("datasource.idleConnTimeout", f.datasource.direct.IdleConnTimeout),
		notNegative("datasource.maxIdleConnections", f.datasource.direct.MaxIdleConnections),

		positive("remoteWrite.concurrency", w.Concurrency),
		positive("remoteWrite.flushInterval", w.FlushInterval),
		positive("remoteWrite.maxBatchSize", w.MaxBatchSize),
		positive("remoteWrite.maxQueueSize", w.MaxQueueSize),
		positive("remoteWrite.retryMinInterval", w.RetryMinInterval),
		notNegative("remoteWrite.retryMaxTime", w.RetryMaxTime),
		positive("remoteWrite.sendTimeout", w.SendTimeout),
		notNegative("remoteWrite.drainTimeout", w.DrainTimeout),
		notNegative("remoteWrite.idleConnTimeout", f.remoteWrite.common.IdleConnTimeout),
		notNegative("remoteWrite.maxIdleConnections", f.remoteWrite.common.MaxIdleConnections),

		positive("remoteRead.lookback", o.RemoteRead.Lookback),
		notNegative("remoteRead.idleConnTimeout", f.remoteRead.direct.IdleConnTimeout),

		positive("notifier.maxBatchSize", o.Notifier.MaxBatchSize),
		positive("notifier.maxAge", o.Notifier.MaxAge),
		notNegative("notifier.drainTimeout", o.Notifier.DrainTimeout),

		notNegative("http.idleConnTimeout", o.HTTP.IdleConnTimeout),
		notNegative("http.maxGracefulShutdownDuration", o.HTTP.MaxGracefulShutdown),
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

// checkListenAddrs refuses addresses that cannot be listened at whatever the
// machine.
func (f *flags) checkListenAddrs() error {
	var errs []error
	for _, addr := range f.listenAddrs.items {
		if _, _, err := net.SplitHostPort(addr); err != nil {
			errs = append(errs, fmt.Errorf("-httpListenAddr: %q is not of the form host:port or :port", addr))
		}
	}
	if f.options.HTTP.AuthPassword != "" && f.options.HTTP.AuthUsername == "" {
		errs = append(errs, errors.New("-httpAuth.password needs -httpAuth.username"))
	}
	return errors.Join(errs...)
}
