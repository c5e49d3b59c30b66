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

// eachActive calls f with each pending and firing alert that q asks for.
func (q *alertQuery) eachActive(groups []*rules.Snapshot, f func(*rules.Snapshot, *rules.RuleSnapshot, *rules.Instance)) {
	for _, g := range groups {
		if !q.groupQuery.matches(g) {
			continue
		}
		for i := range g.Rules {
			r := &g.Rules[i]
			alerts := r.Alerts()
			for j := range alerts {
				a := &alerts[j]
				if a.State != rules.Inactive && q.labels.matchLabels(a.Labels) {
					f(g, r, a)
				}
			}
		}
	}
}

// activeAlerts returns the pending and firing alerts that q asks for.
func (q *alertQuery) activeAlerts(groups []*rules.Snapshot) []alertRef {
	n := 0
	q.eachActive(groups, func(*rules.Snapshot, *rules.RuleSnapshot, *rules.Instance) { n++ })
	refs := make([]alertRef, 0, n)
	q.eachActive(groups, func(g *rules.Snapshot, r *rules.RuleSnapshot, a *rules.Instance) {
		refs = append(refs, alertRef{group: g, rule: r, alert: a})
	})
	return refs
}

// tag returns the tag of the list of the alerts that q asks for: it is made of the
// groups that have any.
func (q *alertQuery) tag(t *tagger, groups []*rules.Snapshot) string {
	var last *rules.Snapshot
	q.eachActive(groups, func(g *rules.Snapshot, _ *rules.RuleSnapshot, _ *rules.Instance) {
		if g != last {
			t.addSnapshot(g)
			last = g
		}
	})
	return t.tag()
}

func (s *Server) listAlerts(v url.Values) (answer, error) {
	q, err := parseAlertQuery(v)
	if err != nil {
		return answer{}, err
	}
	groups := s.opts.State.Groups()
	write := func(out *body) { s.writeAlerts(out, q.activeAlerts(groups)) }
	return answer{tag: q.tag(s.newTagger(len(groups)), groups), write: write}, nil
}

// writeAlerts writes alerts in the order of their ids' text, as vmalert does.
func (s *Server) writeAlerts(out *body, refs []alertRef) {
	for i := range refs {
		strconv.AppendUint(refs[i].id[:0], refs[i].alert.ID, 10)
	}
	slices.SortStableFunc(refs, func(a, b alertRef) int { return bytes.Compare(a.id[:], b.id[:]) })
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
}
