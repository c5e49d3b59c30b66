package web

import (
	"strconv"

	"tocsin/internal/jsontext"
	"tocsin/rules"
)

// rule writes r without its closing brace and returns its state.
func (e *encoder) rule(s *rules.Snapshot, r *rules.RuleSnapshot) ruleState {
	state := stateOf(r, e.extended)
	last, evaluated := r.History.Last()
	e.out.buf = appendRuleHead(e.out.buf, r, state, &last)
	if !e.noAlerts && r.Pending()+r.Firing() > 0 {
		e.out.buf = append(e.out.buf, `,"alerts":`...)
		e.alerts(s, r)
	}
	dst := append(e.out.buf, `,"health":"`...)
	dst = append(dst, healthOf(r)...)
	dst = append(dst, `","type":"`...)
	dst = append(dst, r.Rule.Kind.String()...)
	dst = append(dst, `","datasourceType":`...)
	dst = jsontext.AppendString(dst, string(s.Group.Type))
	dst = append(dst, `,"lastSamples":`...)
	dst = strconv.AppendInt(dst, int64(last.Samples), 10)
	if evaluated && last.SeriesFetched >= 0 {
		dst = append(dst, `,"lastSeriesFetched":`...)
		dst = strconv.AppendInt(dst, int64(last.SeriesFetched), 10)
	}
	e.out.buf = appendRulePlace(dst, s, r)
	return state
}

// appendRuleHead appends what comes before the alerts of a rule.
func appendRuleHead(dst []byte, r *rules.RuleSnapshot, state ruleState, last *rules.Update) []byte {
	c := r.Rule
	dst = append(dst, `{"state":"`...)
	dst = append(dst, state.String()...)
	dst = append(dst, `","name":`...)
	dst = jsontext.AppendString(dst, c.Name)
	dst = append(dst, `,"query":`...)
	dst = jsontext.AppendString(dst, c.Expr)
	dst = append(dst, `,"duration":`...)
	dst = appendSeconds(dst, c.For)
	dst = append(dst, `,"keep_firing_for":`...)
	dst = appendSeconds(dst, c.KeepFiringFor)
	if len(r.Labels) > 0 {
		dst = append(dst, `,"labels":`...)
		dst = appendPairs(dst, r.Labels)
	}
	if len(c.Annotations) > 0 {
		dst = append(dst, `,"annotations":`...)
		dst = appendPairs(dst, c.Annotations)
	}
	dst = append(dst, `,"lastError":`...)
	dst = jsontext.AppendString(dst, last.Error)
	dst = append(dst, `,"evaluationTime":`...)
	dst = appendSeconds(dst, last.Duration)
	dst = append(dst, `,"lastEvaluation":`...)
	return appendTime(dst, last.Began)
}

// appendRulePlace appends where r stands and how it is watched.
func appendRulePlace(dst []byte, s *rules.Snapshot, r *rules.RuleSnapshot) []byte {
	dst = append(dst, `,"id":`...)
	dst = appendID(dst, r.ID)
	dst = append(dst, `,"group_id":`...)
	dst = appendID(dst, s.ID)
	dst = append(dst, `,"group_name":`...)
	dst = jsontext.AppendString(dst, s.Group.Key.Name)
	dst = append(dst, `,"file":`...)
	dst = jsontext.AppendString(dst, s.Group.Key.File)
	dst = append(dst, `,"debug":`...)
	dst = strconv.AppendBool(dst, r.Rule.Debug)
	dst = append(dst, `,"max_updates_entries":`...)
	dst = strconv.AppendInt(dst, int64(r.Rule.UpdateEntries), 10)
	dst = append(dst, `,"keepFiringFor":`...)
	return appendSeconds(dst, r.Rule.KeepFiringFor)
}

// alerts writes the active alerts of r as an array. There may be very many, so
// they are sent as they are made.
func (e *encoder) alerts(s *rules.Snapshot, r *rules.RuleSnapshot) {
	e.out.buf = append(e.out.buf, '[')
	first := true
	alerts := r.Alerts()
	for i := range alerts {
		a := &alerts[i]
		if a.State == rules.Inactive {
			continue
		}
		if !first {
			e.out.buf = append(e.out.buf, ',')
		}
		first = false
		e.out.buf = e.appendAlert(e.out.buf, s, r, a)
		if !e.out.flush() {
			return
		}
	}
	e.out.buf = append(e.out.buf, ']')
}

func (e *encoder) appendAlert(dst []byte, s *rules.Snapshot, r *rules.RuleSnapshot, a *rules.Instance) []byte {
	dst = append(dst, `{"state":"`...)
	dst = append(dst, a.State.String()...)
	dst = append(dst, `","name":`...)
	dst = jsontext.AppendString(dst, r.Rule.Name)
	dst = append(dst, `,"value":`...)
	dst = appendValue(dst, a.Value)
	if !a.Labels.IsEmpty() {
		dst = append(dst, `,"labels":`...)
		dst = appendLabels(dst, a.Labels)
	}
	dst = append(dst, `,"annotations":`...)
	dst = appendLabels(dst, a.Annotations)
	dst = append(dst, `,"activeAt":`...)
	dst = appendTime(dst, a.ActiveAt)
	dst = append(dst, `,"id":`...)
	dst = appendID(dst, a.ID)
	dst = append(dst, `,"rule_id":`...)
	dst = appendID(dst, r.ID)
	dst = append(dst, `,"group_id":`...)
	dst = appendID(dst, s.ID)
	dst = append(dst, `,"expression":`...)
	dst = jsontext.AppendString(dst, r.Rule.Expr)
	dst = append(dst, `,"source":`...)
	dst = e.source(s, r, a).AppendJSON(dst)
	dst = append(dst, `,"restored":`...)
	dst = strconv.AppendBool(dst, a.Restored)
	dst = append(dst, `,"stabilizing":`...)
	dst = strconv.AppendBool(dst, a.State == rules.Firing && a.Stabilizing())
	if a.Stabilizing() {
		dst = append(dst, `,"keepFiringSince":`...)
		dst = appendTime(dst, a.KeepFiringSince)
	}
	return append(dst, '}')
}

func (e *encoder) source(s *rules.Snapshot, r *rules.RuleSnapshot, a *rules.Instance) rules.Link {
	if s.Group != e.linked {
		e.linked, e.link = s.Group, e.state.Link.Of(s.Group)
	}
	return e.link(r.Rule, a)
}

// appendUpdates appends the remembered evaluations of r, newest first.
func (e *encoder) appendUpdates(dst []byte, s *rules.Snapshot, r *rules.RuleSnapshot) []byte {
	dst = append(dst, '[')
	for u := range r.History.All() {
		dst = append(dst, `{"time":`...)
		dst = appendTime(dst, u.Began)
		dst = append(dst, `,"at":`...)
		dst = appendTime(dst, u.At)
		dst = append(dst, `,"duration":`...)
		dst = strconv.AppendInt(dst, int64(u.Duration), 10)
		dst = append(dst, `,"error":`...)
		if u.Error == "" {
			dst = append(dst, `null`...)
		} else {
			dst = jsontext.AppendString(dst, u.Error)
		}
		dst = append(dst, `,"samples":`...)
		dst = strconv.AppendInt(dst, int64(u.Samples), 10)
		dst = append(dst, `,"series_fetched":`...)
		if u.SeriesFetched < 0 {
			dst = append(dst, `null`...)
		} else {
			dst = strconv.AppendInt(dst, int64(u.SeriesFetched), 10)
		}
		dst = append(dst, `,"curl":`...)
		dst = jsontext.AppendString(dst, e.requestLine(s, r, u))
		dst = append(dst, '}', ',')
	}
	if dst[len(dst)-1] == ',' {
		dst = dst[:len(dst)-1]
	}
	return append(dst, ']')
}

func (e *encoder) requestLine(s *rules.Snapshot, r *rules.RuleSnapshot, u *rules.Update) string {
	if e.state.RequestLine == nil {
		return ""
	}
	return e.state.RequestLine(s.Query(r.Rule, u.At))
}
