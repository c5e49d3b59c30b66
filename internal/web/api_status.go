package web

import (
	"maps"
	"net/url"
	"runtime"
	"slices"

	"tocsin/config"
	"tocsin/internal/jsontext"
)

// showBuild tells Grafana that this is no Mimir: rules can be read, not edited.
func (s *Server) showBuild(url.Values) (func(out *body), error) {
	return func(out *body) {
		dst := append(out.buf, `{"status":"success","data":{"application":"tocsin","version":`...)
		dst = jsontext.AppendString(dst, s.opts.Version)
		dst = append(dst, `,"goVersion":`...)
		dst = jsontext.AppendString(dst, runtime.Version())
		out.buf = append(dst, `}}`...)
	}, nil
}

// showFlags lists all flags in force as Prometheus does.
func (s *Server) showFlags(url.Values) (func(out *body), error) {
	return func(out *body) {
		pairs := make([]config.Pair, 0, len(s.opts.Flags))
		for _, f := range s.opts.Flags {
			pairs = append(pairs, config.Pair{Name: f.Name, Value: f.Value})
		}
		dst := append(out.buf, `{"status":"success","data":`...)
		dst = appendPairs(dst, pairs)
		out.buf = append(dst, '}')
	}, nil
}

// listAlertmanagers lists the notifiers as Prometheus does.
func (s *Server) listAlertmanagers(url.Values) (func(out *body), error) {
	groups := s.opts.State.Notifiers()
	return func(out *body) {
		dst := append(out.buf, `{"status":"success","data":{"activeAlertmanagers":[`...)
		first := true
		for _, g := range groups {
			for _, t := range g.Targets {
				if !first {
					dst = append(dst, ',')
				}
				first = false
				dst = append(dst, `{"url":`...)
				dst = append(jsontext.AppendString(dst, t.Address), '}')
			}
		}
		out.buf = append(dst, `],"droppedAlertmanagers":[]}}`...)
	}, nil
}

// sortedPairs returns the entries of m sorted by name.
func sortedPairs(m map[string]string) []config.Pair {
	pairs := make([]config.Pair, 0, len(m))
	for _, name := range slices.Sorted(maps.Keys(m)) {
		pairs = append(pairs, config.Pair{Name: name, Value: m[name]})
	}
	return pairs
}
