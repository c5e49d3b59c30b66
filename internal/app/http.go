package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"tocsin/internal/alertmanager"
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
			RequestLine: a.datasource.Request, Notifiers: a.notifierGroups,
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
		Flags: flags, PathPrefix: o.PathPrefix, Version: a.opts.Version,
		Metrics: a.metrics, Log: a.log.With("part", "web"),
	})
}

func (a *App) notifierGroups() []web.NotifierGroup {
	if a.notifiers == nil {
		return nil
	}
	statuses := a.notifiers.Targets()
	if len(statuses) == 0 {
		return nil
	}
	targets := make([]web.NotifierTarget, len(statuses))
	for i, s := range statuses {
		targets[i] = notifierTarget(s)
	}
	return []web.NotifierGroup{{Kind: "static", Targets: targets}}
}

func notifierTarget(s alertmanager.Status) web.NotifierTarget {
	return web.NotifierTarget{
		Address: s.Address, Labels: s.Labels, LastError: s.LastError,
		LastSuccess: s.LastSuccess, Queued: s.Queued, Oldest: s.Oldest,
	}
}

// listen opens all the listen addresses and begins to serve on them.
func (a *App) listen() error {
	var servers []*http.Server
	failed := make(chan error, len(a.opts.HTTP.ListenAddrs))
	a.closers.add("web", 0, func(context.Context) error { return a.stopServing(servers) })
	for _, addr := range a.opts.HTTP.ListenAddrs {
		ln, err := net.Listen("tcp", addr)
		if err != nil {
			return fmt.Errorf("-httpListenAddr: %w", err)
		}
		s := &http.Server{
			Handler:           a.web,
			ReadHeaderTimeout: 10 * time.Second,
			IdleTimeout:       a.opts.HTTP.IdleConnTimeout,
			ErrorLog:          serverLog(a.log),
		}
		servers = append(servers, s)
		a.log.Info("listening", "address", ln.Addr().String())
		go func() {
			if err := s.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
				failed <- err
			}
		}()
	}
	a.serveErrors = failed
	return nil
}

// stopServing ends the servers. For the time of -http.shutdownDelay they go on
// and say that they are not healthy, so that nobody sends them anything new.
func (a *App) stopServing(servers []*http.Server) error {
	a.web.Drain()
	time.Sleep(a.opts.HTTP.ShutdownDelay)
	ctx, cancel := context.WithTimeout(context.Background(), a.opts.HTTP.MaxGracefulShutdown)
	defer cancel()
	var errs []error
	for _, s := range servers {
		if err := s.Shutdown(ctx); err != nil {
			errs = append(errs, err, s.Close())
		}
	}
	return errors.Join(errs...)
}
