package web

import (
	"net/http"
	"strconv"

	"tocsin/config"
	"tocsin/internal/jsontext"
	"tocsin/rules"
)

// servePlan answers with what a reload would do now. Problems of the files are
// part of the answer; an error is that there is none. For a client that leaves,
// the work goes on for as long as loading may take.
func (s *Server) servePlan(w http.ResponseWriter, r *http.Request) {
	plan, err := s.opts.Control.Plan(r.Context())
	if err != nil {
		writeAPIError(w, err)
		return
	}
	out := s.open(w, r, jsonType)
	defer out.close()
	writePlan(out, &plan)
}

func writePlan(out *body, p *Plan) {
	dst := append(out.buf, `{"status":"success","data":{"outcome":"`...)
	dst = append(dst, outcome(p.Change.Refused, p.Problems)...)
	dst = append(dst, `","totals":`...)
	dst = appendTotals(dst, p.Change.Totals())
	dst = append(dst, `,"problems":`...)
	dst = appendStrings(dst, p.Problems)
	out.buf = append(dst, `,"groups":[`...)
	for i := range p.Change.Groups {
		if i > 0 {
			out.buf = append(out.buf, ',')
		}
		if !writeGroupChange(out, &p.Change.Groups[i]) {
			return
		}
	}
	out.buf = append(out.buf, `]}}`...)
}

// writeGroupChange reports whether going on is of use.
func writeGroupChange(out *body, g *rules.GroupChange) bool {
	dst := append(out.buf, `{"name":`...)
	dst = jsontext.AppendString(dst, g.Key.Name)
	dst = append(dst, `,"file":`...)
	dst = jsontext.AppendString(dst, g.Key.File)
	dst = append(dst, `,"action":"`...)
	dst = append(append(dst, g.Action...), '"')
	dst = appendFrom(dst, g.From)
	dst = append(dst, `,"fields":`...)
	dst = appendStrings(dst, g.Fields)
	out.buf = append(dst, `,"rules":[`...)
	for i := range g.Rules {
		if i > 0 {
			out.buf = append(out.buf, ',')
		}
		out.buf = appendRuleChange(out.buf, &g.Rules[i])
		if !out.flush() {
			return false
		}
	}
	dst = append(out.buf, `],"keptRules":`...)
	dst = strconv.AppendInt(dst, int64(g.Kept), 10)
	out.buf = append(dst, '}')
	return out.flush()
}

func appendRuleChange(dst []byte, r *rules.RuleChange) []byte {
	dst = append(dst, `{"name":`...)
	dst = jsontext.AppendString(dst, r.Name)
	dst = append(dst, `,"type":"`...)
	dst = append(dst, r.Kind.String()...)
	dst = append(dst, `","action":"`...)
	dst = append(append(dst, r.Action...), '"')
	dst = appendFrom(dst, r.From)
	if r.Was != "" {
		dst = append(dst, `,"formerName":`...)
		dst = jsontext.AppendString(dst, r.Was)
	}
	dst = append(dst, `,"fields":`...)
	dst = appendStrings(dst, r.Fields)
	dst = appendCount(dst, `,"resolved":`, r.Resolved)
	dst = appendCount(dst, `,"reset":`, r.Reset)
	return append(dst, '}')
}

// appendFrom appends the group that something comes from, if it does.
func appendFrom(dst []byte, from config.Key) []byte {
	if from == (config.Key{}) {
		return dst
	}
	dst = append(dst, `,"from":{"name":`...)
	dst = jsontext.AppendString(dst, from.Name)
	dst = append(dst, `,"file":`...)
	dst = jsontext.AppendString(dst, from.File)
	return append(dst, '}')
}

func appendTotals(dst []byte, t rules.Totals) []byte {
	dst = append(dst, `{"groups":`...)
	dst = appendActionCounts(dst, t.Groups)
	dst = append(dst, `,"rules":`...)
	dst = appendActionCounts(dst, t.Rules)
	dst = append(dst, `,"alerts":`...)
	dst = appendCount(dst, `{"resolved":`, t.Resolved)
	dst = appendCount(dst, `,"reset":`, t.Reset)
	return append(dst, `}}`...)
}

func appendActionCounts(dst []byte, c rules.ActionCounts) []byte {
	dst = appendCount(dst, `{"added":`, c.Added)
	dst = appendCount(dst, `,"changed":`, c.Changed)
	dst = appendCount(dst, `,"moved":`, c.Moved)
	dst = appendCount(dst, `,"kept":`, c.Kept)
	dst = appendCount(dst, `,"removed":`, c.Removed)
	return append(dst, '}')
}

// appendCount appends a number after its key.
func appendCount(dst []byte, key string, n int) []byte {
	return strconv.AppendInt(append(dst, key...), int64(n), 10)
}
