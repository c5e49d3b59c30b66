package web

import (
	"net/url"

	"tocsin/internal/jsontext"
	"tocsin/rules"
)

// The outcomes of loading the configuration.
const (
	outcomeApplied = "applied"
	outcomePartly  = "partly applied" // files with problems keep what they had before
	outcomeRefused = "refused"        // everything stays as it was
)

func outcome(refused bool, problems []string) string {
	switch {
	case refused:
		return outcomeRefused
	case len(problems) > 0:
		return outcomePartly
	}
	return outcomeApplied
}

// listReloads lists the last loads of the configuration, the latest first.
func (s *Server) listReloads(url.Values) (answer, error) {
	reloads := s.opts.Control.Reloads()
	dst := []byte(`{"status":"success","data":{"reloads":[`)
	for i := range reloads {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendReload(dst, &reloads[i])
	}
	return rendered(append(dst, `]}}`...)), nil
}

func appendReload(dst []byte, r *Reload) []byte {
	dst = append(dst, `{"time":`...)
	dst = appendTime(dst, rules.InstantOf(r.At))
	dst = append(dst, `,"trigger":`...)
	dst = jsontext.AppendString(dst, r.Trigger)
	dst = append(dst, `,"duration":`...)
	dst = appendSeconds(dst, r.Took)
	dst = append(dst, `,"outcome":"`...)
	dst = append(dst, outcome(r.Refused, r.Problems)...)
	dst = append(dst, `","totals":`...)
	dst = appendTotals(dst, r.Totals)
	dst = append(dst, `,"problems":`...)
	dst = appendStrings(dst, r.Problems)
	return append(dst, '}')
}
