// Package clienttest asks a server what vmui and Grafana ask for their pages of
// rules and alerts, and reads of the answers what they read. It fails where they
// would: at a field that is missing or is of another type, or at pages that do not
// end.
//
// The requests are those of vmui 1.150 and Grafana 12. The server may be tocsin or
// a VictoriaMetrics in front of it.
package clienttest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Server is who is asked.
type Server struct {
	URL    string // without a slash at the end
	Client *http.Client
}

// Seen is how many things a client was shown, each counted once.
type Seen struct{ Groups, Rules, Alerts, Notifiers int }

// reply is an answer as a client sees it.
type reply struct {
	target      string
	status      int
	contentType string
	body        []byte
}

// get asks for a path with its query as the program agent does.
func (s Server) get(target, agent string) (reply, error) {
	req, err := http.NewRequest(http.MethodGet, s.URL+target, nil)
	if err != nil {
		return reply{}, err
	}
	req.Header.Set("User-Agent", agent)
	resp, err := s.Client.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return reply{}, fmt.Errorf("%s: %w", target, err)
	}
	return reply{target, resp.StatusCode, resp.Header.Get("Content-Type"), body}, nil
}

// decode reads the reply, which must have the status, into a value.
func (r reply) decode(status int, into any) error {
	if r.status != status {
		return fmt.Errorf("%s: status %d, not %d: %.300s", r.target, r.status, status, r.body)
	}
	if err := json.Unmarshal(r.body, into); err != nil {
		return fmt.Errorf("%s: %w in %.300s", r.target, err, r.body)
	}
	return nil
}

// check reports what of the reply, which must have the status, is not as want
// says.
func (r reply) check(status int, want shape) error {
	var v any
	if err := r.decode(status, &v); err != nil {
		return err
	}
	if wrong := want("", v); len(wrong) > 0 {
		return fmt.Errorf("%s: %s", r.target, strings.Join(wrong, "; "))
	}
	return nil
}

// page asks for what must be answered well, checks it and reads it.
func (s Server) page(target, agent string, want shape, into any) error {
	r, err := s.get(target, agent)
	if err != nil {
		return err
	}
	return errors.Join(r.check(http.StatusOK, want), r.decode(http.StatusOK, into))
}
