package web

import (
	"maps"
	"net/url"
	"slices"
	"strconv"

	"tocsin/config"
	"tocsin/rules"
)

const (
	// groupsPerPage is how many groups one page shows.
	groupsPerPage = 50
	// rulesPerPage is how many rules a page lists: all of its groups if they have no
	// more, or of a group that is shown alone. Pages of thousands are slow to read on
	// a phone, and searching is quicker than scrolling.
	rulesPerPage = 200
	// rulesInBrief is how many rules a page with too many lists of each group.
	rulesInBrief = 5
)

// groupsData is the list of groups with their rules.
type groupsData struct {
	Filter   filterForm
	Found    string // how many groups and rules are asked for, on all pages
	Sections []groupSection
	Pager    pager
}

// groupSection is one group.
type groupSection struct {
	ID               uint64
	Name, File, Type string
	Clock            groupClock
	Open             bool // worth seeing at once
	Alone            bool // no other group is asked for
	Counts           []stateTotal
	Settings         []config.Pair
	Rules            []ruleRow
	Total            int
	More             int    // rules that are asked for but not listed
	MoreQuery        string // which lists them
}

// stateTotal is how many rules are in a state.
type stateTotal struct {
	State string
	N     int
}

func (s *Server) groupsPage(q pageRequest) (pageContent, error) {
	groups := byName(s.opts.State.Groups())
	all, err := q.selectGroups(groups)
	if err != nil {
		return pageContent{}, err
	}
	d := groupsData{
		Filter: q.filterForm("group, file, rule, expression, label",
			[]string{"firing", "pending", "unhealthy", "nomatch", "inactive", "ok"}, []string{"alert", "record"}),
	}
	d.Filter.name(groups)
	if d.Filter.Narrows() {
		all = slices.DeleteFunc(all, func(m match) bool { return m.len() == 0 && !q.form.Has("group_id") })
	}
	found := 0
	for _, m := range all {
		found += m.len()
	}
	d.Found = plural(len(all), "group") + ", " + plural(found, "rule")
	if len(all) == 1 {
		section := q.groupSection(all[0])
		section.Open, section.Alone = true, true
		var from, to int
		from, to, d.Pager = q.paged(all[0].len(), rulesPerPage)
		section.Rules = q.ruleRows(all[0], from, to)
		d.Sections = []groupSection{section}
	} else {
		var from, to int
		from, to, d.Pager = q.paged(len(all), groupsPerPage)
		d.Sections = q.groupSections(all[from:to], d.Filter.Narrows())
	}
	return pageContent{Template: "groups", Title: "Groups", Data: d}, nil
}

// selectGroups returns those of groups that the request asks for, with those of
// their rules. Paging is this page's own; what an API client asks does not apply.
func (q pageRequest) selectGroups(groups []*rules.Snapshot) ([]match, error) {
	form := maps.Clone(q.form)
	for _, name := range []string{"group_limit", "page_num", "group_next_token"} {
		form.Del(name)
	}
	rq, err := parseRuleQuery(form)
	if err != nil {
		return nil, err
	}
	rq.extended, rq.wide = true, true
	if form.Get("group_id") != "" {
		id, err := parseID(form, "group_id")
		if err != nil {
			return nil, err
		}
		groups = slices.DeleteFunc(slices.Clone(groups), func(s *rules.Snapshot) bool { return s.ID != id })
	}
	return rq.selectFrom(groups), nil
}

// groupSections lists the rules of several groups: all if they are few, else of
// each group the first that are asked for or, when all rules are, those in trouble.
func (q pageRequest) groupSections(matches []match, narrowed bool) []groupSection {
	total := 0
	for _, m := range matches {
		total += m.len()
	}
	sections := make([]groupSection, len(matches))
	for i, m := range matches {
		sections[i] = q.groupSection(m)
		section := &sections[i]
		switch {
		case total <= rulesPerPage:
			section.Rules = q.ruleRows(m, 0, m.len())
		case narrowed:
			section.Rules = q.ruleRows(m, 0, min(m.len(), rulesInBrief))
		default:
			section.Rules = q.troubleRows(m)
		}
		section.Open = narrowed || section.inTrouble()
		section.More = m.len() - len(section.Rules)
	}
	return sections
}

func (q pageRequest) groupSection(m match) groupSection {
	c := m.group.Group
	g := groupSection{
		ID: m.group.ID, Name: c.Key.Name, File: c.Key.File, Type: string(c.Type),
		Clock: q.groupClock(m.group), Settings: settings(c), Total: len(m.group.Rules),
	}
	g.MoreQuery = q.query(func(v url.Values) { v.Set("group_id", strconv.FormatUint(g.ID, 10)) })
	var counts [stateCount]int
	unknown := 0
	for i := range m.len() {
		if r := m.rule(i); evaluated(r) {
			counts[stateOf(r, true)]++
		} else {
			unknown++
		}
	}
	for state, n := range counts {
		if n > 0 {
			g.Counts = append(g.Counts, stateTotal{ruleState(state).String(), n})
		}
	}
	if unknown > 0 {
		g.Counts = append(g.Counts, stateTotal{stateUnknown, unknown})
	}
	return g
}

// ruleRows returns a part of the rules of m.
func (q pageRequest) ruleRows(m match, from, to int) []ruleRow {
	rows := make([]ruleRow, 0, to-from)
	for i := from; i < to; i++ {
		rows = append(rows, q.ruleRow(m.group, m.rule(i)))
	}
	return rows
}

// troubleRows returns the first rules of m that fire, fail or are about to fire.
func (q pageRequest) troubleRows(m match) []ruleRow {
	var rows []ruleRow
	for _, state := range []ruleState{stateFiring, stateUnhealthy, statePending} {
		for i := range m.len() {
			if r := m.rule(i); len(rows) < rulesInBrief && stateOf(r, true) == state {
				rows = append(rows, q.ruleRow(m.group, r))
			}
		}
	}
	return rows
}

// inTrouble reports whether a rule of g fires or fails.
func (g *groupSection) inTrouble() bool {
	return slices.ContainsFunc(g.Counts, func(c stateTotal) bool {
		return c.State == stateFiring.String() || c.State == stateUnhealthy.String()
	})
}

// settings returns what is particular to a group.
func settings(c *config.Group) []config.Pair {
	var list []config.Pair
	add := func(name, value string) {
		if value != "" {
			list = append(list, config.Pair{Name: name, Value: value})
		}
	}
	if c.Concurrency > 1 {
		add("concurrency", strconv.Itoa(c.Concurrency))
	}
	if c.Limit > 0 {
		add("limit", strconv.Itoa(c.Limit))
	}
	if c.EvalOffset.Set {
		add("eval_offset", c.EvalOffset.Duration.String())
	}
	if c.EvalDelay.Set {
		add("eval_delay", c.EvalDelay.Duration.String())
	}
	for _, line := range paramLines(c.Params) {
		add("param", line)
	}
	for _, line := range headerLines(c.Headers) {
		add("header", line)
	}
	for _, l := range c.Labels {
		add("label", l.Name+"="+l.Value)
	}
	return list
}
