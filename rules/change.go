package rules

import (
	"slices"

	"tocsin/config"
)

// Action is what becomes of a group or rule in a reload.
type Action string

// The actions there are. What is kept as it is, is not told of one by one.
const (
	Added   Action = "added"
	Changed Action = "changed"
	Moved   Action = "moved" // to another file or group, or renamed; changed as well if there are fields
	Removed Action = "removed"
)

// Change is what a reload does, or would do.
type Change struct {
	// Groups are those that are not kept: in the order of the new configuration,
	// and after them the removed ones.
	Groups []GroupChange
	Kept   int // groups that are not touched
	// Problems are why files keep what they had before; see Plan.
	Problems []*RuleError
	// Refused: nothing was done because of the Problems.
	Refused bool
}

// GroupChange is what a reload does to one group.
type GroupChange struct {
	Key    config.Key
	Action Action
	From   config.Key   // the identity it had before; zero unless Moved
	Fields []string     // what differs, as spelled in rule files; order is that of rules
	Rules  []RuleChange // that are not kept as they are
	Kept   int          // rules that are
}

// RuleChange is what a reload does to one rule.
type RuleChange struct {
	Kind   config.Kind
	Name   string
	Action Action
	// From is the group it comes from, or goes to if it leaves this one, and Was
	// its name before; zero where they are the same.
	From   config.Key
	Was    string
	Fields []string // that differ, as spelled in rule files

	// Resolved counts the firing alerts that Alertmanager will see end: those of
	// removed rules, and those that get other labels.
	Resolved int
	// Reset counts the alerts that lose time: firing ones that are pending again
	// because for is longer, and pending ones of removed rules.
	Reset int
}

// Totals counts what a Change consists of.
type Totals struct {
	Groups, Rules   ActionCounts
	Resolved, Reset int // alerts; see RuleChange
}

// ActionCounts counts groups or rules by what becomes of them.
type ActionCounts struct{ Added, Changed, Moved, Kept, Removed int }

func (c *ActionCounts) count(a Action) {
	switch a {
	case Added:
		c.Added++
	case Changed:
		c.Changed++
	case Moved:
		c.Moved++
	case Removed:
		c.Removed++
	}
}

// Any reports whether anything is not kept.
func (c ActionCounts) Any() bool { return c.Added+c.Changed+c.Moved+c.Removed > 0 }

// Totals returns the sums of c. The rules of groups that are not touched are not
// among the kept ones.
func (c *Change) Totals() Totals {
	t := Totals{Groups: ActionCounts{Kept: c.Kept}}
	for i := range c.Groups {
		g := &c.Groups[i]
		t.Groups.count(g.Action)
		t.Rules.Kept += g.Kept
		for j := range g.Rules {
			t.Rules.count(g.Rules[j].Action)
			t.Resolved += g.Rules[j].Resolved
			t.Reset += g.Rules[j].Reset
		}
	}
	return t
}

// describe says what the swap does to every group that is not kept.
func (sw *swap) describe(now Instant) {
	for i := range sw.slots {
		if s := &sw.slots[i]; s.kept == nil {
			sw.change.Groups = append(sw.change.Groups, sw.describeNew(s, now))
		}
	}
	for _, l := range sw.leavers {
		if !l.succeeded {
			g := GroupChange{Key: l.cfg.Key, Action: Removed}
			g.Rules = l.describeLeft()
			sw.change.Groups = append(sw.change.Groups, g)
		}
	}
}

func (sw *swap) describeNew(s *slot, now Instant) GroupChange {
	g := GroupChange{Key: s.next.cfg.Key, Action: Added}
	var prev *leaver
	if s.heir.succeeds {
		prev = sw.leavers[s.heir.place]
		g.Action = Changed
		g.Fields = prev.cfg.Differences(s.next.cfg)
		if prev.deps.Templates.Digest() != s.next.deps.Templates.Digest() {
			g.Fields = append(g.Fields, "templates")
		}
		if s.reordered() {
			g.Fields = append(g.Fields, "order")
		}
		if prev.cfg.Key != g.Key {
			g.Action, g.From = Moved, prev.cfg.Key
		}
	}
	for j, from := range s.heir.rules {
		r, kept := sw.describeRule(s.next, j, from, now)
		if prev != nil && from.group == s.heir.place && r.Was == "" {
			r.From = config.Key{} // it went along with its group
			if r.Action == Moved {
				r.Action = Changed
			}
			kept = len(r.Fields) == 0
		}
		if kept && r.Resolved+r.Reset == 0 {
			g.Kept++
			continue
		}
		g.Rules = append(g.Rules, r)
	}
	if prev != nil {
		g.Rules = append(g.Rules, prev.describeLeft()...)
	}
	return g
}

// reordered reports whether rules that go on stand in another order than before.
func (s *slot) reordered() bool {
	var positions []int
	for _, from := range s.heir.rules {
		if from.group == s.heir.place {
			positions = append(positions, from.rule)
		}
	}
	return !slices.IsSorted(positions)
}

// describeRule says what becomes of the rule that goes on as number j of g, and
// whether it stays as it is.
func (sw *swap) describeRule(g *Group, j int, from origin, now Instant) (r RuleChange, kept bool) {
	cfg := &g.cfg.Rules[j]
	r = RuleChange{Kind: cfg.Kind, Name: cfg.Name, Action: Added}
	if from.none() {
		return r, false
	}
	prev := sw.leavers[from.group]
	was := &prev.cfg.Rules[from.rule]
	r.Action, r.Fields = Changed, was.Differences(cfg)
	if prev.cfg.Key != g.cfg.Key {
		r.Action, r.From = Moved, prev.cfg.Key
	}
	if was.Name != cfg.Name {
		r.Action, r.Was = Moved, was.Name
	}
	if next, ok := g.rules[j].(*alertingRule); ok {
		alerts := prev.Snapshot().Rules[from.rule].Alerts
		r.Reset = resetBy(alerts, cfg, now)
		r.Resolved = next.relabels(prev.rules[from.rule], alerts, now)
	}
	return r, r.Action == Changed && len(r.Fields) == 0
}

// resetBy counts the alerts that fire, but not for as long as the rule demands.
func resetBy(alerts []Instance, r *config.Rule, now Instant) int {
	n := 0
	for i := range alerts {
		if a := &alerts[i]; a.State == Firing && now.Sub(a.ActiveAt) < r.For {
			n++
		}
	}
	return n
}

// describeLeft says what becomes of the rules that nobody goes on from.
func (l *leaver) describeLeft() []RuleChange {
	shown := l.Snapshot().Rules
	var all []RuleChange
	for _, i := range l.left {
		r := &l.cfg.Rules[i]
		all = append(all, RuleChange{
			Kind: r.Kind, Name: r.Name, Action: Removed,
			Resolved: shown[i].Firing, Reset: shown[i].Pending,
		})
	}
	return all
}
