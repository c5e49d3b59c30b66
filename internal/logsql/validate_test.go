package logsql

import (
	"strings"
	"testing"
)

func TestStatsQueriesAreValid(t *testing.T) {
	for _, query := range []string{
		`env: "test" AND service: "nginx" | stats count(*) as requests`,
		`env: "prod" AND status:~"error|warn" | stats by (service) count(*) as errorLog | filter errorLog:>0`,
		`* | extract "ip=<ip> " | extract "status_code=<code>;" | stats by (ip) count() if (code:!~200) as failed, ` +
			`count() as total| math failed / total as failed_percentage| filter failed_percentage :> 0.01 | fields ip,failed_percentage`,
		`* | count() rows`,
		`* | by (host) sum(x) as s`,
		`* | stats (host, "a b") max(x)`,
		`* | STATS BY (host) rate()`,
		`size:range(1, 5] | stats count()`,
		`{app="nginx"} user:in(_time:5m | fields user) | stats count()`,
		"* # all | of them\n| stats count()",
		`stats:error | stats count()`,
		`"stats" | stats count()`,
		`* | stats by (_time:1m) count() c | stats max(c) as m`,
		"x:`a|b\\` | stats by (x) count()",
		`* | stats by (_time:1m) count() c | fields c`,
		`* | stats by (_time:1m, h) count() c | drop _t*`,
		`stats | stats count()`,
		`* | (host) count() if (a or b) as c, max(x) m;`,
		`* | stats_remote by (a) count()`,
		`* | -a b:c | "d" | foo : bar | not x | stats count() c | c:>5 | order by (c) | head 3`,
	} {
		if err := Validate(query); err != nil {
			t.Errorf("%s: %v", query, err)
		}
	}
}

func TestOtherQueriesSayWhatIsMissing(t *testing.T) {
	const series = "stats must not group by _time: every evaluation would create new series"
	for _, c := range []struct{ query, want string }{
		{`stats count(*) as requests`, `1:1: missing filter before stats; '*' selects everything`},
		{`service: "nginx"`, `1:17: missing '| stats ...': a rule needs numbers, which only a stats pipe yields`},
		{``, `1:1: missing filter`},
		{`| stats count()`, `1:1: missing filter`},
		{`* | stats by (_time:5m) count()`, `1:15: ` + series},
		{`* | stats by (host, _time) count()`, `1:21: ` + series},
		{`* | by ("_time") count()`, `1:9: ` + series},
		{"*\n| stats by (host)", `2:18: missing function of the stats pipe, such as count()`},
		{`* | stats by count()`, `1:14: missing '(' after by`},
		{`* | stats`, `1:10: missing function of the stats pipe, such as count()`},
		{`* | stats by (_time:5m) count() c | fields _time, c`, `1:15: ` + series},
		{`* | stats count(), foo(x) as y`, `1:20: unknown function foo of the stats pipe`},
		{`* | stats count() as a, | limit 1`, `1:25: missing function of the stats pipe, such as count()`},
		{`* | fitler a | stats count()`, `1:5: unknown pipe fitler; a filter needs the word filter before it`},
		{`* | stats count() c | uniq by (c)`, `1:23: pipe uniq must not follow the last stats pipe`},
		{`* || stats count()`, `1:4: missing pipe after '|'`},
		{`* | stats count() |`, `1:20: missing pipe after '|'`},
		{`(a | stats count()`, `1:1: missing bracket that closes '('`},
		{`a) | stats count()`, `1:2: unexpected ')'`},
		{`{a="b") | stats count()`, `1:7: unexpected ')'`},
		{`"a | stats count()`, `1:1: missing closing "`},
	} {
		err := Validate(c.query)
		if err == nil {
			t.Errorf("%s: accepted, want %q", c.query, c.want)
		} else if err.Error() != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.query, err, c.want)
		}
	}
}

func TestDeepBracketsAreRefused(t *testing.T) {
	if err := Validate(strings.Repeat("(", 1000) + "a" + strings.Repeat(")", 1000) + "| stats count()"); err == nil {
		t.Error("accepted a thousand nested brackets")
	}
}

// Any text gets a verdict, and a valid query stays valid with a pipe more.
func FuzzValidate(f *testing.F) {
	f.Add(`* | stats by (service) count(*) as errorLog | filter errorLog:>0`)
	f.Add("{a=\"b\"} x:`c`:range(1,5] # d\n| by (e) sum(f)")
	f.Fuzz(func(t *testing.T, query string) {
		if Validate(query) != nil || strings.Contains(query, "#") {
			return
		}
		if err := Validate(query + " | limit 5"); err != nil {
			t.Errorf("%q is valid, but not with another pipe: %v", query, err)
		}
	})
}
