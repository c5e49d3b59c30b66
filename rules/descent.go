package rules

import (
	"slices"

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
// up. First groups are paired, and then rules, within each pair and wherever they
// went, by closer and by fainter likeness in turn: what is the same elsewhere is
// not mistaken for what has merely the same name here.
func trace(old, groups []*config.Group) descent {
	d := descent{heirs: make([]heir, len(groups)), left: make([][]int, len(old))}
	t := newTracer(old, groups)
	places := pairGroups(old, groups)
	t.pairWithin(places, closely)
	t.pairAcross(func(k ruleKey) ruleKey { return k }, false)
	t.pairWithin(places, faintly)
	t.pairAcross(func(k ruleKey) ruleKey { k.expr = ""; return k }, true)
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
