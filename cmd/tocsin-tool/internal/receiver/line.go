package receiver

import (
	"strconv"
	"strings"
	"unicode"
)

// The colours of a terminal line.
const (
	red   = "\x1b[31;1m"
	green = "\x1b[32;1m"
	bold  = "\x1b[1m"
	dim   = "\x1b[2m"
	plain = "\x1b[0m"
)

// Line returns c as one line for a terminal: the time of day, FIRING or
// RESOLVED, the alert's name, its other labels, its summary. Nothing that was
// received can break the line or steer the terminal.
func (c *Change) Line(colour bool) string {
	paint := func(code, text string) string {
		if !colour || text == "" {
			return text
		}
		return code + text + plain
	}
	state := paint(red, "FIRING  ")
	if c.Resolved {
		state = paint(green, "RESOLVED")
	}
	parts := []string{
		paint(dim, c.At.Format("15:04:05")), state, paint(bold, printable(c.Alert.Name())),
	}
	if l := labelText(c.Alert.Labels); l != "" {
		parts = append(parts, paint(dim, l))
	}
	if s := printable(c.Alert.Annotations["summary"]); s != "" && !c.Resolved {
		parts = append(parts, s)
	}
	return strings.Join(parts, "  ")
}

// labelText lists labels by name, without what every alert has.
func labelText(labels map[string]string) string {
	var b strings.Builder
	for _, l := range sorted(labels) {
		if l.name == "alertname" || l.name == "alertgroup" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(printable(l.name))
		b.WriteByte('=')
		b.WriteString(strconv.Quote(l.value))
	}
	return b.String()
}

// printable replaces whatever is not to be printed by a space.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
}
