package rules

// mostNamed is how many rules of a group are named in the log when they fail, or
// recover, in the same round. When the datasource goes away they all do.
const mostNamed = 3

// turns counts the rules that began to fail and those that recovered in a round.
type turns struct{ failing, working int }

// logChange says once that a rule began to fail, and once that it recovered. One
// that a former process left failing is told of again: nobody looks for the
// reason in an old log.
func (l *loop) logChange(i int, was *RuleMemory, err error) {
	last, known := was.History.Last()
	switch {
	case err != nil && !was.reported:
		l.turns.failing++
		if l.turns.failing <= mostNamed {
			l.log.Error("rule fails", "rule", l.cfg.Rules[i].Name, "error", err)
		}
	case err == nil && known && last.Error != "":
		l.turns.working++
		if l.turns.working <= mostNamed {
			l.log.Info("rule works again", "rule", l.cfg.Rules[i].Name)
		}
	}
}

// logOthers ends a round: it says how many rules were not named.
func (l *loop) logOthers() {
	if n := l.turns.failing - mostNamed; n > 0 {
		l.log.Error("more rules fail", "rules", n)
	}
	if n := l.turns.working - mostNamed; n > 0 {
		l.log.Info("more rules work again", "rules", n)
	}
	l.turns = turns{}
}
