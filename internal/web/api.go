package web

import (
	"net/http"
	"net/url"
	"strconv"

	"tocsin/internal/jsontext"
	"tocsin/rules"
)

// jsonType is the exact Content-Type that readers of the API compare with.
const jsonType = "application/json"

// apiHandler checks a request and returns its answer, or an error to answer with.
type apiHandler func(v url.Values) (answer, error)

// answer is what a request to the API is answered with.
type answer struct {
	tag   string          // "" if it has none
	write func(out *body) // cannot fail
}

// rendered is an answer that was made already, and named by its text.
func rendered(text []byte) answer {
	return answer{tag: textTag(text), write: func(out *body) { out.buf = append(out.buf, text...) }}
}

// api returns the handler that answers path through h.
func (s *Server) api(path string, h apiHandler) http.HandlerFunc {
	invalid := s.counts.set.GetOrCreateCounter(errorsOf(path, "bad_request"))
	return func(w http.ResponseWriter, r *http.Request) {
		a, err := parseForm(r, h)
		if err != nil {
			invalid.Inc()
			s.answerError(w, r, err)
			return
		}
		if unchanged(w, r, a.tag) {
			return
		}
		out := s.open(w, r, jsonType)
		defer out.close()
		a.write(out)
	}
}

func parseForm(r *http.Request, h apiHandler) (answer, error) {
	if err := r.ParseForm(); err != nil {
		return answer{}, badRequest("cannot read the parameters: %s", err)
	}
	return h(r.Form)
}

func (s *Server) listRules(v url.Values) (answer, error) {
	q, err := parseRuleQuery(v)
	if err != nil {
		return answer{}, err
	}
	groups := byName(s.opts.State.Groups())
	p, err := q.paging.cut(groups, q.selectFrom(groups))
	if err != nil {
		return answer{}, err
	}
	write := func(out *body) {
		e := encoder{out: out, state: s.opts.State, extended: q.extended, noAlerts: q.noAlerts}
		e.page(p)
	}
	return answer{tag: p.tag(s.newTagger(len(p.matches))), write: write}, nil
}

// page writes the answer that holds the groups of p.
func (e *encoder) page(p page) {
	dst := append(e.out.buf, `{"status":"success"`...)
	dst = appendTotal(dst, "page", p.number)
	dst = appendTotal(dst, "total_pages", p.pages)
	dst = appendTotal(dst, "total_groups", p.groups)
	dst = appendTotal(dst, "total_rules", p.rules)
	e.out.buf = append(dst, `,"data":{"groups":[`...)
	for i, m := range p.matches {
		if i > 0 {
			e.out.buf = append(e.out.buf, ',')
		}
		e.group(m)
	}
	dst = append(e.out.buf, ']')
	if p.next != "" {
		dst = append(dst, `,"groupNextToken":"`...)
		dst = append(append(dst, p.next...), '"')
	}
	e.out.buf = append(dst, `}}`...)
}

func appendTotal(dst []byte, name string, n int) []byte {
	if n == 0 {
		return dst
	}
	dst = append(append(append(dst, `,"`...), name...), `":`...)
	return strconv.AppendInt(dst, int64(n), 10)
}

func (s *Server) listNotifiers(url.Values) (answer, error) {
	dst := []byte(`{"status":"success","data":{"notifiers":[`)
	for i, g := range s.opts.State.Notifiers() {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"kind":`...)
		dst = jsontext.AppendString(dst, g.Kind)
		dst = append(dst, `,"targets":[`...)
		for j, t := range g.Targets {
			if j > 0 {
				dst = append(dst, ',')
			}
			dst = appendTarget(dst, t)
		}
		dst = append(dst, ']')
		if g.LastError != "" {
			dst = append(dst, `,"lastError":`...)
			dst = jsontext.AppendString(dst, g.LastError)
		}
		dst = append(dst, '}')
	}
	dst = append(dst, ']')
	dst = appendTotal(dst, "waiting", s.opts.State.Waiting())
	return rendered(append(dst, `}}`...)), nil
}

func appendTarget(dst []byte, t NotifierTarget) []byte {
	dst = append(dst, `{"address":`...)
	dst = jsontext.AppendString(dst, t.Address)
	dst = append(dst, `,"labels":`...)
	dst = appendPairs(dst, sortedPairs(t.Labels))
	dst = append(dst, `,"lastError":`...)
	dst = jsontext.AppendString(dst, t.LastError)
	dst = append(dst, `,"lastSuccess":`...)
	dst = appendTime(dst, rules.InstantOf(t.LastSuccess))
	dst = append(dst, `,"queued":`...)
	dst = strconv.AppendInt(dst, int64(t.Queued), 10)
	if !t.Oldest.IsZero() {
		dst = append(dst, `,"oldest":`...)
		dst = appendTime(dst, rules.InstantOf(t.Oldest))
	}
	return append(dst, '}')
}

func (s *Server) showGroup(v url.Values) (answer, error) {
	id, err := parseID(v, "group_id")
	if err != nil {
		return answer{}, err
	}
	g, err := findGroup(s.opts.State.Groups(), id)
	if err != nil {
		return answer{}, err
	}
	write := func(out *body) {
		e := encoder{out: out, state: s.opts.State, uncounted: true}
		e.group(match{group: g, whole: true})
	}
	return answer{tag: s.snapshotTag(g), write: write}, nil
}

func (s *Server) showRule(v url.Values) (answer, error) {
	g, r, err := lookUpRule(s.opts.State.Groups(), v)
	if err != nil {
		return answer{}, err
	}
	write := func(out *body) {
		e := encoder{out: out, state: s.opts.State}
		e.rule(g, r)
		if r.History.Len() > 0 {
			out.buf = append(out.buf, `,"updates":`...)
			out.buf = e.appendUpdates(out.buf, g, r)
		}
		out.buf = append(out.buf, '}')
	}
	return answer{tag: s.snapshotTag(g), write: write}, nil
}

func (s *Server) showAlert(v url.Values) (answer, error) {
	g, r, a, err := lookUpAlert(s.opts.State.Groups(), v)
	if err != nil {
		return answer{}, err
	}
	write := func(out *body) {
		e := encoder{out: out, state: s.opts.State}
		out.buf = e.appendAlert(out.buf, g, r, a)
	}
	return answer{tag: s.snapshotTag(g), write: write}, nil
}

// findGroup returns the group with vmalert's number id.
func findGroup(groups []*rules.Snapshot, id uint64) (*rules.Snapshot, error) {
	for _, g := range groups {
		if g.ID == id {
			return g, nil
		}
	}
	return nil, notFound(nil, "there is no group with id %d", id)
}

func lookUpRule(groups []*rules.Snapshot, v url.Values) (*rules.Snapshot, *rules.RuleSnapshot, error) {
	groupID, err := parseID(v, "group_id")
	if err != nil {
		return nil, nil, err
	}
	ruleID, err := parseID(v, "rule_id")
	if err != nil {
		return nil, nil, err
	}
	g, err := findGroup(groups, groupID)
	if err != nil {
		return nil, nil, err
	}
	for i := range g.Rules {
		if g.Rules[i].ID == ruleID {
			return g, &g.Rules[i], nil
		}
	}
	return nil, nil, notFound(g, "there is no rule with id %d in group %q", ruleID, g.Group.Key.Name)
}

func lookUpAlert(groups []*rules.Snapshot, v url.Values) (*rules.Snapshot, *rules.RuleSnapshot, *rules.Instance, error) {
	groupID, err := parseID(v, "group_id")
	if err != nil {
		return nil, nil, nil, err
	}
	alertID, err := parseID(v, "alert_id")
	if err != nil {
		return nil, nil, nil, err
	}
	g, err := findGroup(groups, groupID)
	if err != nil {
		return nil, nil, nil, err
	}
	for i := range g.Rules {
		r := &g.Rules[i]
		alerts := r.Alerts()
		for j := range alerts {
			if alerts[j].ID == alertID {
				return g, r, &alerts[j], nil
			}
		}
	}
	return nil, nil, nil, notFound(g, "there is no alert with id %d in group %q", alertID, g.Group.Key.Name)
}
