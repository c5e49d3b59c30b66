package rules_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"tocsin/config"
	"tocsin/rules"
)

// modelFiles are rule files as somebody edits them. Groups and rules have
// numbers, which nobody sees and which edits carry along: whatever has the same
// number is the same thing.
type modelFiles []*modelFile

type modelFile struct {
	name   string
	broken breakage
	groups []*modelGroup
}

// breakage is how a file cannot be used.
type breakage string

const (
	sound       breakage = ""
	unreadable  breakage = "unreadable"
	badTemplate breakage = "with a bad template"
)

type modelGroup struct {
	number int
	name   string
	set    groupSetting
	rules  []*modelNode

	// Where the group is in force.
	version byte // of its templates
	after   int  // the number of the group whose schedule it goes on with; 0 is none
}

// groupSetting is what an edit of a group may change.
type groupSetting struct {
	interval time.Duration
	offset   time.Duration // negative is none
	site     string        // a label
	limit    int
	workers  int
}

type modelNode struct {
	number int
	kind   config.Kind
	name   string
	of     int // whose results its expression asks for
	set    setting
}

func (n *modelNode) expr() string { return fmt.Sprintf("q%dv%d", n.of, n.set.expr) }

func (n *modelNode) config() config.Rule {
	r := n.set.rule(n.name, fmt.Sprintf("q%d", n.of))
	if n.kind == config.Recording {
		r.Kind, r.For, r.KeepFiringFor, r.Annotations = config.Recording, 0, 0, nil
	}
	return r
}

func (g *modelGroup) config(file string) config.Group {
	c := group(g.name)
	c.Key.File, c.Interval, c.Limit, c.Concurrency = file, g.set.interval, g.set.limit, g.set.workers
	c.EvalAlignment = false
	if g.set.offset >= 0 {
		c.EvalOffset = config.Duration{Duration: g.set.offset, Set: true}
	}
	if g.set.site != "" {
		c.Labels = []config.Pair{{Name: "site", Value: g.set.site}}
	}
	for _, n := range g.rules {
		c.Rules = append(c.Rules, n.config())
	}
	return c
}

// plan returns the files as they are given to a Manager.
func (f *modelFile) plan() rules.PlanFile {
	p := rules.PlanFile{Name: f.name, Bad: f.broken == unreadable}
	if p.Bad {
		return p
	}
	for _, g := range f.groups {
		p.Groups = append(p.Groups, g.config(f.name))
	}
	if f.broken == badTemplate {
		bad := alerting("Bad", "bad", 0)
		bad.Annotations = []config.Pair{{Name: "summary", Value: "{{bad}}"}}
		p.Groups = append(p.Groups, group("bad", bad))
		p.Groups[len(p.Groups)-1].Key.File = f.name
	}
	return p
}

func (files modelFiles) plan() []rules.PlanFile {
	var all []rules.PlanFile
	for _, f := range files {
		all = append(all, f.plan())
	}
	return all
}

func (files modelFiles) clone() modelFiles {
	var all modelFiles
	for _, f := range files {
		c := *f
		c.groups = nil
		for _, g := range f.groups {
			d := *g
			d.rules = nil
			for _, n := range g.rules {
				e := *n
				d.rules = append(d.rules, &e)
			}
			c.groups = append(c.groups, &d)
		}
		all = append(all, &c)
	}
	return all
}

// tidy drops what is empty. A broken file stays.
func (files *modelFiles) tidy() {
	for _, f := range *files {
		f.groups = slices.DeleteFunc(f.groups, func(g *modelGroup) bool { return len(g.rules) == 0 })
	}
	*files = slices.DeleteFunc(*files, func(f *modelFile) bool { return len(f.groups) == 0 && f.broken == sound })
}

func (files modelFiles) find(name string) *modelFile {
	for _, f := range files {
		if f.name == name {
			return f
		}
	}
	return nil
}

// placed is a group with the file that it is in.
type placed struct {
	file string
	*modelGroup
}

func (files modelFiles) groups() []placed {
	var all []placed
	for _, f := range files {
		for _, g := range f.groups {
			all = append(all, placed{f.name, g})
		}
	}
	return all
}

// content writes down everything of a group but its name and version.
func (g *modelGroup) content() string {
	all := fmt.Sprint(g.set)
	for _, n := range g.rules {
		all += fmt.Sprint(n.kind, n.name, n.expr(), n.set)
	}
	return all
}

func (files modelFiles) String() string {
	var b strings.Builder
	for _, f := range files {
		fmt.Fprintf(&b, "\n  %s %s", f.name, f.broken)
		for _, g := range f.groups {
			fmt.Fprintf(&b, "\n    group %s number %d version %d after %d: %+v", g.name, g.number, g.version, g.after, g.set)
			for _, n := range g.rules {
				fmt.Fprintf(&b, "\n      %s %s number %d %s: %+v", n.kind, n.name, n.number, n.expr(), n.set)
			}
		}
	}
	return b.String()
}
