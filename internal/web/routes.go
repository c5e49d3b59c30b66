package web

import (
	"net/http"
	"strings"

	"github.com/VictoriaMetrics/metrics"
)

// route is what answers one path.
type route struct {
	access   access
	readOnly bool // refuses what is not GET or HEAD
	serve    http.HandlerFunc
	requests *metrics.Counter
}

func (rt *route) allow() string {
	if rt.readOnly {
		return "GET, HEAD, OPTIONS"
	}
	return "GET, HEAD, POST, OPTIONS"
}

// vmalertDir is the directory of the pages; the API answers below it as well as
// at the root, where Grafana looks for it.
const vmalertDir = "/vmalert"

// route returns what answers path, or nil.
func (s *Server) route(path string) *route {
	if rt := s.routes[path]; rt != nil {
		return rt
	}
	switch {
	case strings.HasPrefix(path, "/debug/pprof/"):
		return s.pprof
	case strings.HasPrefix(path, vmalertDir+"/static/"):
		return s.static
	case strings.HasSuffix(path, "/favicon.ico"):
		return s.icon
	}
	return nil
}

func (s *Server) addRoutes() {
	s.routes = map[string]*route{}
	s.pprof = s.newRoute("/debug/pprof/", pprofAccess, s.servePprof)
	s.static = s.newRoute(vmalertDir+"/static/", openAccess, s.serveStatic)
	s.icon = s.newRoute("*/favicon.ico", openAccess, s.serveIcon)
	s.addProbes()
	s.addAPI()
	s.addPages()
}

func (s *Server) addProbes() {
	for path, serve := range map[string]http.HandlerFunc{
		"/health":     s.serveHealth,
		"/-/healthy":  s.serveHealthy,
		"/-/ready":    s.serveReady,
		"/ping":       s.servePing,
		"/robots.txt": s.serveRobots,
	} {
		s.routes[path] = s.newRoute(path, openAccess, serve)
	}
	s.routes["/-/reload"] = s.newRoute("/-/reload", reloadAccess, s.serveReload)
	s.routes["/-/reload/plan"] = s.newRoute("/-/reload/plan", reloadAccess, s.servePlan)
	s.routes["/metrics"] = s.newRoute("/metrics", metricsAccess, s.serveMetrics)
	s.routes["/flags"] = s.newRoute("/flags", flagsAccess, s.serveFlags)
}

func (s *Server) addAPI() {
	for path, serve := range map[string]apiHandler{
		"/api/v1/rules":              s.listRules,
		"/api/v1/alerts":             s.listAlerts,
		"/api/v1/notifiers":          s.listNotifiers,
		"/api/v1/alertmanagers":      s.listAlertmanagers,
		"/api/v1/alert":              s.showAlert,
		"/api/v1/rule":               s.showRule,
		"/api/v1/group":              s.showGroup,
		"/api/v1/status/buildinfo":   s.showBuild,
		"/api/v1/status/runtimeinfo": s.showRuntime,
		"/api/v1/status/reloads":     s.listReloads,
	} {
		rt := s.newRoute(path, basicAccess, s.api(path, serve))
		s.routes[path], s.routes[vmalertDir+path] = rt, rt
	}
	const flags = "/api/v1/status/flags"
	rt := s.newRoute(flags, flagsAccess, s.api(flags, s.showFlags))
	s.routes[flags], s.routes[vmalertDir+flags] = rt, rt
}

func (s *Server) addPages() {
	for path, build := range map[string]pageBuilder{
		"/groups":    s.groupsPage,
		"/alerts":    s.alertsPage,
		"/alert":     s.alertPage,
		"/rule":      s.rulePage,
		"/notifiers": s.notifiersPage,
	} {
		s.routes[vmalertDir+path] = s.newRoute(vmalertDir+path, basicAccess, s.page(build))
	}
	home := s.newRoute("/", basicAccess, s.page(s.homePage))
	home.readOnly = true
	for _, path := range []string{"/", vmalertDir, vmalertDir + "/", vmalertDir + "/home"} {
		s.routes[path] = home
	}
	// Where VictoriaMetrics and Grafana link to when they proxy the root.
	for alias, path := range map[string]string{
		"/rules": "/groups", "/alerts": "/alerts", "/notifiers": "/notifiers",
	} {
		s.routes[alias] = s.routes[vmalertDir+path]
	}
}

func (s *Server) newRoute(label string, at access, serve http.HandlerFunc) *route {
	return &route{access: at, serve: serve, requests: s.counts.set.GetOrCreateCounter(requestsOf(label))}
}
