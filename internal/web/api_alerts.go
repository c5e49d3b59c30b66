package web

import (
	"bytes"
	"net/url"
	"slices"
	"strconv"

	"tocsin/rules"
)

// alertRef points to an alert of a snapshot.
type alertRef struct {
	id    [20]byte // as text, zero-padded at the end
	group *rules.Snapshot
	rule  *rules.RuleSnapshot
	alert *rules.Instance
}

// activeAlerts returns the pending and firing alerts that q asks for.
func (q *alertQuery) activeAlerts(groups []*rules.Snapshot) []alertRef {
	var refs []alertRef
	for _, g := range groups {
		if !q.groupQuery.matches(g) {
			continue
		}
		for i := range g.Rules {
			r := &g.Rules[i]
			for j := range r.Alerts {
				a := &r.Alerts[j]
				if a.State != rules.Inactive && q.labels.matchLabels(a.Labels) {
					refs = append(refs, alertRef{group: g, rule: r, alert: a})
				}
			}
		}
	}
	return refs
}

// listAlerts lists alerts in the order of their ids' text, as vmalert does.
func (s *Server) listAlerts(v url.Values) (func(out *body), error) {
	q, err := parseAlertQuery(v)
	if err != nil {
		return nil, err
	}
	refs := q.activeAlerts(s.opts.State.Groups())
	for i := range refs {
		strconv.AppendUint(refs[i].id[:0], refs[i].alert.ID, 10)
	}
	slices.SortStableFunc(refs, func(a, b alertRef) int { return bytes.Compare(a.id[:], b.id[:]) })
	return func(out *body) {
		e := encoder{out: out, state: s.opts.State}
		out.buf = append(out.buf, `{"status":"success","data":{"alerts":[`...)
		for i, ref := range refs {
			if i > 0 {
				out.buf = append(out.buf, ',')
			}
			out.buf = e.appendAlert(out.buf, ref.group, ref.rule, ref.alert)
			if !out.flush() {
				return
			}
		}
		out.buf = append(out.buf, `]}}`...)
	}, nil
}
