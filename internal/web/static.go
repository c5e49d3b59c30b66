package web

import (
	_ "embed" // for the files below
	"net/http"
	"path"
)

//go:embed static/style.css
var styleSheet []byte

//go:embed static/favicon.svg
var favicon []byte

func (s *Server) serveStatic(w http.ResponseWriter, r *http.Request) {
	switch path.Base(r.URL.Path) {
	case "style.css":
		s.serveFile(w, r, "text/css; charset=utf-8", styleSheet)
	case "favicon.svg":
		s.serveIcon(w, r)
	default:
		plainError(w, http.StatusNotFound, "there is no such file")
	}
}

func (s *Server) serveIcon(w http.ResponseWriter, r *http.Request) {
	s.serveFile(w, r, "image/svg+xml", favicon)
}

func (s *Server) serveFile(w http.ResponseWriter, r *http.Request, contentType string, data []byte) {
	w.Header().Set("Cache-Control", "max-age=3600")
	out := s.open(w, r, contentType)
	defer out.close()
	_, _ = out.Write(data) // the client went away; nobody is left to tell
}
