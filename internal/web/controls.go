package web

import (
	"context"
	"io"
	"net/http"
	"net/http/pprof"
	"os"
	"strconv"
	"strings"
)

const plainText = "text/plain; charset=utf-8"

func quote(s string) string { return strconv.Quote(s) }

// plainError answers with a line of text.
func plainError(w http.ResponseWriter, code int, text string) {
	http.Error(w, text, code)
}

func plainAnswer(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", plainText)
	_, _ = io.WriteString(w, text) // the client went away; nobody is left to tell
}

const drainText = "the server is shutting down; requests go elsewhere by now"

func (s *Server) serveHealth(w http.ResponseWriter, _ *http.Request) {
	if s.drain.Load() {
		plainError(w, http.StatusServiceUnavailable, drainText)
		return
	}
	plainAnswer(w, "OK")
}

func (s *Server) serveHealthy(w http.ResponseWriter, _ *http.Request) {
	plainAnswer(w, "tocsin is healthy.\n")
}

func (s *Server) serveReady(w http.ResponseWriter, _ *http.Request) {
	if s.drain.Load() {
		plainError(w, http.StatusServiceUnavailable, drainText)
		return
	}
	if err := s.opts.Control.Ready(); err != nil {
		plainError(w, http.StatusServiceUnavailable, "not ready: "+err.Error())
		return
	}
	plainAnswer(w, "tocsin is ready.\n")
}

// servePing answers as InfluxDB does, whose agents ask this.
func (s *Server) servePing(w http.ResponseWriter, r *http.Request) {
	if r.FormValue("verbose") == "true" {
		w.WriteHeader(http.StatusOK)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) serveRobots(w http.ResponseWriter, _ *http.Request) {
	plainAnswer(w, "User-agent: *\nDisallow: /\n")
}

// serveReload answers when the reload is done: 200, or 500 with one line for
// each problem.
func (s *Server) serveReload(w http.ResponseWriter, r *http.Request) {
	if err := s.opts.Control.Reload(context.WithoutCancel(r.Context())); err != nil {
		plainError(w, http.StatusInternalServerError, err.Error())
		return
	}
	w.WriteHeader(http.StatusOK)
}

func (s *Server) serveMetrics(w http.ResponseWriter, r *http.Request) {
	out := s.open(w, r, plainText)
	defer out.close()
	s.opts.Control.WriteMetrics(out)
}

// serveFlags lists the flags that were given.
func (s *Server) serveFlags(w http.ResponseWriter, r *http.Request) {
	out := s.open(w, r, plainText)
	defer out.close()
	for _, f := range s.opts.Flags {
		if f.IsSet {
			out.buf = append(out.buf, "-"+f.Name+"="...)
			out.buf = strconv.AppendQuote(out.buf, f.Value)
			out.buf = append(out.buf, '\n')
		}
	}
}

func (s *Server) servePprof(w http.ResponseWriter, r *http.Request) {
	switch strings.TrimPrefix(r.URL.Path, "/debug/pprof/") {
	case "cmdline":
		s.serveCmdline(w)
	case "profile":
		pprof.Profile(w, r)
	case "symbol":
		pprof.Symbol(w, r)
	case "trace":
		pprof.Trace(w, r)
	default:
		pprof.Index(w, r)
	}
}

// serveCmdline answers in the form profilers expect. It is made of the flags and
// not of the arguments, which may hold passwords.
func (s *Server) serveCmdline(w http.ResponseWriter) {
	args := os.Args[:1:1]
	for _, f := range s.opts.Flags {
		if f.IsSet {
			args = append(args, "-"+f.Name+"="+f.Value)
		}
	}
	plainAnswer(w, strings.Join(args, "\x00"))
}
