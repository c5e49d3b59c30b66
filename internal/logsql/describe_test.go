package logsql

import (
	"strings"
	"testing"
)

func TestTimeFilterBoundsTheQueryFromBothSides(t *testing.T) {
	for _, filter := range []string{
		`_time:5m`, `_time:5m error`, `error _time:5m`, `error and _time:5m and x:y`, `_time:=5m`, `"_time":5m`,
		`(_time:5m)`, `((a) (b _time:5m))`, `!(!_time:5m)`, `not -_time:5m`, `_time:5m (a or b)`, `_time:5m {app="x"}`,
		`_time:[2024-01-01, 2024-02-01)`, `_time:(2024-01-01T10:20:30Z,now]`, `_time:2024-01-01T10:20:30+02:00 x`, `_time:2024 x`,
		`_time:<5m`, `_time:<=5m`, `_time:>5m _time:>2024-01-01`, `_time:>5m _time:>=now-1h`, `_time:5m offset 1h`,
		`x:range(1, 5] _time:5m`, `x:in(a, b) _time:5m`, `x:=5 _time:5m`, `x:>=5 _time:5m`, `a:b:c _time:5m`, `x:[1,2] _time:5m`,
		`~"a|b" _time:5m`, `* | _time:5m`, `* | filter _time:5m`, `* | where a:b | filter c _time:5m`, `* | !a _time:5m`,
		`options(global_filter=(_time:5m)) *`, `options(concurrency=2, global_filter=(a or b)) _time:1h`, `_time:1d # or a`,
	} {
		if !Describe(filter + " | stats count()").TimeFilter {
			t.Errorf("%s: no time filter found", filter)
		}
	}
	for _, filter := range []string{
		`*`, `a`, `"_time:5m"`, `a:"_time:5m"`, `_time`, `-_time:5m`, `!_time:5m`, `not _time:5m`, `not (a _time:5m)`,
		`_time:5m or a`, `a or _time:5m`, `(_time:5m or a) b`, `_time:>5m`, `_time:>=2024-01-01`, `_time:<2024-01-01`, `_time:<now`,
		`_time:offset 1h`, `_time:day_range[08:00, 18:00)`, `_time:week_range[Mon, Fri] offset 2h`, `x:in(_time:5m | fields x)`,
		`x:_time`, `x:_time:5m`, `{_time="5m"}`, `* | limit 5 | filter _time:5m`, `options(concurrency=2) a`, `a # _time:5m`,
	} {
		if Describe(filter + "\n| stats count()").TimeFilter {
			t.Errorf("%s: time filter found", filter)
		}
	}
}

func TestStepwiseQueries(t *testing.T) {
	for _, query := range []string{
		`* | stats by (host) count()`, `error {app="x"} | stats by (host) count() c, max(x) m`, `a | by (h) count()`, `a | (h) rate()`,
		`* | extract "ip=<ip> " | filter ip:* | stats by (ip) count() n | filter n:>5 | fields ip, n`,
		`* | math a+b as c | h:x | stats by (h) sum(c) s | math s / 2 as t | delete s;`,
	} {
		if !Describe(query).Stepwise {
			t.Errorf("%s: not stepwise", query)
		}
	}
	for _, query := range []string{
		`* | stats count()`, `* | stats by () count()`, `* | count()`, `_time:5m | stats by (host) count()`,
		`a _time:day_range[08:00, 18:00] | stats by (host) count()`, `* | limit 5 | stats by (host) count()`,
		`* | stats by (host) count() c | limit 5`, `* | stats by (host) count() c | sort by (c) limit 3`,
		`* | stats by (host) count() c | stats max(c) m`, `x:in(a | fields x) | stats by (host) count()`,
		`* | join by (x) (a) | stats by (host) count()`, `options(time_offset=1h) * | stats by (host) count()`, `*`, `(`,
	} {
		if Describe(query).Stepwise {
			t.Errorf("%s: stepwise", query)
		}
	}
}

// Whatever the text, there are facts, and more filters do not take the bounds away.
func FuzzDescribe(f *testing.F) {
	f.Add(`a:b (_time:[2024-01-01, now) or c) {d="e"} | filter !-_time:5m | stats by (f) count()`)
	f.Add(`options(global_filter=(_time:5m)) x:in(y | fields x) _time:>5m offset 1h`)
	f.Fuzz(func(t *testing.T, query string) {
		facts := Describe(query)
		if Validate(query) != nil {
			return
		}
		if strings.Contains(strings.ToLower(query), "options") {
			return // which have to come first
		}
		if facts.TimeFilter && !Describe("a "+query).TimeFilter {
			t.Errorf("%q has a time filter, but not with another filter before it", query)
		}
	})
}

func BenchmarkDescribe(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Describe(`{app="nginx"} status:>=500 _time:5m | extract "ip=<ip> " | stats by (ip) count() n | filter n:>10`)
	}
}
