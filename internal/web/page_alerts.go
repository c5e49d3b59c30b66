package web

import (
	"cmp"
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
	Filter          filterForm
	Firing, Pending int // of those asked for, whatever is searched
	Total           int
	Table           alertTable
	Pager           pager
}

func (s *Server) alertsPage(q pageRequest) (pageContent, error) {
	aq, err := parseAlertQuery(q.form)
	if err != nil {
		return pageContent{}, err
	}
	groups := byName(s.opts.State.Groups())
	d := alertsData{Filter: q.filterForm("rule, group, label, annotation", []string{"firing", "pending"}, nil)}
	d.Filter.name(groups)
	all, err := q.ofGroup(aq.activeAlerts(groups))
	if err != nil {
		return pageContent{}, err
	}
	for _, ref := range all {
		if ref.alert.State == rules.Firing {
			d.Firing++
		} else {
			d.Pending++
		}
	}
	all = searchAlerts(all, d.Filter.Search, d.Filter.State)
	slices.SortStableFunc(all, graver)
	d.Total, d.Table.Base = len(all), q.base
	var from, to int
	from, to, d.Pager = q.paged(len(all), alertsPerPage)
	for _, ref := range all[from:to] {
		d.Table.Alerts = append(d.Table.Alerts, q.alertRow(ref.group, ref.rule, ref.alert))
	}
	return pageContent{Template: "alerts", Title: "Alerts", Data: d}, nil
}

// graver puts alerts that fire before others and, of each, the newest first: they
// are what someone who has just been woken is looking for.
func graver(a, b alertRef) int {
	return cmp.Or(cmp.Compare(b.alert.State, a.alert.State), cmp.Compare(b.alert.ActiveAt, a.alert.ActiveAt))
}

// ofGroup returns the alerts of the group that the request names by its id.
func (q pageRequest) ofGroup(all []alertRef) ([]alertRef, error) {
	if q.form.Get("group_id") == "" {
		return all, nil
	}
	id, err := parseID(q.form, "group_id")
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(ref alertRef) bool { return ref.group.ID != id }), nil
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
	Line                            int
	Expr                            string
	AllLabels                       []config.Pair
	Annotations                     []annotation
	For, KeepFiring                 string
	Began, Resolved, Kept, LastSent when
	Restored                        bool
	Source                          string // a link elsewhere; "" if it leads here
	Sent                            bool
	Deliveries                      []deliveryRow // none before it is sent
	Templates                       []config.Pair // of the annotations, as written
}

func (s *Server) alertPage(q pageRequest) (pageContent, error) {
	g, r, a, err := lookUpAlert(s.opts.State.Groups(), q.form)
	if err != nil {
		return pageContent{}, err
	}
	d := alertData{
		alertRow: q.alertRow(g, r, a), Line: r.Rule.Line,
		Expr: strings.TrimSpace(r.Rule.Expr), AllLabels: allLabels(a.Labels), Annotations: annotationsOf(a.Annotations),
		For: optional(r.Rule.For), KeepFiring: optional(r.Rule.KeepFiringFor),
		Began: q.when(a.StartsAt), Resolved: q.when(a.ResolvedAt),
		Kept: q.when(a.KeepFiringSince), LastSent: q.when(a.LastSent),
		Restored: a.Restored, Sent: a.LastSent != 0, Templates: r.Rule.Annotations,
	}
	if d.Sent {
		d.Deliveries = s.deliveryRows(q, a.Labels)
	}
	d.Source = elsewhere(s.opts.State.Link.Of(g.Group)(r.Rule, a).String(), a.ID)
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
