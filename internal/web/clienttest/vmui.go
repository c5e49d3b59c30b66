package clienttest

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

const browser = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

var (
	uiAlert = object(
		need("id", text), need("group_id", text), need("name", text), need("state", oneOf("pending", "firing", "inactive")),
		need("value", text), need("expression", text), need("activeAt", instant), need("source", text),
		need("restored", boolean), need("stabilizing", boolean),
		maybe("labels", dict(text)), maybe("annotations", dict(text)),
	)
	uiUpdate = object(
		need("time", instant), need("at", instant), need("duration", number), need("samples", number),
		need("series_fetched", nullable(number)), need("error", nullable(text)),
	)
	uiRule = object(
		need("id", text), need("group_id", text), need("name", text), need("query", text),
		need("type", oneOf("alerting", "recording")),
		need("state", oneOf("", "firing", "pending", "inactive", "ok", "nomatch", "unhealthy")),
		need("duration", number), need("keepFiringFor", number), need("health", text), need("lastError", text),
		need("lastEvaluation", instant), need("evaluationTime", number), need("datasourceType", text),
		need("lastSamples", number), maybe("lastSeriesFetched", number),
		need("debug", boolean), need("max_updates_entries", number),
		maybe("labels", dict(text)), maybe("annotations", dict(text)),
		maybe("alerts", list(uiAlert)), maybe("updates", list(uiUpdate)),
	)
	uiGroup = object(
		need("id", text), need("name", text), need("file", text), need("type", text), need("rules", list(uiRule)),
		need("interval", number), need("limit", number), need("concurrency", number),
		need("lastEvaluation", instant), need("evaluationTime", number), need("states", dict(number)),
		maybe("labels", dict(text)), maybe("params", list(text)), maybe("headers", list(text)),
		maybe("notifier_headers", list(text)), maybe("eval_offset", number), maybe("eval_delay", number),
	)
	uiGroups = object(
		need("page", number), need("total_pages", number), maybe("total_groups", number), maybe("total_rules", number),
		need("data", object(need("groups", list(uiGroup)))),
	)
	uiNotifiers = object(need("data", object(need("notifiers", list(object(
		need("kind", text), need("targets", list(object(
			need("address", text), maybe("labels", nullable(dict(text))), need("lastError", text),
		))),
	))))))
	uiError = object(need("error", text), need("errorType", number))
)

// What of the answers leads from page to page.
type (
	uiAlertRef struct {
		ID      string `json:"id"`
		GroupID string `json:"group_id"`
	}
	uiRuleRef struct {
		ID      string       `json:"id"`
		GroupID string       `json:"group_id"`
		State   string       `json:"state"`
		Alerts  []uiAlertRef `json:"alerts"`
	}
	uiGroupRef struct {
		ID    string      `json:"id"`
		Rules []uiRuleRef `json:"rules"`
	}
	uiPage struct {
		Page       int `json:"page"`
		TotalPages int `json:"total_pages"`
		Groups     int `json:"total_groups"`
		Rules      int `json:"total_rules"`
		Data       struct {
			Groups []uiGroupRef `json:"groups"`
		} `json:"data"`
	}
)

// VMUI opens every page of vmui's alerting at the server, which is how vmui calls
// the address before /vmalert. Its lists show most groups of limit, where vmui has
// 100. The errors it meets on the way are those that it is made for.
func VMUI(s Server, limit int) (Seen, error) {
	groups, seen, err := s.uiLists(limit)
	if err != nil {
		return seen, err
	}
	for _, g := range groups {
		err = errors.Join(err, s.uiDetails(g))
	}
	n, notifiersErr := s.uiNotifiers()
	seen.Notifiers = n
	return seen, errors.Join(err, notifiersErr, s.uiFilters(limit), s.uiErrors(limit))
}

// uiRules asks for a page of the list of rules.
func (s Server) uiRules(search, kind, states string, limit, page int) (uiPage, error) {
	var p uiPage
	err := s.page(uiRulesTarget(search, kind, states, limit, page), browser, uiGroups, &p)
	return p, err
}

func uiRulesTarget(search, kind, states string, limit, page int) string {
	return fmt.Sprintf("/vmalert/api/v1/rules?datasource_type=prometheus&search=%s&type=%s&state=%s&group_limit=%d&extended_states=true&page_num=%d",
		strings.ReplaceAll(url.QueryEscape(search), "+", "%20"), kind, states, limit, page)
}

// uiLists turns all the pages of the list of rules.
func (s Server) uiLists(limit int) (groups []uiGroupRef, seen Seen, err error) {
	var last uiPage
	for page := 1; page == 1 || page <= last.TotalPages; page++ {
		if last, err = s.uiRules("", "", "", limit, page); err != nil {
			return nil, seen, err
		}
		if last.Page != page || len(last.Data.Groups) > limit {
			return nil, seen, fmt.Errorf("page %d is called %d and has %d groups", page, last.Page, len(last.Data.Groups))
		}
		groups = append(groups, last.Data.Groups...)
	}
	for _, g := range groups {
		seen.Rules += len(g.Rules)
		for _, r := range g.Rules {
			seen.Alerts += len(r.Alerts)
		}
	}
	if seen.Groups = len(groups); seen.Groups != last.Groups || seen.Rules != last.Rules {
		return nil, seen, fmt.Errorf("there are %d groups with %d rules, and said to be %d with %d", seen.Groups, seen.Rules, last.Groups, last.Rules)
	}
	return groups, seen, nil
}

// uiDetails opens the group, its rules and their alerts.
func (s Server) uiDetails(g uiGroupRef) error {
	var group uiGroupRef
	err := s.page("/vmalert/api/v1/group?group_id="+g.ID, browser, uiGroup, &group)
	if err == nil && len(group.Rules) != len(g.Rules) {
		err = fmt.Errorf("group %s has %d rules, and %d in the list", g.ID, len(group.Rules), len(g.Rules))
	}
	for _, r := range g.Rules {
		var rule uiRuleRef
		err = errors.Join(err, s.page("/vmalert/api/v1/rule?group_id="+r.GroupID+"&rule_id="+r.ID, browser, uiRule, &rule))
		if rule.ID != r.ID {
			err = errors.Join(err, fmt.Errorf("rule %s is shown as %s", r.ID, rule.ID))
		}
		for _, a := range r.Alerts {
			var alert uiAlertRef
			err = errors.Join(err, s.page("/vmalert/api/v1/alert?group_id="+a.GroupID+"&alert_id="+a.ID, browser, uiAlert, &alert))
			if alert != a {
				err = errors.Join(err, fmt.Errorf("alert %s is shown as %s", a.ID, alert.ID))
			}
		}
	}
	return err
}

func (s Server) uiNotifiers() (targets int, err error) {
	var a struct {
		Data struct {
			Notifiers []struct{ Targets []any }
		}
	}
	err = s.page("/vmalert/api/v1/notifiers", browser, uiNotifiers, &a)
	for _, n := range a.Data.Notifiers {
		targets += len(n.Targets)
	}
	return targets, err
}

// uiFilters sets the filters above the list, each alone and then together.
func (s Server) uiFilters(limit int) error {
	var err error
	for _, f := range []struct{ search, kind, states string }{
		{"", "alert", ""}, {"", "record", ""}, {"no such thing & more", "", ""}, {"a b", "alert", "inactive,firing,nomatch,pending,unhealthy"},
	} {
		_, e := s.uiRules(f.search, f.kind, f.states, limit, 1)
		err = errors.Join(err, e)
	}
	for _, state := range []string{"inactive", "firing", "nomatch", "pending", "unhealthy", "ok"} {
		p, e := s.uiRules("", "", state, limit, 1)
		err = errors.Join(err, e)
		for _, g := range p.Data.Groups {
			for _, r := range g.Rules {
				if r.State != state {
					err = errors.Join(err, fmt.Errorf("the filter %s shows rule %s, which is %s", state, r.ID, r.State))
				}
			}
		}
	}
	return err
}

// uiErrors meets the errors that vmui tells apart: a page past the end, after which
// it goes to the first, something that is gone, and a server that is too old.
func (s Server) uiErrors(limit int) error {
	past, err := s.get(uiRulesTarget("", "", "", limit, 1000000), browser)
	if err == nil {
		err = past.check(http.StatusBadRequest, uiError)
	}
	if !strings.Contains(string(past.body), "exceeds total amount of pages") {
		err = errors.Join(err, fmt.Errorf("a page past the end is answered with %.300s", past.body))
	}
	gone, goneErr := s.get("/vmalert/api/v1/group?group_id=1", browser)
	if goneErr == nil {
		goneErr = gone.check(http.StatusNotFound, uiError)
	}
	if gone.contentType != "application/json" {
		goneErr = errors.Join(goneErr, fmt.Errorf("a group that is gone is answered with the type %q", gone.contentType))
	}
	unknown, unknownErr := s.get("/vmalert/api/v1/of-tomorrow", browser)
	if unknownErr == nil && (unknown.status != http.StatusBadRequest || unknown.contentType == "application/json" ||
		!strings.HasPrefix(string(unknown.body), "unsupported path requested")) {
		unknownErr = fmt.Errorf("an unknown path is answered with %d, type %q: %.300s", unknown.status, unknown.contentType, unknown.body)
	}
	return errors.Join(err, goneErr, unknownErr)
}
