package web

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"tocsin/internal/jsontext"
	"tocsin/rules"
)

// apiError is an error with the HTTP status it is answered with.
type apiError struct {
	status int
	text   string
	group  *rules.Snapshot // in which something was looked for in vain, or nil
}

func (e *apiError) Error() string { return e.text }

func badRequest(format string, args ...any) error {
	return &apiError{status: http.StatusBadRequest, text: fmt.Sprintf(format, args...)}
}

// notFound is the error of a thing that is not in g, or of a group that is not
// there if g is nil.
func notFound(g *rules.Snapshot, format string, args ...any) error {
	return &apiError{status: http.StatusNotFound, text: fmt.Sprintf(format, args...), group: g}
}

// statusOf returns the HTTP status of err and a word for it, which is
// Prometheus' error type.
func statusOf(err error) (status int, reason string) {
	var e *apiError
	switch {
	case !errors.As(err, &e):
		return http.StatusInternalServerError, "internal"
	case e.status == http.StatusNotFound:
		return e.status, "not_found"
	}
	return e.status, "bad_data"
}

// answerError answers a request to the API. Below /vmalert the answer has
// vmalert's form; elsewhere it has Prometheus', if that is asked for.
func (s *Server) answerError(w http.ResponseWriter, r *http.Request, err error) {
	if s.opts.PrometheusErrors && !strings.HasPrefix(r.URL.Path, vmalertDir+"/") {
		writeWordError(w, err)
		return
	}
	writeAPIError(w, err)
}

// writeAPIError answers with err as JSON: vmalert's fields, whose errorType is a
// number, then Prometheus' status, and its errorType as reason.
func writeAPIError(w http.ResponseWriter, err error) {
	status, reason := statusOf(err)
	dst := jsontext.AppendString([]byte(`{"error":`), err.Error())
	dst = append(dst, `,"errorType":`...)
	dst = strconv.AppendInt(dst, int64(status), 10)
	dst = append(dst, `,"status":"error","reason":"`...)
	dst = append(append(dst, reason...), `"}`...)
	writeError(w, status, dst)
}

// writeWordError answers with err as Prometheus does: its errorType is a word.
func writeWordError(w http.ResponseWriter, err error) {
	status, reason := statusOf(err)
	dst := append([]byte(`{"status":"error","errorType":"`), reason...)
	dst = append(dst, `","error":`...)
	dst = jsontext.AppendString(dst, err.Error())
	dst = append(dst, `,"reason":"`...)
	writeError(w, status, append(append(dst, reason...), `"}`...))
}

func writeError(w http.ResponseWriter, status int, text []byte) {
	w.Header().Set("Content-Type", jsonType)
	w.WriteHeader(status)
	_, _ = w.Write(text) // the client went away; nobody is left to tell
}
