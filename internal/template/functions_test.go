package template

import (
	"math"
	"strings"
	"testing"
)

// TestFunctions gives every function its text, once by operations where it has
// any and once by text/template.
func TestFunctions(t *testing.T) {
	e := load(t, nil)
	d := alert()
	for _, c := range []struct{ text, want string }{
		{`{{ "aa bb CC" | title }}`, "Aa Bb CC"},
		{`{{ title "don't stop" }}`, "Don't Stop"},
		{`{{ "aa bb CC" | toUpper }}`, "AA BB CC"},
		{`{{ "aA bB CC" | toLower }}`, "aa bb cc"},
		{`{{ "foo:1234" | stripPort }} {{ "foo" | stripPort }} {{ "[::1]:80" | stripPort }}`, "foo foo ::1"},
		{`{{ "foo.bar:123" | stripDomain }} {{ "foo.bar.baz" | stripDomain }}`, "foo:123 foo"},
		{`{{ "10.1.2.3:80" | stripDomain }} {{ "[::1]:80" | stripDomain }}`, "10.1.2.3:80 [::1]:80"},
		{"{{ \"foo\\nbar\\rx\" | crlfEscape }}", `foo\nbar\rx`},
		{"{{ \"foo{bar=\\\"baz\\\"}\\n + 1\" | quotesEscape }}", `foo{bar=\"baz\"}\n + 1`},
		{"{{ \"foo{bar=\\\"baz\\\"}\\n + 1\" | jsonEscape }}", `"foo{bar=\"baz\"}\n + 1"`},
		{"{{ \"\\x00\\x1f\\t\\b\\f\\r\\\\<'>&\" | jsonEscape }}", `"\u0000\u001f\t\b\f\r\\\u003c\u0027>&"`},
		{`{{ "plain" | quotesEscape }} {{ "plain" | jsonEscape }}`, `plain "plain"`},
		{"{{ \"foo < 10\\n'a' & \\\"b\\\">\" | htmlEscape }}", "foo &lt; 10\n&#39;a&#39; &amp; &quot;b&quot;&gt;"},
		{`{{ "<b>" | safeHtml }}`, "<b>"},
		{`{{ safeHtml "<b>" | toUpper }}`, "<B>"},
		{"{{ \"foo/bar\\n+baz\" | pathEscape }}", "foo%2Fbar%0A+baz"},
		{"{{ \"foo+bar\\n+baz\" | queryEscape }}", "foo%2Bbar%0A%2Bbaz"},
		{`{{ "a b" | urlQueryEscape }} {{ "a b" | urlquery }}`, "a+b a+b"},
		{`{{ graphLink "up == 0" }} {{ tableLink "up == 0" }}`, "/graph?g0.expr=up+%3D%3D+0&g0.tab=0 /graph?g0.expr=up+%3D%3D+0&g0.tab=1"},
		{`{{ match "a.+b" "acsdb" }} {{ match "abc" "def" }}`, "true false"},
		{`{{ reReplaceAll "db-(.*?)\\..*" "host $1" $labels.instance }}`, "host 1"},
		{`{{ "db-1" | reReplaceAll "-(.)" "$1" }}`, "db1"},
		{`{{ parseDuration "1h30m" }} {{ parseDuration "1d" }} {{ parseDuration "1.5h" }} {{ parseDuration "-5m" }}`, "5400 86400 5400 -300"},
		{`{{ parseDurationTime "1h30m" }}`, "1h30m0s"},
		{`{{ toDuration 90 }} {{ toDuration "1.5" }}`, "1m30s 1.5s"},
		{`{{ 1435065584.128 | toTime }} {{ (toTime "0").Year }}`, "2015-06-23 13:19:44.128 +0000 UTC 1970"},
		{`{{ 1435065584 | formatTime "2006-01-02T15:04:05Z07:00" }} {{ $activeAt | formatTime "15:04" }}`, "2015-06-23T13:19:44Z 12:36"},
		{`{{ externalURL }} {{ pathPrefix }} {{ printf "%s!" externalURL }}`, "https://alerts.example.com/tocsin /tocsin https://alerts.example.com/tocsin!"},
		{`{{ with args "foo" "bar" 99 }}{{ .arg0 }} {{ .arg1 }} {{ .arg2 }}{{ end }}`, "foo bar 99"},
		{`{{ print 1 2 "x" 3.5 }} {{ print $value }}`, "1 2x3.5 11"},
		{`{{ len $labels }} {{ len "abc" }} {{ index $labels "job" }} {{ index $labels "none" }}.`, "6 3 node ."},
	} {
		expectBothWays(t, e, d, c.text, c.want)
	}
}

func TestHumanize(t *testing.T) {
	e := load(t, nil)
	for _, c := range []struct {
		function string
		value    float64
		want     string
	}{
		{"humanize", 0, "0"},
		{"humanize", 1, "1"},
		{"humanize", -1234567, "-1.235M"},
		{"humanize", 999.9, "999.9"},
		{"humanize", 1000, "1k"},
		{"humanize", 0.0012345, "1.234m"},
		{"humanize", 1e-27, "0.001y"},
		{"humanize", 1e30, "1e+06Y"},
		{"humanize", math.NaN(), "NaN"},
		{"humanize", math.Inf(1), "+Inf"},
		{"humanize", math.Inf(-1), "-Inf"},
		{"humanize1024", 0, "0"},
		{"humanize1024", 0.5, "0.5"},
		{"humanize1024", 1000, "1000"},
		{"humanize1024", 1048576, "1Mi"},
		{"humanize1024", 127087, "124.1ki"},
		{"humanize1024", 150037847302113650318245888, "124.1Yi"},
		{"humanize1024", 153638755637364377925883789312, "1.271e+05Yi"},
		{"humanize1024", math.NaN(), "NaN"},
		{"humanize1024", math.Inf(1), "+Inf"},
		{"humanizeDuration", 0, "0s"},
		{"humanizeDuration", 0.1, "100ms"},
		{"humanizeDuration", -0.0001, "-100us"},
		{"humanizeDuration", 1, "1s"},
		{"humanizeDuration", 12.3456, "12.35s"},
		{"humanizeDuration", -12.3456, "-12.35s"},
		{"humanizeDuration", 60, "1m 0s"},
		{"humanizeDuration", 135, "2m 15s"},
		{"humanizeDuration", -3600, "-1h 0m 0s"},
		{"humanizeDuration", 899.99, "14m 59s"},
		{"humanizeDuration", 86400, "1d 0h 0m 0s"},
		{"humanizeDuration", 1230912039102391023, "14246667119240d 15h 17m 20s"},
		{"humanizeDuration", 1e300, "1e+300s"},
		{"humanizeDuration", math.NaN(), "NaN"},
		{"humanizeDuration", math.Inf(-1), "-Inf"},
		{"humanizePercentage", 0.959, "95.9%"},
		{"humanizePercentage", 0.1234567, "12.35%"},
		{"humanizePercentage", math.Inf(1), "+Inf%"},
		{"humanizePercentage", math.NaN(), "NaN%"},
		{"humanizeTimestamp", 0, "1970-01-01 00:00:00 +0000 UTC"},
		{"humanizeTimestamp", 1643114203, "2022-01-25 12:36:43 +0000 UTC"},
		{"humanizeTimestamp", 1435065584.128, "2015-06-23 13:19:44.128 +0000 UTC"},
		{"humanizeTimestamp", math.NaN(), "NaN"},
	} {
		d := alert()
		d.Value = c.value
		if !expectBothWays(t, e, d, "{{ $value | "+c.function+" }}", c.want) {
			t.Errorf("%s has no operation", c.function)
		}
	}
}

func TestNumbersMayBeTextOrDurations(t *testing.T) {
	e := load(t, nil)
	expectBothWays(t, e, alert(), `{{ "1048576" | humanize1024 }} {{ "NaN" | humanize }} {{ 899 | humanizeDuration }} {{ $for | humanizeDuration }} {{ humanize "1e6" }} {{ humanize $groupID }}`,
		"1Mi NaN 14m 59s 5m 0s 1M 42")
}

// TestAlertGeneratorTexts are the texts that the public specification of alert
// generators expects.
func TestAlertGeneratorTexts(t *testing.T) {
	e := load(t, nil)
	d := alert()
	d.Query = samples
	for _, c := range []struct{ text, want string }{
		{`{{ 1048576 | humanize }} {{ 1048576 | humanize1024 }} {{ 135.3563 | humanizeDuration }} {{ 0.959 | humanizePercentage }} {{ 1643114203 | humanizeTimestamp }}`,
			"1.049M 1Mi 2m 15s 95.9% 2022-01-25 12:36:43 +0000 UTC"},
		{`{{ "this part" | title }} {{ "is testing" | toUpper }} {{ "THE STRINGS" | toLower }}. {{ "[::1]:80" | stripPort }} {{ stripPort "127.0.0.1:80" }}. {{ parseDuration "2h10m15s" }}. {{ if match "foo.*" "foobar" }}{{ reReplaceAll "some (.*)" "replaced $1" "some text" }}{{ end }}. {{ strvalue (query "up" | first) | len | eq 0 | not | printf "%.0v" | safeHtml | reReplaceAll ".*" "" }}.`,
			"This Part IS TESTING the strings. ::1 127.0.0.1. 7815. replaced text. ."},
		{`{{ define "list" }}Args are: {{ .arg0 }} {{ .arg1 }} {{ .arg2 }}{{ end }}{{ template "list" (args "foo" "bar" 99) }}.` +
			` first_id:{{ query "up" | sortByLabel "instance" | first | label "instance" }},{{ range query "up" | sortByLabel "instance" }}{{ .Labels.instance }}:{{ . | value }},{{ end }}`,
			"Args are: foo bar 99. first_id:a,a:1,b:2,"},
		{`{{ $value }}`, "11"},
		{`{{ .Value }} {{ .Labels.job }} {{ $labels.job }}`, "11 node node"},
	} {
		expectBothWays(t, e, d, c.text, c.want)
	}
}

func TestPrometheusFunctionsLoad(t *testing.T) {
	e := load(t, nil)
	for _, f := range []string{
		`{{ graphLink "up" }}`, `{{ tableLink "up" }}`, `{{ define "x" }}{{ end }}{{ tmpl "x" . }}`, `{{ pathPrefix }}`,
		`{{ "x" | safeHtml }}`, `{{ query "up" | first | strvalue }}`, `{{ $externalLabels.site }}`,
		`{{ externalURL }}`, `{{ toDuration 5 }}`, `{{ urlQueryEscape "a" }}`, `{{ now | toTime }}`,
	} {
		if _, err := compileText(e.core, annotationText, f); err != nil {
			t.Errorf("%s: %v", f, err)
		}
	}
}

func TestFunctionErrorsNameTheFunction(t *testing.T) {
	e := load(t, nil)
	d := alert()
	d.Value = 1e300
	for _, c := range []struct{ text, want string }{
		{`{{ $labels.job | humanize }}`, `error calling humanize`},
		{`{{ "x" | humanizeDuration }}`, `error calling humanizeDuration`},
		{`{{ true | humanize }}`, `bool is not a number`},
		{`{{ match "(" "x" }}`, `error calling match`},
		{`{{ reReplaceAll "(" "x" "y" }}`, `error calling reReplaceAll`},
		{`{{ parseDuration "soon" }}`, `error calling parseDuration`},
		{`{{ parseDuration "900000000y" }}`, `is too long`},
		{`{{ $value | humanizeTimestamp }}`, `are not a time`},
		{`{{ $value | toTime }}`, `are not a time`},
		{`{{ $value | toDuration }}`, `are not a duration`},
		{`{{ toTime "NaN" }}`, `are not a time`},
		{`{{ $value | toUpper }}`, `wrong type for value; expected string; got float64`},
		{`{{ first $labels }}`, `wrong type for value`},
		{`{{ $.labels.service }}`, `can't evaluate field labels`},
		{`{{ template "missing" . }}`, `template "missing" not defined`},
	} {
		got, err := expand(t, e, d, c.text)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one that says %q", c.text, err, c.want)
			continue
		}
		if got != err.Error() {
			t.Errorf("%s: expands to %q, want its error %q", c.text, got, err)
		}
	}
}

func TestFirstOfNothingIsAnError(t *testing.T) {
	e := load(t, nil)
	d := alert()
	d.Query = nothing
	for _, text := range []string{`{{ query "up" | first | value }}`, `{{ query "up" | first | label "x" }}`} {
		if _, err := expand(t, e, d, text); err == nil || !strings.Contains(err.Error(), "no first element") {
			t.Errorf("%s: error %v, want one about the missing element", text, err)
		}
	}
}
