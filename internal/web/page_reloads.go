package web

import (
	"strings"

	"tocsin/rules"
)

// reloadRow is a load of the configuration as the overview shows it.
type reloadRow struct {
	At                    when
	Trigger, Took         string
	Applied               bool   // all of it
	Outcome               string // as the API names it
	Did                   string // "" if it was refused
	Problems, ProblemText string // how many, and a line each; "" if there are none
}

func (q pageRequest) reloadRows(reloads []Reload) []reloadRow {
	rows := make([]reloadRow, 0, len(reloads))
	for i := range reloads {
		r := &reloads[i]
		row := reloadRow{
			At: q.when(rules.InstantOf(r.At)), Trigger: r.Trigger, Took: short(r.Took),
			Outcome: outcome(r.Refused, r.Problems),
		}
		row.Applied = row.Outcome == outcomeApplied
		if !r.Refused {
			row.Did = did(r.Totals)
		}
		if n := len(r.Problems); n > 0 {
			row.Problems = plural(n, "problem")
			row.ProblemText = strings.Join(r.Problems, "\n")
		}
		rows = append(rows, row)
	}
	return rows
}

// staleTitle says what is wrong when what runs is not what the configuration
// says, given the last loads.
func staleTitle(reloads []Reload) string {
	switch {
	case len(reloads) == 0:
	case reloads[0].Refused:
		return "The last reload was refused; what ran before goes on."
	case len(reloads[0].Problems) > 0:
		return "Files with problems keep what they had before; the rest is in force."
	}
	return "What runs is not what the configuration says."
}

// did says in a few words what a reload has done.
func did(t rules.Totals) string {
	var parts []string
	for _, p := range []string{
		countsText("group", actionParts(t.Groups)),
		countsText("rule", actionParts(t.Rules)),
		countsText("alert", []countPart{{t.Resolved, "resolved"}, {t.Reset, "reset"}}),
	} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	if parts == nil {
		return "nothing changed"
	}
	return strings.Join(parts, "; ")
}

// countPart is how many of something had one thing happen to them.
type countPart struct {
	n    int
	what string
}

func actionParts(c rules.ActionCounts) []countPart {
	return []countPart{{c.Added, "added"}, {c.Changed, "changed"}, {c.Moved, "moved"}, {c.Removed, "removed"}}
}

// countsText writes parts as "2 groups added, 1 moved", or "" if all are zero.
func countsText(unit string, parts []countPart) string {
	var text strings.Builder
	for _, p := range parts {
		switch {
		case p.n == 0:
			continue
		case text.Len() == 0:
			text.WriteString(plural(p.n, unit))
		default:
			text.WriteString(", " + itoa(p.n))
		}
		text.WriteString(" " + p.what)
	}
	return text.String()
}

// plural returns n with its unit: "1 group", "2 groups".
func plural(n int, unit string) string {
	if n != 1 {
		unit += "s"
	}
	return itoa(n) + " " + unit
}
