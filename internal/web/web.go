// Package web is tocsin's own HTTP server: the JSON API that dashboards read,
// the probes and controls that operators use, and the pages that links in
// notifications lead to.
//
// A Server only reads. It takes the groups as immutable snapshots, one set for
// each request, and renders from them without copying; it keeps nothing between
// requests and starts no goroutine. Listening, TLS and shutdown belong to whoever
// serves the handler.
package web

import (
	"html/template"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
)

// Server answers HTTP requests. It is safe for concurrent use.
type Server struct {
	// Fixed by New.
	opts   Options
	prefix string // of every path, "/" when there is none; ends in a slash
	guard  guard
	routes map[string]*route
	pprof  *route
	static *route
	icon   *route
	pages  func() *template.Template
	counts counts
	self   self

	staticVersion string // of the style sheet and the script, in their addresses

	bodies sync.Pool   // of *body
	drain  atomic.Bool // set by Drain
}

var _ http.Handler = (*Server)(nil)

// New returns a Server that is ready to serve. It starts nothing; its counters
// are created in o.Metrics.
func New(o Options) *Server {
	s := &Server{opts: o.withDefaults(), prefix: cleanPrefix(o.PathPrefix), self: newSelf()}
	s.counts = newCounts(s.opts.Metrics)
	s.guard = newGuard(o.Auth, s.counts)
	s.pages, s.staticVersion = embeddedPages, staticVersion()
	s.bodies.New = func() any { return &body{buf: make([]byte, 0, bodyBuffer)} }
	s.addRoutes()
	return s
}

// Drain makes /health and /-/ready answer 503 from now on, so that load
// balancers send their requests elsewhere while the rest goes on being served.
func (s *Server) Drain() { s.drain.Store(true) }

// ServeHTTP answers r.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.counts.all.Inc()
	w.Header().Set("X-Content-Type-Options", "nosniff")
	path, ok := s.trimPrefix(w, r)
	if !ok {
		return
	}
	r = withPath(r, path)
	rt := s.route(path)
	if rt == nil {
		if s.guard.admit(w, r, basicAccess) {
			s.unsupported(w, path)
		}
		return
	}
	rt.requests.Inc()
	r.Body = http.MaxBytesReader(w, r.Body, maxRequestBody)
	if !s.guard.admit(w, r, rt.access) {
		return
	}
	switch {
	case r.Method == http.MethodOptions:
		w.Header().Set("Allow", rt.allow())
		s.allowOthers(w)
		w.WriteHeader(http.StatusNoContent)
	case rt.readOnly && r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", rt.allow())
		http.Error(w, "this page can only be read", http.StatusMethodNotAllowed)
	default:
		rt.serve(w, r)
	}
}

// allowOthers tells browsers that pages of other sites may ask, as vmalert does in
// the answers to OPTIONS.
func (s *Server) allowOthers(w http.ResponseWriter) {
	if s.opts.DisableCORS {
		return
	}
	for _, what := range []string{"Origin", "Methods", "Headers"} {
		w.Header().Set("Access-Control-Allow-"+what, "*")
	}
}

// maxRequestBody bounds the form of a request, in bytes.
const maxRequestBody = 1 << 20

// cleanPrefix returns the path prefix with a slash at either end.
func cleanPrefix(p string) string {
	p = strings.Trim(p, "/")
	if p == "" {
		return "/"
	}
	return "/" + p + "/"
}

// trimPrefix returns the path of r below the path prefix. When r is not below
// it, the answer has been given and ok is false.
func (s *Server) trimPrefix(w http.ResponseWriter, r *http.Request) (path string, ok bool) {
	path = r.URL.Path
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	if s.prefix == "/" {
		return path, true
	}
	if path+"/" == s.prefix {
		// With the slash, so that the relative links of the page resolve. A scheme
		// and host would be wrong behind a proxy.
		w.Header().Set("Location", s.prefix)
		w.WriteHeader(http.StatusFound)
		return "", false
	}
	if !strings.HasPrefix(path, s.prefix) {
		s.counts.unsupported.Inc()
		plainError(w, http.StatusBadRequest, "missing -http.pathPrefix="+quote(s.prefix)+" in the requested path "+quote(path))
		return "", false
	}
	return path[len(s.prefix)-1:], true
}

// withPath returns r with its path replaced, leaving the caller's request alone.
func withPath(r *http.Request, path string) *http.Request {
	if r.URL.Path == path {
		return r
	}
	c, u := *r, *r.URL
	u.Path, u.RawPath = path, ""
	c.URL = &u
	return &c
}

func (s *Server) unsupported(w http.ResponseWriter, path string) {
	s.counts.unsupported.Inc()
	plainError(w, http.StatusBadRequest, "unsupported path requested: "+quote(path))
}
