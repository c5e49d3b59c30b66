package web

import (
	"slices"

	"tocsin/config"
	"tocsin/rules"
)

// homeData is the overview: what became of the last edit, and what is wrong,
// first.
type homeData struct {
	NotReady                  string
	Stale, StaleTitle         string
	Reloads                   []reloadRow // the latest first
	Groups, Rules             int
	Firing, Pending           int
	Unhealthy                 int
	FiringRules, FailingRules []ruleRow
	MoreFiring, MoreFailing   int // not listed
	Targets, FailingTargets   int
	Unheard                   bool // there are alerting rules, and nobody to tell
	LateGroups                int
	Late                      []lateGroup // the first of them
	CanReload                 bool
}

// homeList is how many rules the overview lists of each sort.
const homeList = 25

func (s *Server) homePage(q pageRequest) (pageContent, error) {
	groups := byName(s.opts.State.Groups())
	d := homeData{Groups: len(groups), CanReload: s.opts.Auth.ReloadKey == ""}
	if err := s.opts.Control.Ready(); err != nil {
		d.NotReady = err.Error()
	}
	reloads := s.opts.Control.Reloads()
	d.Reloads = q.reloadRows(reloads)
	if err := s.opts.Control.Stale(); err != nil {
		d.Stale, d.StaleTitle = err.Error(), staleTitle(reloads)
	}
	d.countNotifiers(s.opts.State.Notifiers())
	var firing []firingRule
	var failing []ruleRef
	for _, g := range groups {
		d.addIfLate(g, q.groupClock(g))
		d.Rules += len(g.Rules)
		for i := range g.Rules {
			r := &g.Rules[i]
			n := r.Firing()
			d.Firing += n
			d.Pending += r.Pending()
			d.Unheard = d.Unheard || d.Targets == 0 && r.Rule.Kind == config.Alerting
			if n > 0 {
				firing = append(firing, firingRule{ruleRef{g, r}, n})
			}
			if healthOf(r) == "err" {
				failing = append(failing, ruleRef{g, r})
			}
		}
	}
	d.Unhealthy = len(failing)
	d.FiringRules, d.MoreFiring = q.firstRows(mostFiring(firing))
	d.FailingRules, d.MoreFailing = q.firstRows(failing)
	return pageContent{Template: "home", Title: "Overview", Data: d}, nil
}

// firingRule is a rule with how many of its alerts fire.
type firingRule struct {
	ruleRef
	alerts int
}

// mostFiring returns the rules with the most firing alerts first.
func mostFiring(all []firingRule) []ruleRef {
	slices.SortStableFunc(all, func(a, b firingRule) int { return b.alerts - a.alerts })
	refs := make([]ruleRef, len(all))
	for i := range all {
		refs[i] = all[i].ruleRef
	}
	return refs
}

// lateGroup is a group of which a round should have begun long ago.
type lateGroup struct {
	ID         uint64
	Name, File string
	Clock      groupClock
}

func (d *homeData) addIfLate(s *rules.Snapshot, c groupClock) {
	if !c.Late {
		return
	}
	d.LateGroups++
	if len(d.Late) < homeList {
		d.Late = append(d.Late, lateGroup{s.ID, s.Group.Key.Name, s.Group.Key.File, c})
	}
}

func (d *homeData) countNotifiers(groups []NotifierGroup) {
	for _, n := range groups {
		d.Targets += len(n.Targets)
		for _, t := range n.Targets {
			if t.LastError != "" {
				d.FailingTargets++
			}
		}
	}
}

// ruleRef points to a rule of a snapshot.
type ruleRef struct {
	group *rules.Snapshot
	rule  *rules.RuleSnapshot
}

// firstRows returns the first of a list as the overview shows them, and how many
// it leaves out.
func (q pageRequest) firstRows(list []ruleRef) (rows []ruleRow, more int) {
	n := min(len(list), homeList)
	for _, ref := range list[:n] {
		rows = append(rows, q.ruleRow(ref.group, ref.rule))
	}
	return rows, len(list) - n
}
