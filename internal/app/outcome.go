package app

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	"tocsin/rules"
)

// outcome is what came of one load of the configuration.
type outcome struct {
	trigger string // start, signal, http or check
	began   time.Time
	took    time.Duration

	change    rules.Change
	notifiers bool    // the notifier file was put in force anew
	problems  []error // by file and line; a line each, without secrets
}

// err returns the problems as one error, or nil.
func (o *outcome) err() error { return located(o.problems...) }

// changes reports whether anything runs that did not before, or the reverse.
func (o *outcome) changes() bool { return len(o.change.Groups) > 0 || o.notifiers }

// lines returns the problems as text.
func (o *outcome) lines() []string {
	var all []string
	for _, p := range o.problems {
		all = append(all, strings.Split(p.Error(), "\n")...)
	}
	return all
}

// log says what came of it: a line for each problem, and one for the whole.
func (o *outcome) log(log *slog.Logger) {
	for _, p := range o.problems {
		log.Error("configuration has a problem", "trigger", o.trigger, "error", p)
	}
	level, message := slog.LevelInfo, "rules reloaded"
	switch {
	case o.trigger == "start" && len(o.problems) > 0:
		level, message = slog.LevelWarn, "rules loaded, files with problems are left out"
	case o.trigger == "start":
		message = "rules loaded"
	case o.change.Refused:
		level, message = slog.LevelError, "reload refused, the rules in force go on"
	case len(o.problems) > 0:
		level, message = slog.LevelWarn, "rules reloaded, files with problems keep what they had"
	}
	log.Log(context.Background(), level, message, slices.Concat(
		[]any{"trigger", o.trigger, "took", o.took, "problems", len(o.problems)},
		summary(o.change.Totals()), o.ofNotifiers())...)
}

// ofNotifiers returns the attribute of a notifier file that was put in force.
func (o *outcome) ofNotifiers() []any {
	if !o.notifiers {
		return nil
	}
	return []any{"notifiers", "changed"}
}

// summary returns totals as attributes of a log line.
func summary(t rules.Totals) []any {
	return []any{
		"added", t.Groups.Added, "changed", t.Groups.Changed, "moved", t.Groups.Moved,
		"kept", t.Groups.Kept, "removed", t.Groups.Removed,
		"rules_added", t.Rules.Added, "rules_changed", t.Rules.Changed,
		"rules_moved", t.Rules.Moved, "rules_removed", t.Rules.Removed,
		"alerts_resolved", t.Resolved, "alerts_reset", t.Reset,
	}
}
