package rules

import (
	"slices"
	"strings"

	"tocsin/config"
)

// descent says what of a new configuration goes on from what of an old one. It is
// found by comparing configurations alone, so it can be told before anything is
// done about it.
type descent struct {
	heirs []heir // by new group
	left  [][]int
}

// heir is where one new group goes on from.
type heir struct {
	// place is the old group whose schedule goes on; -1 if there is none.
	place int
	// succeeds tells that the whole group takes the place, counters included. A
	// group that has merely got most of its rules from there does not.
	succeeds bool
	rules    []origin // by rule
}

// origin is a rule of an old group.
type origin struct {
	group int // -1: the rule is new
	rule  int
}

func (o origin) none() bool { return o.group < 0 }

// trace finds the descent of groups from those of old, of which each is given
// up. First groups are paired, then the rules within each pair, and then what is
// left over wherever it went.
func trace(old, groups []*config.Group) descent {
	d := descent{heirs: make([]heir, len(groups)), left: make([][]int, len(old))}
	t := newTracer(old, groups)
	places := pairGroups(old, groups)
	for i, place := range places {
		if place >= 0 {
			t.pairRules(place, i)
		}
	}
	t.pairMoved()
	for i := range groups {
		d.heirs[i] = heir{place: places[i], succeeds: places[i] >= 0, rules: t.origins[i]}
		if places[i] < 0 {
			d.heirs[i].place = mostFrequent(t.origins[i])
		}
	}
	for i := range old {
		for j, taken := range t.taken[i] {
			if !taken {
				d.left[i] = append(d.left[i], j)
			}
		}
	}
	return d
}

// mostFrequent returns the group that most rules come from, the earliest of
// several; -1 if all are new.
func mostFrequent(origins []origin) int {
	count := map[int]int{}
	best := -1
	for _, o := range origins {
		if !o.none() {
			count[o.group]++
		}
	}
	for group, n := range count {
		if best < 0 || n > count[best] || n == count[best] && group < best {
			best = group
		}
	}
	return best
}

// pairGroups returns for each group the old one whose place it takes, or -1: the
// one with the same file and name; else one of the same name, by preference with
// the same content, as when a file is renamed; else one of the same file with
// the same content.
func pairGroups(old, groups []*config.Group) []int {
	p := pairing{old: old, groups: groups, places: make([]int, len(groups)), taken: make([]bool, len(old))}
	for i := range p.places {
		p.places[i] = -1
	}
	key := func(g *config.Group) config.Key { return g.Key }
	name := func(g *config.Group) config.Key { return config.Key{Name: g.Key.Name} }
	file := func(g *config.Group) config.Key { return config.Key{File: g.Key.File} }
	p.pair(key, func(_, _ *config.Group, _ bool) bool { return true })
	p.pair(name, func(o, g *config.Group, _ bool) bool { return sameContent(o, g) })
	p.pair(name, func(_, _ *config.Group, only bool) bool { return only })
	p.pair(file, func(o, g *config.Group, _ bool) bool { return sameContent(o, g) })
	return p.places
}

// pairing is groups being paired.
type pairing struct {
	old, groups []*config.Group
	places      []int
	taken       []bool
}

// pair pairs what is left and alike by key, in order, where fits agrees; only
// tells that there is just one of each.
func (p *pairing) pair(key func(*config.Group) config.Key, fits func(o, g *config.Group, only bool) bool) {
	left := make(map[config.Key][]int)
	for i, o := range p.old {
		if !p.taken[i] {
			left[key(o)] = append(left[key(o)], i)
		}
	}
	if len(left) == 0 {
		return
	}
	wanted := make(map[config.Key]int)
	for i, g := range p.groups {
		if p.places[i] < 0 {
			wanted[key(g)]++
		}
	}
	for i, g := range p.groups {
		if p.places[i] >= 0 {
			continue
		}
		k := key(g)
		only := len(left[k]) == 1 && wanted[k] == 1
		at := slices.IndexFunc(left[k], func(o int) bool { return fits(p.old[o], g, only) })
		if at >= 0 {
			p.places[i] = left[k][at]
			p.taken[left[k][at]] = true
			left[k] = slices.Delete(left[k], at, at+1)
		}
	}
}

// sameContent reports whether groups differ by file and name at most.
func sameContent(a, b *config.Group) bool {
	if len(a.Rules) != len(b.Rules) || len(a.Rules) > 0 && a.Rules[0].Expr != b.Rules[0].Expr {
		return false // a cheap answer for most
	}
	renamed := *a
	renamed.Key = b.Key
	return renamed.Equal(b)
}

// ruleKey is what rules are alike by. Fields that do not count are zero.
type ruleKey struct {
	kind               config.Kind
	name, labels, expr string
}

// What rules of one group are matched by, from the closest likeness to the
// faintest: an edited rule is told by its name, a renamed one by its expression.
var likenesses = []struct{ name, labels, expr bool }{
	{name: true, labels: true, expr: true},
	{name: true, labels: true},
	{name: true, expr: true},
	{name: true},
	{labels: true, expr: true},
	{expr: true},
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

// pairRules matches the rules of a group with those of the group it succeeds.
// Rules that are alike are matched in file order.
func (t *tracer) pairRules(place, group int) {
	for _, by := range likenesses {
		part := func(k ruleKey) ruleKey {
			p := ruleKey{kind: k.kind}
			if by.name {
				p.name = k.name
			}
			if by.labels {
				p.labels = k.labels
			}
			if by.expr {
				p.expr = k.expr
			}
			return p
		}
		left := make(map[ruleKey][]int)
		for i, k := range t.oldKeys[place] {
			if !t.taken[place][i] {
				left[part(k)] = append(left[part(k)], i)
			}
		}
		if len(left) == 0 {
			return
		}
		for i, k := range t.newKeys[group] {
			if !t.origins[group][i].none() {
				continue
			}
			if candidates := left[part(k)]; len(candidates) > 0 {
				t.take(origin{place, candidates[0]}, origin{group, i})
				left[part(k)] = candidates[1:]
			}
		}
	}
}

func (t *tracer) take(from, to origin) {
	t.taken[from.group][from.rule] = true
	t.origins[to.group][to.rule] = from
}

// pairMoved matches what is left over, whatever group it is in: rules that are
// the same, in order, and then those of the same name and labels if there is
// just one of each.
func (t *tracer) pairMoved() {
	t.pairAcross(func(k ruleKey) ruleKey { return k }, false)
	t.pairAcross(func(k ruleKey) ruleKey { k.expr = ""; return k }, true)
}

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
