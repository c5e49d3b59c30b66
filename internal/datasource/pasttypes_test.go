package datasource

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"tocsin/config"
	"tocsin/rules"
)

// past asks for what instant queries like q, a minute apart, would have answered
// from eleven o'clock on.
func past(q rules.Query, steps int) rules.RangeQuery {
	from := noon.Add(-time.Hour)
	return rules.RangeQuery{Query: q, From: from, To: from.Add(time.Duration(steps-1) * time.Minute), Step: time.Minute}
}

// minutely is points a minute apart.
func minutely(from time.Time, values ...float64) []rules.Point {
	points := make([]rules.Point, len(values))
	for i, v := range values {
		points[i] = rules.Point{T: from.Add(time.Duration(i) * time.Minute).UnixMilli(), V: v}
	}
	return points
}

// Logs of a minute are answered under the time at which it begins; an evaluation
// asks for them when it ends.
func TestPastLogsAreAskedForAtOnce(t *testing.T) {
	s := answering(golden(t, "stats/range.json"))
	q := past(hits(), 3)
	q.Params = map[string][]string{"extra_filters": {"a:b"}}
	got, err := newClient(t, s, nil).QueryRange(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, got, []rules.Track{
		track(minutely(q.From, 4, 5), "stats_result", "hits", "host", "a"),
		track(minutely(q.To, 1), "stats_result", "hits", "host", "b"),
	})
	equal(t, s.only(t).url, "http://vm:8428/select/logsql/stats_query_range")
	equal(t, s.only(t).form, url.Values{
		"query": {q.Expr}, "step": {"60s"}, "start": {"2026-03-01T10:59:00Z"}, "end": {"2026-03-01T11:02:00Z"}, "extra_filters": {"a:b"},
	})
}

// These would be answered otherwise at once than one by one.
func TestPastLogsAreAskedForOneByOneWhereThatMatters(t *testing.T) {
	for name, change := range map[string]func(*rules.RangeQuery){
		"a time filter":             func(q *rules.RangeQuery) { q.Expr = "_time:5m | stats by (host) count() hits" },
		"no grouping":               func(q *rules.RangeQuery) { q.Expr = "* | stats count() hits" },
		"steps unlike the interval": func(q *rules.RangeQuery) { q.Interval = 30 * time.Second },
		"times off the grid":        func(q *rules.RangeQuery) { q.From, q.To = q.From.Add(time.Second), q.To.Add(time.Second) },
		"own start":                 func(q *rules.RangeQuery) { q.Params = map[string][]string{"start": {"-5m"}} },
	} {
		s := answering(vector(`{"metric":{"__name__":"hits"},"value":[1,"7"]}`))
		q := past(hits(), 2)
		change(&q)
		got, err := newClient(t, s, nil).QueryRange(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, got, []rules.Track{track(minutely(q.From, 7, 7), "stats_result", "hits")})
		if len(s.seen) != 2 || s.seen[0].url != "http://vm:8428/select/logsql/stats_query" {
			t.Errorf("%s: asked %d times", name, len(s.seen))
			continue
		}
		equal(t, s.seen[0].form.Get("time"), timeString(q.From))
		equal(t, s.seen[1].form.Get("time"), timeString(q.To))
	}
}

func TestPastLogsAreAskedForOneByOneWhenTheServerRefusesTheRange(t *testing.T) {
	s := &fakeServer{replies: []reply{
		{status: 422, body: `{"status":"error","errorType":"422","error":"the pipe is not allowed in range queries"}`},
		{body: vector(`{"metric":{"__name__":"hits"},"value":[1,"7"]}`)},
	}}
	got, err := newClient(t, s, nil).QueryRange(t.Context(), past(hits(), 2))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, got, []rules.Track{track(minutely(noon.Add(-time.Hour), 7, 7), "stats_result", "hits")})
}

func TestPastOfGraphiteIsAskedForOneByOne(t *testing.T) {
	s := &fakeServer{replies: []reply{
		{body: `[{"target":"a","tags":{"n":"a"},"datapoints":[[1,5]]}]`},
		{body: `[]`},
		{body: `[{"target":"b","tags":{"n":"b"},"datapoints":[[3,5]]},{"target":"a","tags":{"n":"a"},"datapoints":[[2,5]]}]`},
	}}
	q := past(load(), 3)
	got, err := newClient(t, s, nil).QueryRange(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, got, []rules.Track{
		track(append(minutely(q.From, 1), minutely(q.To, 2)...), "n", "a"),
		track(minutely(q.To, 3), "n", "b"),
	})
	equal(t, s.seen[2].form.Get("until"), "1772362920")
	equal(t, s.seen[2].form.Get("from"), "1772362620")
}

func TestPastEndsAtTheFirstError(t *testing.T) {
	for _, q := range []rules.Query{load(), {Type: config.VLogs, Expr: "_time:1m | stats count()", Interval: time.Minute}} {
		s := &fakeServer{replies: []reply{{body: `[]`}, {status: http.StatusBadRequest, body: "no"}}}
		if q.Type == config.VLogs {
			s.replies[0].body = emptyVector
		}
		got, err := newClient(t, s, nil).QueryRange(t.Context(), past(q, 3))
		if err == nil || got != nil || len(s.seen) != 2 {
			t.Errorf("%s: got %v, %v after %d requests", q.Type, got, err, len(s.seen))
		}
	}
}
