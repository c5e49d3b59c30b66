package rules_test

import (
	"fmt"
	"slices"
)

// after returns what is in force when files, which are settled, replace prev: a
// broken file is as it was.
func (files modelFiles) after(prev modelFiles) modelFiles {
	var all modelFiles
	for _, f := range files.clone() {
		if f.broken == sound {
			all = append(all, f)
			continue
		}
		if was := prev.clone().find(f.name); was != nil {
			for _, g := range was.groups {
				g.after = g.number
			}
			all = append(all, was)
		}
	}
	return all
}

// without returns the files that are not broken in others.
func (files modelFiles) without(others modelFiles) modelFiles {
	return slices.DeleteFunc(slices.Clone(files), func(f *modelFile) bool {
		o := others.find(f.name)
		return o != nil && o.broken != sound
	})
}

// census finds groups and rules by their numbers.
func (files modelFiles) census() (groups map[int]placed, rules map[int]known) {
	groups, rules = map[int]placed{}, map[int]known{}
	for i, g := range files.groups() {
		groups[g.number] = g
		for _, n := range g.rules {
			rules[n.number] = known{modelNode: n, group: g, place: i}
		}
	}
	return groups, rules
}

// known is a rule with the group that it is in, and the place of that.
type known struct {
	*modelNode
	group placed
	place int
}

// settle gives new numbers to what does not go on from something of prev when
// files replace it, by the rules of docs/reload.md:
//
// A group goes on if it has its name still, or is in the same file with the same
// content. A rule goes on if it has its name and labels still, or else, within a
// group that goes on, its name or its expression. Another group takes the
// schedule of the one that most of its rules are from.
func (files modelFiles) settle(prev modelFiles, version byte, number func() int) {
	old := prev.without(files)
	oldGroups, oldRules := old.census()
	for _, g := range files.without(files).groups() {
		same := g.goesOnFrom(oldGroups)
		origins := make([]int, len(old.groups()))
		for _, n := range g.rules {
			from, ok := oldRules[n.number]
			if ok && n.goesOnFrom(from.modelNode, same && from.group.number == g.number) {
				origins[from.place]++
			} else {
				n.number = number()
			}
		}
		g.version, g.after = version, g.number
		if !same {
			g.number, g.after = number(), 0
			if most := slices.Max(append(origins, 0)); most > 0 {
				g.after = old.groups()[slices.Index(origins, most)].number
			}
		}
	}
}

func (g placed) goesOnFrom(old map[int]placed) bool {
	was, ok := old[g.number]
	return ok && (was.name == g.name || was.file == g.file && was.content() == g.content())
}

func (n *modelNode) goesOnFrom(was *modelNode, sameGroup bool) bool {
	if was.name == n.name && was.set.labels == n.set.labels {
		return true
	}
	return sameGroup && (was.name == n.name || was.expr() == n.expr())
}

// alikes is the numbers of what a reload does something to, by what they have in
// common.
type alikes map[string]map[int]bool

func (l alikes) add(number int, format string, args ...any) {
	key := fmt.Sprintf(format, args...)
	if l[key] == nil {
		l[key] = map[int]bool{}
	}
	l[key][number] = true
}

// clear reports whether nothing can be mistaken for something else when files
// replace prev: of things that are alike, at most one is altered.
func (files modelFiles) clear(prev modelFiles) bool {
	l := alikes{}
	oldGroups, oldRules := prev.without(files).census()
	newGroups, newRules := files.without(files).census()
	for _, groups := range []map[int]placed{oldGroups, newGroups} {
		for number, g := range groups {
			was, before := oldGroups[number]
			is, now := newGroups[number]
			if !before || !now || was.name != is.name || was.file != is.file {
				l.add(number, "group %s", g.name)
				l.add(number, "content %s of %s", g.content(), g.file)
			}
		}
	}
	for _, rules := range []map[int]known{oldRules, newRules} {
		for number, n := range rules {
			was, before := oldRules[number]
			is, now := newRules[number]
			edited := !before || !now || was.key() != is.key()
			if edited {
				l.add(number, "name %s", n.name)
				l.add(number, "expression %s", n.expr())
			}
			if edited || was.group.number != is.group.number || !is.group.goesOnFrom(oldGroups) {
				l.add(number, "name %s, labels %d", n.name, n.set.labels)
				l.add(number, "name %s, expression %s", n.name, n.expr())
			}
		}
	}
	for _, numbers := range l {
		if len(numbers) > 1 {
			return false
		}
	}
	return true
}

// key is what rules are alike by.
func (n *modelNode) key() string { return fmt.Sprint(n.kind, n.name, n.set.labels, n.expr()) }

// valid reports whether no group has the key of another in its file, nor the
// content, and no rule the key of another in its group.
func (files modelFiles) valid() bool {
	taken := map[string]bool{}
	free := func(format string, args ...any) bool {
		key := fmt.Sprintf(format, args...)
		was := taken[key]
		taken[key] = true
		return !was
	}
	for _, f := range files {
		if !free("file %s", f.name) {
			return false
		}
		for _, g := range f.groups {
			if !free("group %s of %s", g.name, f.name) || !free("content %s of %s", g.content(), f.name) {
				return false
			}
			for _, n := range g.rules {
				if !free("rule %s of %s of %s", n.key(), g.name, f.name) {
					return false
				}
			}
		}
	}
	return true
}

// distinctlyGone reports whether it is clear what is told of the end of rules that
// files lack: if several groups lose rules that may tell of the same, nobody knows
// which of them is the first to say so.
func (files modelFiles) distinctlyGone(prev modelFiles) bool {
	_, left := files.census()
	_, before := prev.census()
	for number, n := range before {
		if _, ok := left[number]; ok {
			continue
		}
		for other, o := range before {
			_, stays := left[other]
			if o.of == n.of && o.group.number != n.group.number && !stays {
				return false
			}
		}
	}
	return true
}
