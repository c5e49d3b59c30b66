package memstore

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
)

type envelope struct {
	Status    string   `json:"status"`
	Data      *data    `json:"data,omitempty"`
	ErrorType string   `json:"errorType,omitempty"`
	Error     string   `json:"error,omitempty"`
	Warnings  []string `json:"warnings,omitempty"`
	Infos     []string `json:"infos,omitempty"`
}

type data struct {
	Type   parser.ValueType `json:"resultType"`
	Result parser.Value     `json:"result"`
}

// answer writes what Instant and Range returned.
func (s *Store) answer(w http.ResponseWriter, expr string, res *promql.Result, done func(), err error) {
	if err != nil {
		s.answerError(w, http.StatusBadRequest, "bad_data", err)
		return
	}
	defer done()
	if res.Err != nil {
		code, kind := classify(res.Err)
		s.answerError(w, code, kind, res.Err)
		return
	}
	const maxNotes = 10
	warnings, infos := res.Warnings.AsStrings(expr, maxNotes, maxNotes)
	s.write(w, http.StatusOK, envelope{
		Status: "success", Data: &data{res.Value.Type(), notNull(res.Value)},
		Warnings: warnings, Infos: infos,
	})
}

// notNull makes an empty answer [] where it would be null.
func notNull(v parser.Value) parser.Value {
	switch x := v.(type) {
	case promql.Vector:
		if x == nil {
			return promql.Vector{}
		}
	case promql.Matrix:
		if x == nil {
			return promql.Matrix{}
		}
	}
	return v
}

// classify returns the status and error type by which Prometheus answers err.
func classify(err error) (code int, kind string) {
	var (
		canceled promql.ErrQueryCanceled
		timeout  promql.ErrQueryTimeout
		storage  promql.ErrStorage
	)
	switch {
	case errors.As(err, &canceled):
		return 499, "canceled"
	case errors.As(err, &timeout):
		return http.StatusServiceUnavailable, "timeout"
	case errors.As(err, &storage):
		return http.StatusInternalServerError, "internal"
	}
	return http.StatusUnprocessableEntity, "execution"
}

func (s *Store) answerError(w http.ResponseWriter, code int, kind string, err error) {
	s.write(w, code, envelope{Status: "error", ErrorType: kind, Error: err.Error()})
}

func (s *Store) write(w http.ResponseWriter, code int, e envelope) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(e); err != nil {
		// The status line is gone, so all that is left is to say so here.
		s.log.Debug("answer cut short", "err", err)
	}
}
