package web

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"tocsin/config"
	"tocsin/rules"
)

// alertsPerPage is how many alerts one page shows.
const alertsPerPage = 200

// alertsData is the list of active alerts, firing ones first.
type alertsData struct {
	Search, State   string
	Firing, Pending int // of all, whatever is searched
	Total           int
	Table           alertTable
	Pager           pager
}

func (s *Server) alertsPage(q pageRequest) (pageContent, error) {
	aq, err := parseAlertQuery(q.form)
	if err != nil {
		return pageContent{}, err
	}
	d := alertsData{Search: q.form.Get("search"), State: q.form.Get("state")}
	all := aq.activeAlerts(byName(s.opts.State.Groups()))
	for _, ref := range all {
		if ref.alert.State == rules.Firing {
			d.Firing++
		} else {
			d.Pending++
		}
	}
	all = searchAlerts(all, d.Search, d.State)
	slices.SortStableFunc(all, func(a, b alertRef) int { return int(b.alert.State) - int(a.alert.State) })
	d.Total, d.Table.Base = len(all), q.base
	var from, to int
	from, to, d.Pager = q.paged(len(all), alertsPerPage)
	for _, ref := range all[from:to] {
		d.Table.Alerts = append(d.Table.Alerts, q.alertRow(ref.group, ref.rule, ref.alert))
	}
	return pageContent{Template: "alerts", Title: "Alerts", Data: d}, nil
}

// searchAlerts returns the alerts in the state, if one is given, that contain
// the text in their rule, group, labels or annotations.
func searchAlerts(all []alertRef, text, state string) []alertRef {
	text = strings.ToLower(text)
	return slices.DeleteFunc(all, func(ref alertRef) bool {
		if state != "" && ref.alert.State.String() != state {
			return true
		}
		return !contains(ref.rule.Rule.Name, text) &&
			!contains(ref.group.Group.Key.Name, text) &&
			!contains(ref.group.Group.Key.File, text) &&
			!pairsContain(allLabels(ref.alert.Labels), text) &&
			!pairsContain(allLabels(ref.alert.Annotations), text)
	})
}

// alertData is one alert.
type alertData struct {
	alertRow
	Expr                            string
	AllLabels                       []config.Pair
	Annotations                     []annotation
	For, KeepFiring                 string
	Began, Resolved, Kept, LastSent when
	Restored                        bool
	Source                          string // a link elsewhere; "" if it leads here
	Sent                            bool
}

func (s *Server) alertPage(q pageRequest) (pageContent, error) {
	g, r, a, err := lookUpAlert(s.opts.State.Groups(), q.form)
	if err != nil {
		return pageContent{}, err
	}
	d := alertData{
		alertRow: q.alertRow(g, r, a),
		Expr:     strings.TrimSpace(r.Rule.Expr), AllLabels: allLabels(a.Labels), Annotations: annotationsOf(a.Annotations),
		For: optional(r.Rule.For), KeepFiring: optional(r.Rule.KeepFiringFor),
		Began: q.when(a.StartsAt), Resolved: q.when(a.ResolvedAt),
		Kept: q.when(a.KeepFiringSince), LastSent: q.when(a.LastSent),
		Restored: a.Restored, Sent: a.LastSent != 0,
	}
	if s.opts.State.Link != nil {
		d.Source = elsewhere(s.opts.State.Link(g.Group, r.Rule, a), a.ID)
	}
	return pageContent{Template: "alert", Title: r.Rule.Name, Data: d}, nil
}

// elsewhere returns link unless it leads to the page of the alert itself or is
// no web address.
func elsewhere(link string, id uint64) string {
	u, err := url.Parse(link)
	if err != nil || !isLink(link) {
		return ""
	}
	if strings.HasSuffix(u.Path, vmalertDir+"/alert") && u.Query().Get("alert_id") == strconv.FormatUint(id, 10) {
		return ""
	}
	return link
}
