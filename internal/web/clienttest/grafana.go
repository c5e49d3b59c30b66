package clienttest

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
)

const grafana = "Grafana/12.1.0"

var (
	grafanaAlert = object(
		need("labels", dict(text)), need("annotations", dict(text)), need("state", oneOf("pending", "firing")),
		need("activeAt", instant), need("value", text),
	)
	grafanaRule = object(
		need("name", text), need("query", text), need("type", oneOf("alerting", "recording")),
		need("health", oneOf("ok", "err", "unknown")), maybe("state", oneOf("", "inactive", "pending", "firing")),
		maybe("lastError", text), need("lastEvaluation", instant), need("evaluationTime", number),
		maybe("duration", number), maybe("keepFiringFor", number),
		maybe("labels", dict(text)), maybe("annotations", dict(text)), maybe("alerts", list(grafanaAlert)),
	)
	grafanaGroup = object(
		need("name", text), need("file", text), need("interval", number), need("rules", list(grafanaRule)),
		need("lastEvaluation", instant), maybe("evaluationTime", number),
	)
	grafanaRules = object(
		need("status", oneOf("success")),
		need("data", object(need("groups", list(grafanaGroup)), maybe("groupNextToken", text))),
	)
	grafanaAlerts = object(need("status", oneOf("success")), need("data", object(need("alerts", list(grafanaAlert)))))
	// Features, of which there must be none, would make Grafana offer to edit rules.
	grafanaBuild = object(
		need("status", oneOf("success")),
		need("data", object(maybe("version", version), maybe("features", nullable(nothing)))),
	)
)

var semantic = regexp.MustCompile(`^\d+\.\d+\.\d+([-+].+)?$`)

func version(at string, v any) []string {
	if s, ok := v.(string); !ok || !semantic.MatchString(s) {
		return mismatch(at, "a semantic version", v)
	}
	return nil
}

func nothing(at string, v any) []string { return mismatch(at, "absent", v) }

// GrafanaGroup is a group as Grafana lists it.
type GrafanaGroup struct {
	Name, File string
	Rules      []GrafanaRule
}

// GrafanaRule is a rule of a GrafanaGroup.
type GrafanaRule struct {
	Name   string
	Alerts []struct{ State string }
}

type grafanaList struct {
	Data struct {
		Groups         []GrafanaGroup
		GroupNextToken string
	}
}

// Grafana looks at the server as at a Prometheus datasource: what it is, all its
// rules, pages of limit groups each, then each group and the alerts. It returns the
// groups in the order in which they came.
func Grafana(s Server, limit int) ([]GrafanaGroup, error) {
	var build any
	err := s.page("/api/v1/status/buildinfo", grafana, grafanaBuild, &build)
	groups, listErr := s.grafanaLists(limit)
	if listErr != nil {
		return nil, errors.Join(err, listErr)
	}
	for i, g := range groups {
		detailed, e := s.grafanaDetails(g)
		groups[i] = detailed
		err = errors.Join(err, e)
	}
	var alerts any
	return groups, errors.Join(err, s.page("/api/v1/alerts", grafana, grafanaAlerts, &alerts))
}

// grafanaLists asks for page after page, without alerts, until there is no token.
func (s Server) grafanaLists(limit int) ([]GrafanaGroup, error) {
	var all []GrafanaGroup
	tokens := map[string]bool{}
	for token := ""; ; {
		v := url.Values{"exclude_alerts": {"true"}, "group_limit": {strconv.Itoa(limit)}}
		if token != "" {
			v.Set("group_next_token", token)
		}
		var page grafanaList
		if err := s.page("/api/v1/rules?"+v.Encode(), grafana, grafanaRules, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Data.Groups...)
		token = page.Data.GroupNextToken
		if token == "" {
			break
		}
		if tokens[token] || len(page.Data.Groups) != limit {
			return nil, fmt.Errorf("%d groups of %d on a page, then the token %q", len(page.Data.Groups), limit, token)
		}
		tokens[token] = true
	}
	for i, g := range all {
		if slices.ContainsFunc(all[:i], func(o GrafanaGroup) bool { return o.Name == g.Name && o.File == g.File }) {
			return nil, fmt.Errorf("group %q of %q came twice", g.Name, g.File)
		}
	}
	return all, nil
}

// grafanaDetails asks for one group in the words of Prometheus and of Mimir at
// once, and for one of its rules.
func (s Server) grafanaDetails(g GrafanaGroup) (GrafanaGroup, error) {
	v := url.Values{"file": {g.File}, "file[]": {g.File}, "rule_group": {g.Name}, "rule_group[]": {g.Name}}
	var one, narrow grafanaList
	if err := s.page("/api/v1/rules?"+v.Encode(), grafana, grafanaRules, &one); err != nil {
		return g, err
	}
	if n := len(one.Data.Groups); n != 1 || len(one.Data.Groups[0].Rules) != len(g.Rules) {
		return g, fmt.Errorf("asked for group %q of %q alone, there are %d groups", g.Name, g.File, n)
	}
	found := one.Data.Groups[0]
	if len(g.Rules) == 0 {
		return found, nil
	}
	name := g.Rules[0].Name
	v.Set("rule_name", name)
	v.Set("rule_name[]", name)
	v.Set("exclude_alerts", "false")
	if err := s.page("/api/v1/rules?"+v.Encode(), grafana, grafanaRules, &narrow); err != nil {
		return found, err
	}
	if n := len(narrow.Data.Groups); n != 1 || len(narrow.Data.Groups[0].Rules) == 0 {
		return found, fmt.Errorf("asked for rule %q of group %q, there are %d groups", name, g.Name, n)
	}
	for _, r := range narrow.Data.Groups[0].Rules {
		if r.Name != name {
			return found, fmt.Errorf("asked for rule %q, there is %q", name, r.Name)
		}
	}
	return found, nil
}
