package graphiteql

import (
	"strings"
	"testing"
)

func TestTargetsAreValid(t *testing.T) {
	for _, expr := range []string{
		`host.receiver.interface.cons`,
		`filterSeries(sumSeries(host.receiver.interface.cons),'last','>', 500)`,
		`servers.{web,db}-[0-9]*.cpu.?`,
		`alias(movingAverage(a.b, "5min", xFilesFactor=0.5), 'x (y), z')`,
		`seriesByTag('name=cpu', "dc=~eu.*") | sumSeries() | scale(-1.5e3)`,
		"sumSeries(\n  a.b,\n  c.d\n)",
		`randomWalk()`,
		`a.b | averageSeries | scale(2)|alias("x")`,
		"group(\n  a.b,\n  c.d,\n)",
		`a.[!b(,)].c`,
		`a.{b, c d=e(}.f`,
		`disk.used;dc=eu;rack=1`,
		`legendValue(a, cumulative = true)`,
		`a\(b\).c`,
		`42`,
	} {
		if err := Validate(expr); err != nil {
			t.Errorf("%s: %v", expr, err)
		}
	}
}

func TestBrokenTargetsSayWhere(t *testing.T) {
	for _, c := range []struct{ expr, want string }{
		{`filterSeries(a.b,'last','>', 500) by instance`, `1:35: unexpected "by instance" after the expression`},
		{``, `1:1: unexpected end of the expression`},
		{`sumSeries(a`, `1:12: missing ')' of sumSeries(`},
		{"sumSeries(a,\n b c)", `2:4: unexpected "c)" among the arguments of sumSeries(`},
		{`sumSeries(a,,)`, `1:13: unexpected ",)"`},
		{`sumSeries(,)`, `1:11: unexpected ",)"`},
		{`a.[bc`, `1:3: missing ']'`},
		{`alias(a, "b)`, `1:10: missing closing "`},
		{`a.{b,c`, `1:3: missing '}'`},
		{`f(a.{b,{c})`, `1:5: missing '}'`},
		{`a.b}`, `1:4: unexpected '}'`},
		{`a.b(c)`, `1:4: "a.b" is not a function name`},
		{`a | b.c`, `1:5: "b.c" after a pipe is not the name of a function`},
		{`a |`, `1:4: unexpected end of the expression`},
		{`f(x=)`, `1:5: unexpected ")"`},
	} {
		err := Validate(c.expr)
		if err == nil {
			t.Errorf("%s: accepted, want %q", c.expr, c.want)
		} else if err.Error() != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.expr, err, c.want)
		}
	}
}

func TestDeepCallsAreRefused(t *testing.T) {
	if err := Validate(strings.Repeat("f(", 1000) + "a" + strings.Repeat(")", 1000)); err == nil {
		t.Error("accepted a thousand nested calls")
	}
}

// Any text gets a verdict, and what is valid stays valid as an argument.
func FuzzValidate(f *testing.F) {
	f.Add(`filterSeries(sumSeries(a.{b,c}),'last','>', 500) | alias("x")`)
	f.Add(`seriesByTag('name=cpu', k=v)`)
	f.Add(`a\(;b=c`)
	f.Fuzz(func(t *testing.T, expr string) {
		if Validate(expr) != nil || strings.HasSuffix(expr, `\`) {
			return
		}
		if err := Validate("sumSeries(" + expr + ")"); err != nil && len(expr) < maxNesting {
			t.Errorf("%q is valid, but not as an argument: %v", expr, err)
		}
	})
}
