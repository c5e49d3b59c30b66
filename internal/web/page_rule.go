package web

import (
	"time"

	"tocsin/config"
	"tocsin/rules"
)

// alertsOfRule is how many alerts the page of a rule lists.
const alertsOfRule = 100

// ruleData is one rule with its last evaluations.
type ruleData struct {
	ruleRow
	Annotations []config.Pair // as written
	Clock       groupClock
	NoMatch     bool   // the last evaluation read nothing
	Request     string // to ask what the last evaluation asked; "" if there is none
	Debug       bool
	Table       alertTable
	MoreAlerts  int // not listed
	Updates     []updateRow
	MaxUpdates  int
}

// updateRow is one evaluation.
type updateRow struct {
	Began   when
	At      string
	Took    string
	Samples int
	Series  string
	Error   string
	Request string
}

func (s *Server) rulePage(q pageRequest) (pageContent, error) {
	g, r, err := lookUpRule(s.opts.State.Groups(), q.form)
	if err != nil {
		return pageContent{}, err
	}
	d := ruleData{
		ruleRow: q.ruleRow(g, r), Annotations: r.Rule.Annotations,
		Clock: q.groupClock(g), Debug: r.Rule.Debug, MaxUpdates: r.Rule.UpdateEntries,
		Table: alertTable{Base: q.base},
	}
	alerts := r.Alerts()
	for i := range alerts {
		if a := &alerts[i]; a.State != rules.Inactive && len(d.Table.Alerts) < alertsOfRule {
			d.Table.Alerts = append(d.Table.Alerts, q.alertRow(g, r, a))
		}
	}
	d.MoreAlerts = r.Pending() + r.Firing() - len(d.Table.Alerts)
	d.NoMatch = evaluated(r) && stateOf(r, true) == stateNoMatch
	e := encoder{state: s.opts.State}
	for u := range r.History.All() {
		d.Updates = append(d.Updates, updateRow{
			Began: q.when(u.Began), At: u.At.Time().Format(time.RFC3339), Took: short(u.Duration),
			Samples: u.Samples, Series: seriesText(u.SeriesFetched), Error: u.Error,
			Request: e.requestLine(g, r, u),
		})
	}
	if len(d.Updates) > 0 {
		d.Request = d.Updates[0].Request
	}
	return pageContent{Template: "rule", Title: r.Rule.Name, Data: d}, nil
}
