package web

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"tocsin/config"
)

// groupQuery is what a request asks of groups. Zero fields ask nothing.
type groupQuery struct {
	names, files []string // one of these
	kind         config.Type
}

// alertQuery is what a request for alerts asks.
type alertQuery struct {
	groupQuery
	labels selectors
}

// ruleQuery is what a request for rules asks.
type ruleQuery struct {
	groupQuery
	labels selectors

	names  []string // one of these
	kind   string   // of config.Kind; "" is both
	search string   // lower case; part of the group's name or file or the rule's name
	wide   bool     // search in expressions and labels, too
	// states is nil for all; otherwise the wanted ones, maybe none.
	states   *[stateCount]bool
	extended bool // states
	noAlerts bool

	paging paging
}

// paging is which part of the groups a request asks for.
type paging struct {
	limit int    // groups; 0 is all
	page  int    // from 1; 0 is not given
	token string // of the first group to show; "" is the first of all
}

func parseGroupQuery(v url.Values) (groupQuery, error) {
	q := groupQuery{
		names: several(v, "rule_group"),
		files: several(v, "file"),
		kind:  config.Type(v.Get("datasource_type")),
	}
	switch q.kind {
	case "", config.Prometheus, config.Graphite, config.VLogs:
		return q, nil
	}
	return q, badParam("datasource_type", "unsupported value %q; it is prometheus, graphite or vlogs", q.kind)
}

func parseAlertQuery(v url.Values) (q alertQuery, err error) {
	if q.groupQuery, err = parseGroupQuery(v); err != nil {
		return q, err
	}
	q.labels, err = parseSelectors(v["match[]"])
	return q, err
}

func parseRuleQuery(v url.Values) (q ruleQuery, err error) {
	if q.groupQuery, err = parseGroupQuery(v); err != nil {
		return q, err
	}
	if q.labels, err = parseSelectors(v["match[]"]); err != nil {
		return q, err
	}
	q.names = several(v, "rule_name")
	q.search = strings.ToLower(v.Get("search"))
	switch t := v.Get("type"); t {
	case "":
	case "alert":
		q.kind = config.Alerting.String()
	case "record":
		q.kind = config.Recording.String()
	default:
		return q, badParam("type", "unsupported value %q; it is alert or record", t)
	}
	if q.states, err = parseStates(v); err != nil {
		return q, err
	}
	if q.extended, err = parseBool(v, "extended_states"); err != nil {
		return q, err
	}
	if q.noAlerts, err = parseBool(v, "exclude_alerts"); err != nil {
		return q, err
	}
	q.paging, err = parsePaging(v)
	return q, err
}

// several returns the values of a repeatable parameter, with the brackets that
// Prometheus wants and without, as Mimir does. Empty ones ask nothing.
func several(v url.Values, name string) []string {
	list := slices.Concat(v[name+"[]"], v[name])
	return slices.DeleteFunc(list, func(s string) bool { return s == "" })
}

// stateNames are the states a request may name: vmalert's, and Grafana's for the
// same things. Of recovering there is nothing to show.
var stateNames = map[string]ruleState{
	"ok": stateOK, "nomatch": stateNoMatch, "inactive": stateInactive,
	"firing": stateFiring, "pending": statePending, "unhealthy": stateUnhealthy,
	"noData": stateNoMatch, "normal": stateInactive, "error": stateUnhealthy,
	"recovering": stateCount,
}

func parseStates(v url.Values) (*[stateCount]bool, error) {
	param := "state"
	if len(v[param]) == 0 {
		param = "filter"
	}
	var states *[stateCount]bool
	for _, list := range v[param] {
		for name := range strings.SplitSeq(list, ",") {
			if name == "" {
				continue
			}
			state, ok := stateNames[name]
			if !ok {
				return nil, badParam(param, "unsupported value %q", name)
			}
			if states == nil {
				states = new([stateCount]bool)
			}
			if state < stateCount {
				states[state] = true
			}
		}
	}
	return states, nil
}

func parseBool(v url.Values, name string) (bool, error) {
	switch s := v.Get(name); strings.ToLower(s) {
	case "", "0", "f", "false", "n", "no", "off":
		return false, nil
	case "1", "t", "true", "y", "yes", "on":
		return true, nil
	default:
		return false, badParam(name, "%q is neither true nor false", s)
	}
}

func parsePaging(v url.Values) (p paging, err error) {
	p.token = v.Get("group_next_token")
	limit, page := v.Get("group_limit"), v.Get("page_num")
	if limit == "" && (page != "" || p.token != "") {
		return p, badRequest("\"group_limit\" needs to be present in order to paginate over the groups")
	}
	if page != "" && p.token != "" {
		return p, badRequest("\"page_num\" and \"group_next_token\" exclude each other")
	}
	if p.limit, err = parsePositive(limit, "group_limit"); err != nil {
		return p, err
	}
	p.page, err = parsePositive(page, "page_num")
	return p, err
}

// parsePositive returns 0 for the empty string.
func parsePositive(s, name string) (int, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n <= 0 {
		return 0, badRequest("%q is expected to be a positive number, found %q", name, s)
	}
	return n, nil
}

func parseID(v url.Values, name string) (uint64, error) {
	s := v.Get(name)
	if s == "" {
		return 0, badParam(name, "it is missing")
	}
	id, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0, badParam(name, "%q is not an id", s)
	}
	return id, nil
}

func badParam(name, format string, args ...any) error {
	return badRequest("invalid parameter %q: %s", name, fmt.Sprintf(format, args...))
}
