package web

import (
	"crypto/sha256"
	_ "embed" // for the files below
	"encoding/hex"
	"net/http"
	"path"
	"slices"
)

//go:embed static/style.css
var styleSheet []byte

//go:embed static/page.js
var script []byte

//go:embed static/favicon.svg
var favicon []byte

// staticVersion names what the style sheet and the script say, so that browsers
// that keep them for a while notice new ones.
func staticVersion() string {
	sum := sha256.Sum256(slices.Concat(styleSheet, script))
	return hex.EncodeToString(sum[:6])
}

func (s *Server) serveStatic(w http.ResponseWriter, r *http.Request) {
	switch path.Base(r.URL.Path) {
	case "style.css":
		s.serveFile(w, r, "text/css; charset=utf-8", styleSheet)
	case "page.js":
		s.serveFile(w, r, "text/javascript; charset=utf-8", script)
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
	if unchanged(w, r, textTag(data)) {
		return
	}
	out := s.open(w, r, contentType)
	defer out.close()
	_, _ = out.Write(data) // the client went away; nobody is left to tell
}
