package config

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// text returns a scalar as written. Numbers and the like are texts too, nothing
// at all is the empty one.
func (d *decoder) text(n *yaml.Node, what string) string {
	n = d.resolve(n)
	switch {
	case isNull(n):
		return ""
	case n.Kind != yaml.ScalarNode:
		d.wrongType(n, what, "text")
		return ""
	}
	return n.Value
}

// boolean returns a truth value, in any spelling of YAML 1.1; otherwise, or when
// it is not given, what it was.
func (d *decoder) boolean(n *yaml.Node, what string, was bool) bool {
	n = d.resolve(n)
	if isNull(n) {
		return was
	}
	if n.Kind == yaml.ScalarNode && isPlain(n) {
		switch strings.ToLower(n.Value) {
		case "true", "yes", "on", "y":
			return true
		case "false", "no", "off", "n":
			return false
		}
	}
	d.wrongType(n, what, "true or false")
	return was
}

// integer returns a whole number; otherwise, or when it is not given, what it was.
func (d *decoder) integer(n *yaml.Node, what string, was int) int {
	n = d.resolve(n)
	if isNull(n) {
		return was
	}
	if n.Kind == yaml.ScalarNode {
		switch n.Tag {
		case "!!int":
			if v, err := strconv.ParseInt(n.Value, 0, 0); err == nil {
				return int(v)
			}
		case "!!float":
			v, err := strconv.ParseFloat(n.Value, 64)
			if err == nil && v == math.Trunc(v) && math.Abs(v) < 1<<53 {
				return int(v)
			}
		}
	}
	d.wrongType(n, what, "a whole number")
	return was
}

// duration returns a duration, Set if it is given.
func (d *decoder) duration(n *yaml.Node, what string) Duration {
	n = d.resolve(n)
	if isNull(n) {
		return Duration{}
	}
	hint := ""
	if n.Kind == yaml.ScalarNode {
		v, err := parseDuration(n.Value)
		switch {
		case err == nil:
			return Duration{Duration: v, Set: true}
		case errors.Is(err, errTooLong):
			hint = "this is " + err.Error()
		case strings.HasSuffix(n.Value, "M"):
			hint = "minutes are a small m"
		}
	}
	d.problem(n.Line, hint, "%s: expected a duration such as 30s, 1h30m or 1.5d, found %s", what, describe(n))
	return Duration{}
}

func isNull(n *yaml.Node) bool {
	return n.Kind == 0 || n.Kind == yaml.ScalarNode && n.Tag == "!!null"
}

// isPlain reports whether a scalar is written without quotes or blocks.
func isPlain(n *yaml.Node) bool {
	return n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0
}

func (d *decoder) wrongType(n *yaml.Node, what, expected string) {
	d.problem(n.Line, "", "%s: expected %s, found %s", what, expected, describe(n))
}

// describe says what a node is, and of a text what it says.
func describe(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case isNull(n):
		return "nothing"
	case n.Tag == "!!str":
		return "the text " + strconv.Quote(clip(n.Value))
	}
	return clip(n.Value)
}

// clip shortens what a message quotes.
func clip(s string) string {
	const most = 60
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "..."
}
