package web

import (
	"tocsin/config"
	"tocsin/rules"
)

// ruleState is the state of a rule as the API names it. The constants are in the
// order of their names, in which counts of them are shown.
type ruleState uint8

const (
	stateNone ruleState = iota // of recording rules, unless states are extended
	stateFiring
	stateInactive
	stateNoMatch // the expression reads nothing
	stateOK
	statePending
	stateUnhealthy // the last evaluation failed
	stateCount
)

var ruleStateNames = [stateCount]string{"", "firing", "inactive", "nomatch", "ok", "pending", "unhealthy"}

func (s ruleState) String() string { return ruleStateNames[s] }

// stateOf returns the state of r. Extended states tell, of rules without active
// alerts, those that fail or read nothing, and give recording rules a state.
func stateOf(r *rules.RuleSnapshot, extended bool) ruleState {
	switch {
	case r.Firing() > 0:
		return stateFiring
	case r.Pending() > 0:
		return statePending
	}
	if extended {
		if last, ok := r.History.Last(); ok && last.Error != "" {
			return stateUnhealthy
		} else if ok && last.Samples == 0 && last.SeriesFetched == 0 {
			return stateNoMatch
		}
		if r.Rule.Kind == config.Recording {
			return stateOK
		}
	}
	if r.Rule.Kind == config.Recording {
		return stateNone
	}
	return stateInactive
}

// healthOf returns how the last evaluation of r went.
func healthOf(r *rules.RuleSnapshot) string {
	last, ok := r.History.Last()
	switch {
	case !ok:
		return "unknown"
	case last.Error != "":
		return "err"
	}
	return "ok"
}
