package rules

import (
	"strings"

	"tocsin/config"
)

// ruleKey is what rules are alike by. Fields that do not count are zero.
type ruleKey struct {
	kind               config.Kind
	name, labels, expr string
}

// likeness is what of rules is alike.
type likeness struct{ name, labels, expr bool }

// What rules of one group are matched by, from the closest likeness to the
// faintest: an edited rule is told by its name, a renamed one by its expression.
var (
	closely = []likeness{
		{name: true, labels: true, expr: true},
		{name: true, labels: true},
		{name: true, expr: true},
	}
	faintly = []likeness{
		{name: true},
		{labels: true, expr: true},
		{expr: true},
	}
)

// part returns what of k counts for the likeness.
func (l likeness) part(k ruleKey) ruleKey {
	p := ruleKey{kind: k.kind}
	if l.name {
		p.name = k.name
	}
	if l.labels {
		p.labels = k.labels
	}
	if l.expr {
		p.expr = k.expr
	}
	return p
}

// tracer matches rules.
type tracer struct {
	old, groups      []*config.Group
	oldKeys, newKeys [][]ruleKey
	taken            [][]bool // of the old rules
	origins          [][]origin
}

func newTracer(old, groups []*config.Group) *tracer {
	t := &tracer{old: old, groups: groups, oldKeys: keysOf(old), newKeys: keysOf(groups)}
	for _, g := range old {
		t.taken = append(t.taken, make([]bool, len(g.Rules)))
	}
	for _, g := range groups {
		origins := make([]origin, len(g.Rules))
		for i := range origins {
			origins[i] = origin{group: -1}
		}
		t.origins = append(t.origins, origins)
	}
	return t
}

func keysOf(groups []*config.Group) [][]ruleKey {
	keys := make([][]ruleKey, len(groups))
	for i, g := range groups {
		keys[i] = make([]ruleKey, len(g.Rules))
		for j := range g.Rules {
			r := &g.Rules[j]
			keys[i][j] = ruleKey{kind: r.Kind, name: r.Name, labels: canonical(r.Labels), expr: r.Expr}
		}
	}
	return keys
}

// pairWithin matches the rules of groups with those of the groups they succeed.
// Rules that are alike are matched in file order.
func (t *tracer) pairWithin(places []int, by []likeness) {
	for group, place := range places {
		for i := 0; place >= 0 && i < len(by); i++ {
			t.pairRules(place, group, by[i])
		}
	}
}

func (t *tracer) pairRules(place, group int, by likeness) {
	left := make(map[ruleKey][]int)
	for i, k := range t.oldKeys[place] {
		if !t.taken[place][i] {
			left[by.part(k)] = append(left[by.part(k)], i)
		}
	}
	if len(left) == 0 {
		return
	}
	for i, k := range t.newKeys[group] {
		if !t.origins[group][i].none() {
			continue
		}
		if candidates := left[by.part(k)]; len(candidates) > 0 {
			t.take(origin{place, candidates[0]}, origin{group, i})
			left[by.part(k)] = candidates[1:]
		}
	}
}

func (t *tracer) take(from, to origin) {
	t.taken[from.group][from.rule] = true
	t.origins[to.group][to.rule] = from
}

// pairAcross matches what is left over and alike by part, whatever group it is
// in: in order, or only if there is just one of each.
func (t *tracer) pairAcross(part func(ruleKey) ruleKey, only bool) {
	left := make(map[ruleKey][]origin)
	for i := range t.old {
		for j, taken := range t.taken[i] {
			if !taken {
				k := part(t.oldKeys[i][j])
				left[k] = append(left[k], origin{i, j})
			}
		}
	}
	if len(left) == 0 {
		return
	}
	wanted := make(map[ruleKey][]origin)
	var order []ruleKey
	for i := range t.groups {
		for j, from := range t.origins[i] {
			k := part(t.newKeys[i][j])
			if !from.none() || len(left[k]) == 0 {
				continue
			}
			if len(wanted[k]) == 0 {
				order = append(order, k)
			}
			wanted[k] = append(wanted[k], origin{i, j})
		}
	}
	for _, k := range order {
		if only && (len(left[k]) != 1 || len(wanted[k]) != 1) {
			continue
		}
		for n := range min(len(left[k]), len(wanted[k])) {
			t.take(left[k][n], wanted[k][n])
		}
	}
}

// canonical returns pairs, which are sorted, as one string that no other pairs have.
func canonical(pairs []config.Pair) string {
	if len(pairs) == 0 {
		return ""
	}
	var b strings.Builder
	for _, p := range pairs {
		b.WriteString(p.Name)
		b.WriteByte(0xff)
		b.WriteString(p.Value)
		b.WriteByte(0xff)
	}
	return b.String()
}
