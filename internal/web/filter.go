package web

import (
	"cmp"
	"slices"
	"strings"

	"tocsin/config"
	"tocsin/rules"
)

// match is a group with those of its rules that were asked for.
type match struct {
	group *rules.Snapshot
	whole bool    // every rule
	some  []int32 // indexes of rules, unless whole
}

func (m match) len() int {
	if m.whole {
		return len(m.group.Rules)
	}
	return len(m.some)
}

// rule returns the i-th of the rules asked for.
func (m match) rule(i int) *rules.RuleSnapshot {
	if !m.whole {
		i = int(m.some[i])
	}
	return &m.group.Rules[i]
}

// byName returns groups sorted by name and then file, as they are listed.
func byName(groups []*rules.Snapshot) []*rules.Snapshot {
	groups = slices.Clone(groups)
	slices.SortStableFunc(groups, func(a, b *rules.Snapshot) int {
		return cmp.Or(
			strings.Compare(a.Group.Key.Name, b.Group.Key.Name),
			strings.Compare(a.Group.Key.File, b.Group.Key.File),
		)
	})
	return groups
}

func (q *groupQuery) matches(s *rules.Snapshot) bool {
	g := s.Group
	return (len(q.names) == 0 || slices.Contains(q.names, g.Key.Name)) &&
		(len(q.files) == 0 || slices.Contains(q.files, g.Key.File)) &&
		(q.kind == "" || q.kind == g.Type)
}

// selectFrom returns the groups with the rules that q asks for, in the order given.
// A group without any is left out, unless it has no rules to begin with.
func (q *ruleQuery) selectFrom(groups []*rules.Snapshot) []match {
	matches := make([]match, 0, len(groups))
	for _, s := range groups {
		if !q.groupQuery.matches(s) {
			continue
		}
		m := q.within(s)
		if m.len() > 0 || len(s.Rules) == 0 {
			matches = append(matches, m)
		}
	}
	return matches
}

// within returns s with the rules of it that q asks for.
func (q *ruleQuery) within(s *rules.Snapshot) match {
	search := q.search
	if contains(s.Group.Key.Name, search) || contains(s.Group.Key.File, search) {
		search = ""
	}
	if search == "" && q.anyRule() {
		return match{group: s, whole: true}
	}
	m := match{group: s}
	for i := range s.Rules {
		r := &s.Rules[i]
		if q.finds(r, search) && q.matchesRule(r) {
			m.some = append(m.some, int32(i))
		}
	}
	return m
}

// finds reports whether r contains part, where q looks for it.
func (q *ruleQuery) finds(r *rules.RuleSnapshot, part string) bool {
	if contains(r.Rule.Name, part) {
		return true
	}
	return q.wide && (contains(r.Rule.Expr, part) || pairsContain(r.Labels, part))
}

// anyRule reports whether every rule of a matching group is asked for.
func (q *ruleQuery) anyRule() bool {
	return q.kind == "" && len(q.names) == 0 && len(q.labels) == 0 && q.states == nil
}

func (q *ruleQuery) matchesRule(r *rules.RuleSnapshot) bool {
	return (q.kind == "" || q.kind == r.Rule.Kind.String()) &&
		(len(q.names) == 0 || slices.Contains(q.names, r.Rule.Name)) &&
		(q.states == nil || q.states[stateOf(r, q.extended)]) &&
		q.labels.matchPairs(r.Labels)
}

// contains reports whether s contains part, which is in lower case, in any case.
func contains(s, part string) bool {
	return part == "" || strings.Contains(strings.ToLower(s), part)
}

func pairsContain(pairs []config.Pair, part string) bool {
	return slices.ContainsFunc(pairs, func(p config.Pair) bool {
		return contains(p.Name+"="+p.Value, part)
	})
}
