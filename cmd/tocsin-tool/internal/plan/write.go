package plan

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Write writes a for a person: a line for each group that is not kept, below it
// one for each of its rules that are not, and a last one with the totals.
func (a *Answer) Write(w io.Writer) error {
	out := bufio.NewWriter(w)
	for i := range a.Groups {
		g := &a.Groups[i]
		fmt.Fprintln(out, g.line())
		for j := range g.Rules {
			fmt.Fprintln(out, "  "+g.Rules[j].line())
		}
	}
	fmt.Fprintln(out, a.totals())
	return out.Flush()
}

// sign marks what is done to a group or rule.
func sign(action string) string {
	switch action {
	case "added":
		return "+"
	case "changed":
		return "~"
	case "moved":
		return ">"
	case "removed":
		return "-"
	}
	return "?"
}

func (k *Key) String() string {
	return "group " + strconv.Quote(k.Name) + " (" + printable(k.File) + ")"
}

func (g *Group) line() string {
	text := sign(g.Action) + " " + g.Key.String()
	switch {
	case g.From == nil:
	case g.From.Name == g.Name:
		text += " moved from " + printable(g.From.File)
	default:
		text += " moved from " + g.From.String()
	}
	return text + facts(g.Action, g.Fields)
}

func (r *Rule) line() string {
	kind := "alert"
	if r.Type == "recording" {
		kind = "record"
	}
	text := sign(r.Action) + " " + kind + " " + strconv.Quote(r.Name)
	if r.FormerName != "" {
		text += " renamed from " + strconv.Quote(r.FormerName)
	}
	if r.From != nil {
		text += " moved from " + r.From.String()
	}
	consequences := slices.Clone(r.Fields)
	if r.Resolved > 0 {
		consequences = append(consequences, plural(r.Resolved, "alert")+" will be resolved")
	}
	switch {
	case r.Reset == 0:
	case r.Action == "removed":
		consequences = append(consequences, plural(r.Reset, "pending alert")+" will be dropped")
	default:
		consequences = append(consequences, plural(r.Reset, "alert")+" will be pending again")
	}
	return text + facts(r.Action, consequences)
}

// facts returns what follows the colon of a line, or "" if nothing does.
func facts(action string, more []string) string {
	if action != "changed" && action != "moved" {
		more = append([]string{action}, more...)
	}
	if len(more) == 0 {
		return ""
	}
	return ": " + printable(strings.Join(more, ", "))
}

// totals is the last line.
func (a *Answer) totals() string {
	t := a.Totals
	var sentences []string
	if !t.Groups.any() {
		sentences = append(sentences, "Nothing would change.")
	}
	add := func(unit string, parts ...string) {
		parts = slices.DeleteFunc(parts, func(p string) bool { return p == "" })
		if len(parts) > 0 {
			sentences = append(sentences, unit+": "+strings.Join(parts, ", ")+".")
		}
	}
	add("Groups", t.Groups.parts()...)
	add("Rules", t.Rules.parts()...)
	add("Alerts", part(t.Alerts.Resolved, "resolved"), part(t.Alerts.Reset, "reset"))
	return strings.Join(sentences, " ")
}

func (c Counts) parts() []string {
	return []string{
		part(c.Added, "added"), part(c.Changed, "changed"), part(c.Moved, "moved"),
		part(c.Removed, "removed"), part(c.Kept, "kept"),
	}
}

// part is a count in words, or "" for none.
func part(n int, what string) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n) + " " + what
}

// plural returns n with its unit: "1 alert", "2 alerts".
func plural(n int, unit string) string {
	if n != 1 {
		unit += "s"
	}
	return strconv.Itoa(n) + " " + unit
}

// printable replaces what could break a line or steer a terminal by a space.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
}

// printableLines is printable for a text of several lines.
func printableLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = printable(line)
	}
	return strings.Join(lines, "\n")
}

// Complaint says what is wrong with the files, one problem a line; "" if nothing
// is.
func (a *Answer) Complaint() string {
	if len(a.Problems) == 0 {
		return ""
	}
	var text strings.Builder
	text.WriteString(plural(len(a.Problems), "problem"))
	if a.Refused() {
		text.WriteString(", so a reload would be refused:")
	} else {
		text.WriteString("; the files that have them would keep what is in force:")
	}
	for _, p := range a.Problems {
		text.WriteString("\n" + printable(p))
	}
	return text.String()
}
