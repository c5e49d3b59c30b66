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
	// Refused: nothing was done because of the Problems, or as the Plan was Flawed.
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
	// From is the group it comes from and Was its name before; zero where they are
	// the same. A rule that leaves for another group is told of there.
	From   config.Key
	Was    string
	Fields []string // that differ, as spelled in rule files

	// Resolved counts the firing alerts that Alertmanager will see end: those of
	// removed rules, unless another rule tells of them too, and those that get
	// other labels.
	Resolved int
	// Reset counts the alerts that lose time: firing ones that will be pending again
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
	f := sw.farewells.clone()
	for i := range sw.slots {
		if s := &sw.slots[i]; s.kept == nil {
			sw.change.Groups = append(sw.change.Groups, sw.describeNew(s, now, f))
		}
	}
	for _, l := range sw.leavers {
		if !l.succeeded {
			g := GroupChange{Key: l.cfg.Key, Action: Removed}
			g.Rules = l.describeLeft(f)
			sw.change.Groups = append(sw.change.Groups, g)
		}
	}
}

func (sw *swap) describeNew(s *slot, now Instant, f *farewells) GroupChange {
	g := GroupChange{Key: s.next.cfg.Key, Action: Added}
	var prev *leaver
	if s.heir.succeeds && !sw.leavers[s.heir.place].dormant {
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
		r, kept := sw.describeRule(s, j, from, now)
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
		g.Rules = append(g.Rules, prev.describeLeft(f)...)
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

// describeRule says what becomes of the rule that goes on as number j of the
// group of s, and whether it stays as it is.
func (sw *swap) describeRule(s *slot, j int, from origin, now Instant) (r RuleChange, kept bool) {
	g := s.next
	cfg := &g.cfg.Rules[j]
	r = RuleChange{Kind: cfg.Kind, Name: cfg.Name, Action: Added}
	if from.none() {
		return r, false
	}
	prev := sw.leavers[from.group]
	if prev.dormant {
		return r, true // what it was is not known any more
	}
	was := &prev.cfg.Rules[from.rule]
	r.Action, r.Fields = Changed, was.Differences(cfg)
	if prev.cfg.Key != g.cfg.Key {
		r.Action, r.From = Moved, prev.cfg.Key
	}
	if was.Name != cfg.Name {
		r.Action, r.Was = Moved, was.Name
	}
	if next, ok := g.rules[j].(*alertingRule); ok {
		alerts := prev.Snapshot().Rules[from.rule].Alerts()
		r.Reset = resetBy(alerts, cfg, sw.due(s, now))
		r.Resolved = next.relabels(prev.rules[from.rule], alerts, now)
	}
	return r, r.Action == Changed && len(r.Fields) == 0
}

// due returns the time for which the group of s is evaluated next.
func (sw *swap) due(s *slot, now Instant) Instant {
	sched := &s.next.sched
	at := sched.first(now)
	if s.heir.place >= 0 {
		if began := sw.leavers[s.heir.place].Snapshot().LastEvaluation; began != 0 {
			at, _ = sched.next(began, now)
		}
	}
	return InstantOf(sched.queryTime(at))
}

// resetBy counts the alerts that fire, but at the next evaluation will not have
// been active for as long as the rule demands.
func resetBy(alerts []Instance, r *config.Rule, due Instant) int {
	n := 0
	for i := range alerts {
		a := &alerts[i]
		if elapsed := due.Sub(a.ActiveAt); a.State == Firing && elapsed >= 0 && elapsed < r.For {
			n++
		}
	}
	return n
}

// describeLeft says what becomes of the rules that nobody goes on from.
func (l *leaver) describeLeft(f *farewells) []RuleChange {
	shown := l.Snapshot().Rules
	var all []RuleChange
	for _, i := range l.left {
		c := RuleChange{Kind: l.cfg.Rules[i].Kind, Name: l.cfg.Rules[i].Name, Action: Removed, Reset: shown[i].Pending()}
		alerts := shown[i].Alerts()
		for j := range alerts {
			if a := &alerts[j]; a.State == Firing && f.first(page(a.Labels)) {
				c.Resolved++
			}
		}
		all = append(all, c)
	}
	return all
}
