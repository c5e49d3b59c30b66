package datasource

import (
	"net/url"
	"testing"
	"time"

	"tocsin/config"
	"tocsin/rules"
)

func hits() rules.Query {
	return rules.Query{Type: config.VLogs, Expr: "error | stats by (host) count() hits", Time: noon, Interval: time.Minute}
}

func TestLogsOfOneIntervalAreAskedFor(t *testing.T) {
	s := answering(emptyVector)
	ask(t, newClient(t, s, func(o *Options) { o.RoundDigits = 3 }), hits())
	got := s.only(t)
	equal(t, got.method+" "+got.url, "POST http://vm:8428/select/logsql/stats_query")
	equal(t, got.form, url.Values{
		"query": {hits().Expr}, "time": {"2026-03-01T12:00:00Z"},
		"start": {"2026-03-01T11:59:00Z"}, "end": {"2026-03-01T12:00:00Z"},
	})
}

func TestTimeFilterOfTheExpressionStands(t *testing.T) {
	s := answering(emptyVector)
	q := hits()
	q.Expr = "_time:5m error | stats count() hits"
	ask(t, newClient(t, s, nil), q)
	equal(t, s.only(t).form, url.Values{"query": {q.Expr}, "time": {"2026-03-01T12:00:00Z"}})
}

// Logs are kept by a server of their own: no type prefix leads to it.
func TestVLogsPath(t *testing.T) {
	for _, tt := range []struct {
		url               string
		prefix, asWritten bool
		want              string
	}{
		{"http://vl:9428", true, false, "http://vl:9428/select/logsql/stats_query"},
		{"http://vl:9428/base/", false, false, "http://vl:9428/base/select/logsql/stats_query"},
		{"http://vl:9428/custom", true, true, "http://vl:9428/custom"},
	} {
		s := answering(emptyVector)
		ask(t, newClient(t, s, func(o *Options) {
			o.URL, o.AppendTypePrefix, o.DisablePathAppend = tt.url, tt.prefix, tt.asWritten
		}), hits())
		equal(t, s.only(t).url, tt.want)
	}
}

func TestVLogsParamsAndHeaders(t *testing.T) {
	s := answering(emptyVector)
	q := hits()
	q.Params = map[string][]string{"query": {"*"}, "start": {"1"}, "extra_filters": {"a:b", "c:d"}}
	q.Headers = []config.Pair{{Name: "AccountID", Value: "12"}}
	ask(t, newClient(t, s, func(o *Options) { o.URL = "http://vl?end=2&extra_stream_filters=x" }), q)
	got := s.only(t)
	equal(t, got.form, url.Values{
		"query": {q.Expr}, "time": {"2026-03-01T12:00:00Z"}, "start": {"1"}, "end": {"2026-03-01T12:00:00Z"},
		"extra_filters": {"a:b", "c:d"},
	})
	equal(t, got.url, "http://vl/select/logsql/stats_query?extra_stream_filters=x")
	equal(t, got.header.Get("AccountID"), "12")
}

func TestVLogsRequestIsACommandLine(t *testing.T) {
	equal(t, newClient(t, answering(""), nil).Request(hits()), `curl -X POST --data-urlencode 'query=error | stats by (host) count() hits' `+
		`--data-urlencode 'time=2026-03-01T12:00:00Z' --data-urlencode 'start=2026-03-01T11:59:00Z' --data-urlencode 'end=2026-03-01T12:00:00Z' `+
		`'http://vm:8428/select/logsql/stats_query'`)
}

func TestNamesOfStatsBecomeALabel(t *testing.T) {
	r := ask(t, newClient(t, answering(golden(t, "stats/instant.json")), nil), hits())
	at := noon.UnixMilli()
	sameSamples(t, r.Samples, []rules.Sample{
		sample(at, 4, "host", "a", "stats_result", "hits"),
		sample(at, 15, "host", "a", "stats_result", "slowest"),
		sample(at, 2, "host", "b", "stats_result", "hits"), // whose slowest there is not
		sample(at, 1, "stats_result", "d_bucket", "vmrange", "1.000e+01...1.136e+01"),
		sample(at, nan, "stats_result", "mean"),
	})
	equal(t, r.SeriesFetched, -1)
}

func TestErrorsOfVLogs(t *testing.T) {
	const at = "http://vm:8428/select/logsql/stats_query: "
	for _, tt := range []struct {
		name     string
		reply    reply
		want     string
		rejected bool
	}{
		{"422", reply{status: 422, body: `{"status":"error","errorType":"422","error":"missing pipe"}`},
			at + "answered 422: rejected by the datasource: 422: missing pipe", true},
		{"value that is no number", reply{body: vector(`{"metric":{"__name__":"u"},"value":[1,"[\"a\"]"]}`)},
			at + `answered 200: value "[\"a\"]" is not a number`, false},
		{"two labels of one name", reply{body: vector(`{"metric":{"__name__":"u","stats_result":"x"},"value":[1,"1"]}`)},
			at + `answered 200: label "stats_result" appears twice in a series`, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := newClient(t, &fakeServer{replies: []reply{tt.reply}}, nil).Query(t.Context(), hits())
			checkError(t, err, tt.want, tt.rejected)
		})
	}
}

// An empty value is nothing only where VictoriaLogs says it.
func TestEmptyValueOfPrometheusIsAnError(t *testing.T) {
	c := newClient(t, answering(vector(`{"metric":{},"value":[1,""]}`)), nil)
	ask(t, newClient(t, answering(vector(`{"metric":{},"value":[1,""]}`)), nil), hits()) // leaves nothing behind in a decoder
	_, err := c.Query(t.Context(), up())
	checkError(t, err, `http://vm:8428/api/v1/query: answered 200: value "" is not a number`, false)
}
