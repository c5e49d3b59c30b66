package memstore

import (
	"fmt"
	"net/http"
	"time"
)

// maxForm bounds the body of a query.
const maxForm = 4 << 20

// Handler returns the Prometheus HTTP API over s: queries, remote write and
// probes.
func (s *Store) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/query", s.serveInstant)
	mux.HandleFunc("POST /api/v1/query", s.serveInstant)
	mux.HandleFunc("GET /api/v1/query_range", s.serveRange)
	mux.HandleFunc("POST /api/v1/query_range", s.serveRange)
	mux.HandleFunc("POST /api/v1/write", s.serveWrite)
	mux.HandleFunc("GET /-/ready", serveOK)
	mux.HandleFunc("GET /-/healthy", serveOK)
	return mux
}

func serveOK(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintln(w, "OK")
}

func (s *Store) serveInstant(w http.ResponseWriter, r *http.Request) {
	if !s.parseForm(w, r) {
		return
	}
	at, err := timeParam(r, "time", time.Now())
	if err != nil {
		s.answerError(w, http.StatusBadRequest, "bad_data", err)
		return
	}
	ctx, cancel, err := withTimeout(r)
	if err != nil {
		s.answerError(w, http.StatusBadRequest, "bad_data", err)
		return
	}
	defer cancel()
	res, done, err := s.Instant(ctx, r.Form.Get("query"), at)
	s.answer(w, r.Form.Get("query"), res, done, err)
}

func (s *Store) serveRange(w http.ResponseWriter, r *http.Request) {
	if !s.parseForm(w, r) {
		return
	}
	start, end, step, err := rangeParams(r)
	if err != nil {
		s.answerError(w, http.StatusBadRequest, "bad_data", err)
		return
	}
	ctx, cancel, err := withTimeout(r)
	if err != nil {
		s.answerError(w, http.StatusBadRequest, "bad_data", err)
		return
	}
	defer cancel()
	res, done, err := s.Range(ctx, r.Form.Get("query"), start, end, step)
	s.answer(w, r.Form.Get("query"), res, done, err)
}

func (s *Store) parseForm(w http.ResponseWriter, r *http.Request) bool {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		s.answerError(w, http.StatusBadRequest, "bad_data", fmt.Errorf("reading the form: %w", err))
		return false
	}
	return true
}
