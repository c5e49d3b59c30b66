package web

import (
	"maps"
	"slices"
	"strconv"

	"tocsin/config"
)

// groupsPerPage is how many groups one page shows.
const groupsPerPage = 50

// groupsData is the list of groups with their rules.
type groupsData struct {
	Search, State string
	States        []string // to choose from
	Total         int
	Groups        []groupSection
	Pager         pager
}

// groupSection is one group.
type groupSection struct {
	ID               uint64
	Name, File, Type string
	Interval         string
	Last             when
	Open             bool // worth seeing at once
	Counts           []stateTotal
	Settings         []config.Pair
	Rules            []ruleRow
}

// stateTotal is how many rules are in a state.
type stateTotal struct {
	State string
	N     int
}

func (s *Server) groupsPage(q pageRequest) (pageContent, error) {
	// Paging is this page's own; what an API client asks does not apply.
	form := maps.Clone(q.form)
	for _, name := range []string{"group_limit", "page_num", "group_next_token"} {
		form.Del(name)
	}
	rq, err := parseRuleQuery(form)
	if err != nil {
		return pageContent{}, err
	}
	rq.extended, rq.wide = true, true
	all := rq.selectFrom(byName(s.opts.State.Groups()))
	d := groupsData{
		Search: q.form.Get("search"), State: q.form.Get("state"), Total: len(all),
		States: []string{"firing", "pending", "unhealthy", "nomatch", "inactive", "ok"},
	}
	if d.State == "" {
		d.State = q.form.Get("filter")
	}
	var from, to int
	from, to, d.Pager = q.paged(len(all), groupsPerPage)
	narrowed := d.Search != "" || rq.states != nil
	for _, m := range all[from:to] {
		g := q.groupSection(m)
		g.Open = g.Open || narrowed || len(all) == 1
		d.Groups = append(d.Groups, g)
	}
	return pageContent{Template: "groups", Title: "Groups", Data: d}, nil
}

func (q pageRequest) groupSection(m match) groupSection {
	c := m.group.Group
	g := groupSection{
		ID: m.group.ID, Name: c.Key.Name, File: c.Key.File, Type: string(c.Type),
		Interval: short(c.Interval), Last: q.when(m.group.LastEvaluation),
		Settings: settings(c),
	}
	counts := map[string]int{}
	for i := range m.len() {
		row := q.ruleRow(m.group, m.rule(i))
		counts[row.State]++
		g.Rules = append(g.Rules, row)
		if row.State == "firing" || row.State == "unhealthy" {
			g.Open = true
		}
	}
	for _, state := range slices.Sorted(maps.Keys(counts)) {
		g.Counts = append(g.Counts, stateTotal{state, counts[state]})
	}
	return g
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
