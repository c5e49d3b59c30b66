package datasource

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"tocsin/config"
	"tocsin/rules"
)

const noSeries = `[]`

func load() rules.Query {
	return rules.Query{Type: config.Graphite, Expr: "filterSeries(web.*.load,'last','>',5)", Time: noon, Interval: time.Minute}
}

func TestGraphiteIsAskedForTheFiveMinutesBeforeTheEvaluation(t *testing.T) {
	s := answering(noSeries)
	ask(t, newClient(t, s, nil), load())
	got := s.only(t)
	equal(t, got.method+" "+got.url, "POST http://vm:8428/render")
	equal(t, got.form, url.Values{
		"target": {load().Expr}, "format": {"json"}, "from": {"1772366100"}, "until": {"1772366400"},
	})
}

func TestGraphiteTimesAreWholeSeconds(t *testing.T) {
	s := answering(noSeries)
	q := load()
	q.Time = noon.Add(999 * time.Millisecond)
	ask(t, newClient(t, s, nil), q)
	equal(t, s.only(t).form["until"], []string{"1772366400"})
}

func TestGraphitePath(t *testing.T) {
	for _, tt := range []struct {
		url               string
		prefix, asWritten bool
		want              string
	}{
		{"http://graphite", false, false, "http://graphite/render"},
		{"http://vmselect:8481/select/0/", true, false, "http://vmselect:8481/select/0/graphite/render"},
		{"http://graphite/base?x=1", false, true, "http://graphite/base/render?x=1"},
	} {
		s := answering(noSeries)
		ask(t, newClient(t, s, func(o *Options) {
			o.URL, o.AppendTypePrefix, o.DisablePathAppend = tt.url, tt.prefix, tt.asWritten
		}), load())
		equal(t, s.only(t).url, tt.want)
	}
}

// What is asked and how it is answered is the rule's and tocsin's; the time is
// the group's to change.
func TestGraphiteParams(t *testing.T) {
	s := answering(noSeries)
	q := load()
	q.Params = map[string][]string{
		"target": {"other"}, "format": {"png"}, "jsonp": {"f"}, "from": {"-1h"}, "local": {"1", "2"}, "until": {"now"},
	}
	ask(t, newClient(t, s, func(o *Options) { o.URL = "http://vm?from=-2h&user=x"; o.RoundDigits = 3 }), q)
	got := s.only(t)
	equal(t, got.form, url.Values{"target": {q.Expr}, "format": {"json"}, "from": {"-1h"}, "until": {"now"}, "local": {"1", "2"}})
	equal(t, got.url, "http://vm/render?user=x")
}

func TestGraphiteRequestIsACommandLine(t *testing.T) {
	got := newClient(t, answering(""), func(o *Options) { o.AppendTypePrefix = true }).Request(load())
	equal(t, got, `curl -X POST --data-urlencode 'target=filterSeries(web.*.load,'\''last'\'','\''>'\'',5)' --data-urlencode 'format=json' `+
		`--data-urlencode 'from=1772366100' --data-urlencode 'until=1772366400' 'http://vm:8428/graphite/render'`)
}

func TestErrorsOfGraphite(t *testing.T) {
	const at = "http://vm:8428/render: "
	for _, tt := range []struct {
		name     string
		reply    reply
		want     string
		rejected bool
	}{
		{"400 of graphite-web", reply{status: 400, header: header("Content-Type", "text/html; charset=utf-8"), body: "Invalid parameters (unknown function: nosuch)"},
			at + "answered 400: rejected by the datasource: Invalid parameters (unknown function: nosuch)", true},
		{"500 of graphite-web", reply{status: 500, header: header("Content-Type", "text/html"), body: "<h1>Server Error (500)</h1>"},
			at + "answered 500: <h1>Server Error (500)</h1>", false},
		{"error too late for a status", reply{body: `{"error": "cannot fetch series"}`}, at + "answered an error: cannot fetch series", false},
		{"a page", reply{header: header("Content-Type", "text/html"), body: "<html>"},
			at + `answered 200 with content of type "text/html": unexpected '<' at byte 0, want an array of series`, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := newClient(t, &fakeServer{replies: []reply{tt.reply}}, nil).Query(t.Context(), load())
			checkError(t, err, tt.want, tt.rejected)
		})
	}
}

// One daemon has groups of all types, and what is special about one is of no
// concern to the others.
func TestTypesShareAClient(t *testing.T) {
	s := &fakeServer{replies: []reply{
		{body: vector(`{"metric":{"__name__":"up"},"value":[1,"0"]}`), header: http.Header{victoriaHeader: {"vm"}}},
		{body: `[{"target":"a","tags":{"n":1},"datapoints":[[1,2]]}]`},
		{body: vector(`{"metric":{"__name__":"hits"},"value":[1,"2"]}`)},
		{body: vector(`{"metric":{"__name__":"up"},"value":[1,"0"]}`), header: http.Header{victoriaHeader: {"vm"}}},
	}}
	c := newClient(t, s, func(o *Options) { o.URL, o.AppendTypePrefix = "http://proxy", true })
	var names []string
	for _, q := range []rules.Query{up(), load(), hits(), up()} {
		r := ask(t, c, q)
		names = append(names, r.Samples[0].Labels.String())
	}
	equal(t, names, []string{`{__name__="up"}`, `{n="1"}`, `{stats_result="hits"}`, `{__name__="up"}`})
	var paths []string
	for _, x := range s.seen {
		paths = append(paths, strings.TrimPrefix(x.url, "http://proxy"))
	}
	equal(t, paths, []string{"/prometheus/api/v1/query", "/graphite/render", "/select/logsql/stats_query", "/prometheus/api/v1/query"})
	if !c.stepMatters.Load() {
		t.Error("answers of another type made the client forget that it asks VictoriaMetrics")
	}
}
