package app

import (
	"tocsin/internal/web"
	"tocsin/rules"
)

// newWeb builds the handler of tocsin's own server.
func (a *App) newWeb(link rules.Linker) *web.Server {
	o := &a.opts.HTTP
	flags := make([]web.Flag, len(a.opts.Flags))
	for i, f := range a.opts.Flags {
		flags[i] = web.Flag(f)
	}
	return web.New(web.Options{
		State: web.State{
			Groups: a.manager.Groups, Link: link,
			RequestLine: a.datasource.Request, Notifiers: a.notifierGroups, Waiting: a.waitingAlerts,
			Deliveries: a.deliveries,
		},
		Control: web.Control{
			Reload: a.reloader.Reload, Ready: a.reloader.Ready,
			Stale: a.reloader.status.lastError, WriteMetrics: a.writeMetrics,
			Plan: a.reloader.Plan, Reloads: a.reloader.status.Recent,
		},
		Auth: web.Auth{
			Username: o.AuthUsername, Password: o.AuthPassword,
			ReloadKey: o.ReloadAuthKey, MetricsKey: o.MetricsAuthKey,
			FlagsKey: o.FlagsAuthKey, PprofKey: o.PprofAuthKey,
		},
		DisableCompression: o.DisableCompression, DisableCORS: o.DisableCORS,
		Flags: flags, PathPrefix: o.PathPrefix, Version: a.opts.Version,
		PrometheusErrors: o.PrometheusErrors,
		Metrics:          a.metrics, Log: a.log.With("part", "web"),
	})
}
