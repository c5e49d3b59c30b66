package template

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"pgregory.net/rapid"

	"tocsin/rules"
)

// checkSame compares operations with text/template: the same text, or an error
// on both sides.
func checkSame(t rapid.TB, e *Engine, d *rules.TemplateData, text string) (fast bool) {
	t.Helper()
	prog, err := compileText(e.core, annotationText, text)
	if err != nil || !prog.fast {
		return false
	}
	if !hasAction(text) {
		return true // text/template does not get to see it
	}
	x, err := prog.execution(e.core)
	if err != nil {
		t.Fatalf("%q has operations but does not parse: %v", text, err)
	}
	want, wantErr := x.run(context.Background(), e.core, d, nil)
	m := takeMachine(e.core)
	defer m.release()
	ok := m.run(prog, d)
	if ok != (wantErr == nil) {
		t.Fatalf("%q: operations succeed: %v; text/template: %v", text, ok, wantErr)
	}
	if ok && string(m.out) != string(want) {
		t.Fatalf("%q:\n operations    %q\n text/template %q", text, m.out, want)
	}
	return true
}

// TestOperationsAgreeWithTextTemplate tries texts that a grammar makes.
func TestOperationsAgreeWithTextTemplate(t *testing.T) {
	e := load(t, nil)
	fast, all := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		g := grammar{t}
		text := g.nodes(3)
		all++
		if checkSame(t, e, randomAlert(t), text) {
			fast++
		}
	})
	if fast*4 < all {
		t.Errorf("of %d texts only %d have operations: the comparison is worth little", all, fast)
	}
}

func randomAlert(t *rapid.T) *rules.TemplateData {
	d := alert()
	d.Value = rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{
		0, 1, -1, 0.5, 11, 1e6, 1e21, math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1),
	})).Draw(t, "value")
	text := rapid.OneOf(rapid.SampledFrom([]string{"", "7", "1h", "a.b:80", "<'\"\\\n>", "%d"}), rapid.String())
	d.Labels.Result = labels.FromStrings("a", text.Draw(t, "a"), "b", text.Draw(t, "b"), "severity", "page")
	d.Expr = text.Draw(t, "expr")
	d.Partial = rapid.Bool().Draw(t, "partial")
	return d
}

// grammar makes texts, most of them valid.
type grammar struct{ t *rapid.T }

func (g grammar) pick(options ...string) string {
	return rapid.SampledFrom(options).Draw(g.t, "option")
}

func (g grammar) nodes(depth int) string {
	var b strings.Builder
	for range rapid.IntRange(1, 3).Draw(g.t, "nodes") {
		b.WriteString(g.node(depth))
	}
	return b.String()
}

func (g grammar) node(depth int) string {
	kind := rapid.IntRange(0, 9).Draw(g.t, "node")
	open, end := g.pick("{{", "{{ ", "{{- "), g.pick("}}", " }}", " -}}")
	switch {
	case kind < 3:
		return g.pick(" text ", "x", "\n", "")
	case kind < 7 || depth == 0:
		return open + g.pipe(depth) + end
	case kind == 7:
		return fmt.Sprintf("{{ $%s := %s }}", g.pick("x", "y", "value"), g.pipe(depth-1))
	}
	word := g.pick("if", "with")
	s := open + word + " " + g.pipe(depth-1) + end + g.nodes(depth-1)
	switch g.pick("", "else", "elseif") {
	case "else":
		s += "{{ else }}" + g.nodes(depth-1)
	case "elseif":
		s += "{{ else " + word + " " + g.pipe(depth-1) + " }}" + g.nodes(depth-1)
	}
	return s + "{{ end }}"
}

func (g grammar) pipe(depth int) string {
	s := g.command(depth)
	for range rapid.IntRange(0, 2).Draw(g.t, "pipes") {
		s += " | " + g.call(depth, true)
	}
	return s
}

func (g grammar) command(depth int) string {
	if rapid.Bool().Draw(g.t, "operand") {
		return g.operand(depth)
	}
	return g.call(depth, false)
}

func (g grammar) operand(depth int) string {
	if depth > 0 && rapid.IntRange(0, 5).Draw(g.t, "nested") == 0 {
		return "(" + g.pipe(depth-1) + ")"
	}
	return g.pick("$value", "$value", "$labels.a", "$labels.b", "$labels.none", "$labels.severity", "$labels", ".Value", ".Labels.a",
		"$.Labels.b", "$.Value", "$expr", "$type", "$for", "$for.Seconds", "$activeAt", "$activeAt.Unix", ".ActiveAt.UnixMilli",
		"$alertID", "$isPartial", "$interval", "$externalURL", "$externalLabels.site", "externalURL", "pathPrefix",
		`"text"`, `"7"`, `"a.b"`, `""`, "5", "-3", "2.5", "1e3", "0x1F", "true", "false", ".", ".a", "$x", "$y", "'c'", "1i", "1_000")
}

func (g grammar) call(depth int, piped bool) string {
	one := []string{
		"humanize", "humanize1024", "humanizeDuration", "humanizePercentage", "humanizeTimestamp", "toUpper", "toLower", "title",
		"stripPort", "stripDomain", "quotesEscape", "jsonEscape", "htmlEscape", "crlfEscape", "safeHtml", "pathEscape", "queryEscape",
		"urlquery", "parseDuration", "not", "len", "graphLink", "and", "or", "print",
	}
	two := []string{
		"match", "eq", "ne", "lt", "le", "gt", "ge", "and", "or", "print", "index", "index $labels", `printf "%.2f"`, `printf "%v"`,
		`printf "%s|%q"`, `printf "%5.1f%%"`, `printf "%.3g x"`, `printf "%.0f"`, `printf "%T %d"`, `printf`, `match "a.*"`, `reReplaceAll "(.)" "$1$1"`,
	}
	name, n := "", 1
	if rapid.Bool().Draw(g.t, "one argument") {
		name = g.pick(one...)
	} else {
		name, n = g.pick(two...), rapid.IntRange(1, 3).Draw(g.t, "arguments")
	}
	if piped {
		n--
	}
	for range n {
		name += " " + g.operand(depth)
	}
	return name
}
