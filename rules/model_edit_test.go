package rules_test

import (
	"slices"
	"time"

	"pgregory.net/rapid"

	"tocsin/config"
)

// editor edits files, each time in one way. Before each edit they are tidy.
type editor struct {
	*rapid.T
	files   modelFiles
	version byte
	number  func() int
}

// edits are the ways to edit. Those at either end are drawn most often, and some
// are there several times to keep the files from running empty or staying broken.
var edits = []func(*editor){
	(*editor).setRule, (*editor).renameRule, (*editor).addRule, (*editor).copyRule, (*editor).moveRule,
	(*editor).removeRule, (*editor).reorderRules, (*editor).addGroup, (*editor).setGroup, (*editor).renameGroup,
	(*editor).moveGroup, (*editor).splitGroup, (*editor).mergeGroups, (*editor).removeGroup, (*editor).addGroup,
	(*editor).renameFile, (*editor).removeFile, (*editor).reorderFiles, (*editor).addGroup, (*editor).removeAll,
	(*editor).setTemplates, (*editor).breakFile, (*editor).mendFiles, (*editor).mendFiles, (*editor).addRule, (*editor).moveRule,
}

// edit edits once, in a way that is drawn. Where nothing is left, a group is added.
func (e *editor) edit() {
	if len(e.files.groups()) == 0 {
		e.addGroup()
		return
	}
	rapid.SampledFrom(edits).Draw(e.T, "edit")(e)
}

func draw[E any](e *editor, label string, from ...E) E {
	return rapid.SampledFrom(from).Draw(e.T, label)
}

func (e *editor) index(label string, n int) int { return rapid.IntRange(0, n-1).Draw(e.T, label) }

func (e *editor) ruleName(k config.Kind) string {
	if k == config.Recording {
		return draw(e, "record", "r", "s", "t", "u")
	}
	return draw(e, "alert", "A", "B", "C", "D", "E", "F")
}

func (e *editor) fileName() string  { return draw(e, "file", "1.yml", "2.yml", "3.yml") }
func (e *editor) groupName() string { return draw(e, "group", "g", "h", "k", "l") }

// file returns the file of a drawn name, which may be a new one.
func (e *editor) file() *modelFile {
	name := e.fileName()
	f := e.files.find(name)
	if f == nil {
		f = &modelFile{name: name}
		e.files = append(e.files, f)
	}
	return f
}

// group draws a group. There is at least one.
func (e *editor) group() *modelGroup {
	all := e.files.groups()
	return all[e.index("of groups", len(all))].modelGroup
}

// rule draws the place of a rule.
func (e *editor) rule() (g *modelGroup, i int) {
	g = e.group()
	return g, e.index("of rules", len(g.rules))
}

func (e *editor) insert(g *modelGroup, n *modelNode) {
	g.rules = slices.Insert(g.rules, e.index("at", len(g.rules)+1), n)
}

func (e *editor) newGroup() *modelGroup {
	g := &modelGroup{number: e.number(), name: e.groupName()}
	g.set = groupSetting{interval: time.Minute, offset: draw(e, "offset", -1, 0, 20*time.Second), workers: 1}
	return g
}

func (e *editor) newRule() *modelNode {
	n := &modelNode{number: e.number(), kind: draw(e, "kind", config.Alerting, config.Alerting, config.Recording)}
	n.name, n.of = e.ruleName(n.kind), n.number
	for range 3 {
		e.set(n)
	}
	return n
}

func (e *editor) set(n *modelNode) {
	s := drawEdit(e.T, n.set)
	if n.kind == config.Recording {
		s = setting{expr: s.expr, labels: []int{0, 1, 0, 0, 4, 0, 0}[s.labels]} // templates are for alerts
	}
	s.limit = 0 // is the group's
	n.set = s
}

func (e *editor) setRule() {
	g, i := e.rule()
	e.set(g.rules[i])
}

func (e *editor) renameRule() {
	g, i := e.rule()
	g.rules[i].name = e.ruleName(g.rules[i].kind)
}

func (e *editor) addRule() { e.insert(e.group(), e.newRule()) }

// copyRule adds a rule with the results of another.
func (e *editor) copyRule() {
	g, i := e.rule()
	c := *g.rules[i]
	c.number = e.number()
	e.set(&c)
	e.insert(e.group(), &c)
}

func (e *editor) removeRule() {
	g, i := e.rule()
	g.rules = slices.Delete(g.rules, i, i+1)
}

func (e *editor) moveRule() {
	g, i := e.rule()
	n := g.rules[i]
	g.rules = slices.Delete(g.rules, i, i+1)
	e.insert(e.group(), n)
}

func (e *editor) reorderRules() { slices.Reverse(e.group().rules) }

func (e *editor) setGroup() {
	s := &e.group().set
	switch e.index("setting", 5) {
	case 0:
		s.interval = draw(e, "interval", time.Minute, 2*time.Minute, 5*time.Minute)
	case 1:
		s.offset = draw(e, "offset", -1, 0, 20*time.Second)
	case 2:
		s.site = draw(e, "site", "", "a", "b")
	case 3:
		s.limit = draw(e, "limit", 0, 0, 0, 2, 3)
	case 4:
		s.workers = 4 - s.workers
	}
}

func (e *editor) renameGroup() { e.group().name = e.groupName() }

func (e *editor) moveGroup() {
	g := e.group()
	for _, f := range e.files {
		f.groups = slices.DeleteFunc(f.groups, func(o *modelGroup) bool { return o == g })
	}
	f := e.file()
	f.groups = append(f.groups, g)
}

func (e *editor) splitGroup() {
	g := e.group()
	at := e.index("at", len(g.rules)+1)
	f := e.file()
	next := e.newGroup()
	next.set, next.rules = g.set, slices.Clone(g.rules[at:])
	f.groups = append(f.groups, next)
	g.rules = g.rules[:at]
}

func (e *editor) mergeGroups() {
	from, to := e.group(), e.group()
	if from != to {
		to.rules, from.rules = append(to.rules, from.rules...), nil
	}
}

func (e *editor) addGroup() {
	if len(e.files.groups()) > 4 {
		return // enough to run into one another
	}
	f := e.file()
	g := e.newGroup()
	for range 1 + e.index("rules", 3) {
		g.rules = append(g.rules, e.newRule())
	}
	f.groups = append(f.groups, g)
}

func (e *editor) removeGroup() { e.group().rules = nil }

func (e *editor) renameFile() { e.files[e.index("of files", len(e.files))].name = e.fileName() }

func (e *editor) removeFile() {
	i := e.index("of files", len(e.files))
	e.files = slices.Delete(e.files, i, i+1)
}

func (e *editor) reorderFiles() { slices.Reverse(e.files) }

func (e *editor) breakFile() { e.file().broken = draw(e, "broken", unreadable, badTemplate) }

func (e *editor) mendFiles() {
	for _, f := range e.files {
		f.broken = sound
	}
}

func (e *editor) setTemplates() { e.version++ }

func (e *editor) removeAll() {
	if e.index("really", 3) == 1 {
		e.files = nil
	}
}
