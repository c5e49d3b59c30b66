package app

import (
	"context"
	"time"

	"tocsin/internal/httpserver"
)

// listen opens all the listen addresses and begins to serve on them.
func (a *App) listen() error {
	server, err := httpserver.Open(a.opts.HTTP.Server, a.web, a.metrics, a.log.With("part", "http"))
	if err != nil {
		return err
	}
	a.closers.add("web", 0, func(context.Context) error { return a.stopServing(server) })
	server.Serve()
	a.serveErrors = server.Broken()
	return nil
}

// stopServing ends the server. For the time of -http.shutdownDelay it goes on and
// says that it is not healthy, so that nobody sends it anything new.
func (a *App) stopServing(server *httpserver.Server) error {
	a.web.Drain()
	time.Sleep(a.opts.HTTP.ShutdownDelay)
	return server.Shutdown()
}
