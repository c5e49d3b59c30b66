package web

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"

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

// writeAPIError answers with err as JSON: vmalert's fields, whose errorType is a
// number, and Prometheus' status.
func writeAPIError(w http.ResponseWriter, err error) {
	status, reason := statusOf(err)
	dst := append([]byte(nil), `{"error":`...)
	dst = jsontext.AppendString(dst, err.Error())
	dst = append(dst, `,"errorType":`...)
	dst = strconv.AppendInt(dst, int64(status), 10)
	dst = append(dst, `,"status":"error","reason":"`...)
	dst = append(append(dst, reason...), `"}`...)
	w.Header().Set("Content-Type", jsonType)
	w.WriteHeader(status)
	_, _ = w.Write(dst) // the client went away; nobody is left to tell
}
