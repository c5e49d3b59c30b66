package metricsql

import (
	"strings"
	"testing"
)

func TestPromQLAndMetricsQLAreValid(t *testing.T) {
	for _, expr := range []string{
		`sum(rate(http_requests_total{code=~"5.."}[5m])) by (job) > 0.5`,
		`{"utf8.name", job="a"}`,
		`limitk(3, up)`,
		`rate(up)`, // an instant vector: MetricsQL only
		`lag(up[5m])`,
		`WITH (cf = {job="a"}) up{cf} / down{cf}`,
		`histogram_share(0.3, x)`,
		`up[5m:1m] offset 1i`,
		`0.95`,
	} {
		if err := Validate(expr); err != nil {
			t.Errorf("%s: %v", expr, err)
		}
	}
}

func TestMessageIsOfTheParserThatCameFurther(t *testing.T) {
	for _, c := range []struct{ expr, want string }{
		{`vm_rows{ > 0`, `1:10: unexpected character inside braces: '>'`},
		{`sum(x`, `1:6: unclosed left parenthesis`},
		{"sum(\n  x y)", `2:5: unexpected identifier "y" in aggregation`},
		{`foo(x)`, `1:1: unknown function with name "foo"`},
		{`lag(x[5m]) + foo(y)`, `unsupported function "foo"`},
		{`sum(lag(x[5m]) by x`, `1:16: argList: unexpected token "by"; want ",", ")"`},
		{`lag(x[5m]) +`, `1:13: singleExpr: unexpected end of input; want "(", "{", "-", "+"`},
		{`lag(x[5m]) y`, `1:12: unexpected text after the expression`},
		{`x{a=~"("}`, "1:3: error parsing regexp: missing closing ): `(`"},
	} {
		err := Validate(c.expr)
		if err == nil {
			t.Errorf("%s: accepted, want %q", c.expr, c.want)
		} else if err.Error() != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.expr, err, c.want)
		}
	}
}

func TestDeepExpressionIsRefusedBeforeItOverflowsTheStack(t *testing.T) {
	for _, expr := range []string{
		strings.Repeat("(", 1000) + "x" + strings.Repeat(")", 1000),
		strings.Repeat("- ", 1000) + "x",
		"x" + strings.Repeat("+x", maxBytes),
	} {
		if err := Validate(expr); err == nil {
			t.Errorf("%.20s...: accepted", expr)
		}
		if _, err := ReadsOf(expr); err == nil {
			t.Errorf("%.20s...: read", expr)
		}
	}
	operand := `+ http_requests_total{job="api",code="500"}`
	if err := Validate("x" + strings.Repeat(operand, (maxBytes-1)/len(operand))); err != nil {
		t.Errorf("a sum of the greatest length: %v", err)
	}
}

func TestReads(t *testing.T) {
	for _, c := range []struct {
		expr string
		yes  []string
		no   []string
	}{
		{`sum(rate(a:b{x="c"}[5m])) / on(job) d offset 5m`, []string{"a:b", "d"}, []string{"a", "c", "x", "sum"}},
		{`{__name__="x"}`, []string{"x"}, []string{"y"}},
		{`{"utf8.name"}`, []string{"utf8.name"}, []string{"utf8"}},
		{`{__name__=~"job:.+"}`, []string{"job:x"}, []string{"my_job:x", "job"}},
		{`{__name__=~"a|b", job="x"}`, []string{"a", "b"}, []string{"c"}},
		{`{__name__!~"a.*"}`, []string{"b"}, []string{"a1"}},
		{`{__name__!="a"}`, []string{"b"}, []string{"a"}},
		{`{__name__=~"a.*",__name__!="ab"}`, []string{"ac"}, []string{"ab", "b"}},
		{`{job="x"}`, []string{"anything", "ALERTS"}, nil},
		{`foo{a="b" or c="d"}`, []string{"foo"}, []string{"bar"}},
		{`{__name__="foo" or __name__="bar"}`, []string{"foo", "bar"}, []string{"baz"}},
		{`WITH (m = foo, f(x) = x{a="b"}) f(m) + f(bar)`, []string{"foo", "bar"}, []string{"m", "x", "f"}},
		{`absent(ALERTS{alertname="x"})`, []string{"ALERTS"}, []string{"ALERTS_FOR_STATE"}},
		{`max_over_time((foo > 1)[1h:1m] @ end())`, []string{"foo"}, []string{"end"}},
		{`vector(1) > time()`, nil, []string{"vector", "time", ""}},
		{`fo\x6f`, []string{"foo"}, []string{"fo"}},
		// Only Prometheus' parser accepts these two.
		{`info(up)`, []string{"up", "target_info"}, []string{"info"}},
		{`up smoothed + {__name__=~"y.*"}`, []string{"up", "yes"}, []string{"no"}},
	} {
		r, err := ReadsOf(c.expr)
		if err != nil {
			t.Errorf("%s: %v", c.expr, err)
			continue
		}
		for _, name := range c.yes {
			if !r.Metric(name) {
				t.Errorf("%s: does not read %q", c.expr, name)
			}
			if !MayRead(c.expr, name) {
				t.Errorf("%s: MayRead denies %q", c.expr, name)
			}
		}
		for _, name := range c.no {
			if r.Metric(name) {
				t.Errorf("%s: reads %q", c.expr, name)
			}
		}
	}
}

func TestReadsOfInvalidExpressionIsAnError(t *testing.T) {
	if r, err := ReadsOf("sum("); err == nil || r.Metric("x") {
		t.Errorf("got %v, %v", r, err)
	}
}

func TestMayReadRulesOutWithoutParsing(t *testing.T) {
	for _, expr := range []string{
		`sum(rate(http_requests_total{code=~"5.."}[5m])) by (job) > 0.5`,
		`up {a="b"} or down{c="d"}`,
		`time() > 5`,
	} {
		if MayRead(expr, "job:errors:rate5m") {
			t.Errorf("%s: may read another metric", expr)
		}
	}
	for _, expr := range []string{
		`{job="x"}`, `up or {job="x"}`, `up{} OR{job="x"}`, `sum({a="b"})`, `up > bool {a="b"}`,
		`up * on(a) group_left {a="b"}`, "up # c\n{a=\"b\"}", `up{__name__=~".+"}`, `job\:errors`,
	} {
		if !MayRead(expr, "job:errors:rate5m") {
			t.Errorf("%s: ruled out", expr)
		}
	}
}

// What MayRead rules out, the syntax tree must rule out as well.
func FuzzMayReadIsConservative(f *testing.F) {
	for _, expr := range []string{
		`sum(rate(a:b{x="c"}[5m])) / on(job) d offset 5m`, `{"utf8.name"}`, `{__name__=~"a.*"}`,
		`WITH (m = foo, f(x) = x{a="b"}) f(m) + f(bar)`, `foo{a="b" or c="d"}`, `info(up)`,
		`up or {job="x"}`, `fo\x6f`, `up * on(a) group_left {a="b"}`, `a limit 5`, `x > bool {y="z"}`,
		`up keep_metric_names`, `count_values("x", foo) by (y) limit 3`,
	} {
		f.Add(expr, "foo")
	}
	f.Fuzz(func(t *testing.T, expr, name string) {
		valid := Validate(expr) == nil
		r, err := ReadsOf(expr)
		if valid != (err == nil) {
			t.Fatalf("%q: valid is %v but reading it: %v", expr, valid, err)
		}
		if name != "" && !MayRead(expr, name) && r.Metric(name) {
			t.Fatalf("%q reads %q although MayRead denies it", expr, name)
		}
	})
}

const benchExpr = `sum(rate(http_requests_total{job="api", code=~"5.."}[5m])) by (instance) / ` +
	`sum(rate(http_requests_total{job="api"}[5m])) by (instance) > 0.5`

func BenchmarkValidate(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if err := Validate(benchExpr); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMayRead(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if MayRead(benchExpr, "job:errors:rate5m") {
			b.Fatal("may read")
		}
	}
}

func BenchmarkReadsOf(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ReadsOf(benchExpr); err != nil {
			b.Fatal(err)
		}
	}
}
