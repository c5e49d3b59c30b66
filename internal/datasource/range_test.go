package datasource

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"tocsin/config"
	"tocsin/rules"
)

// hour is up() from noon to one o'clock.
func hour() rules.RangeQuery {
	return rules.RangeQuery{Query: up(), From: noon, To: noon.Add(time.Hour), Step: time.Minute}
}

// askRange queries q and fails the test on an error.
func askRange(t *testing.T, c *Client, q rules.RangeQuery) []rules.Track {
	t.Helper()
	tracks, err := c.QueryRange(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return tracks
}

func TestRangeQueryPostsAForm(t *testing.T) {
	s := answering(emptyMatrix)
	q := hour()
	q.Expr = "sum(x{a=\"ü&+%\"})\n> 0"
	askRange(t, newClient(t, s, nil), q)

	got := s.only(t)
	equal(t, got.method, "POST")
	equal(t, got.url, "http://vm:8428/api/v1/query_range")
	equal(t, got.header, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Accept-Encoding": {"gzip"}})
	equal(t, got.form, url.Values{"query": {q.Expr}, "start": {"2026-03-01T12:00:00Z"}, "end": {"2026-03-01T13:00:00Z"}, "step": {"60s"}, "nocache": {"1"}})
}

func TestRangeQuerySaysItsTimesToTheMillisecond(t *testing.T) {
	for _, tt := range []struct {
		from, to, step   time.Duration
		start, end, want string
	}{
		{250 * time.Millisecond, time.Minute, 1500 * time.Millisecond, "2026-03-01T12:00:00.25Z", "2026-03-01T12:00:58.75Z", "1500ms"},
		{7 * time.Second, 27 * time.Second, 10 * time.Second, "2026-03-01T12:00:07Z", "2026-03-01T12:00:27Z", "10s"},
		{-time.Nanosecond, time.Minute + time.Microsecond, 30 * time.Second, "2026-03-01T12:00:00Z", "2026-03-01T12:01:00Z", "30s"},
	} {
		s := answering(emptyMatrix)
		q := hour()
		q.From, q.To, q.Step = noon.Add(tt.from).In(time.FixedZone("", 3600)), noon.Add(tt.to), tt.step
		askRange(t, newClient(t, s, nil), q)
		form := s.only(t).form
		equal(t, []string{form.Get("start"), form.Get("end"), form.Get("step")}, []string{tt.start, tt.end, tt.want})
	}
}

func TestRangeQuerySendsWhatInstantQueriesSend(t *testing.T) {
	s := answering(emptyMatrix)
	q := hour()
	q.Params = map[string][]string{
		"time": {"5"}, "start": {"6"}, "end": {"7"}, "step": {"8s"}, "query": {"down"}, "round_digits": {"1"}, "extra_label": {"a=1", "b=2"},
	}
	q.Headers = []config.Pair{{Name: "x-scope-orgid", Value: "1"}, {Name: "X-Scope-OrgID", Value: "2"}, {Name: "Host", Value: "tenant.example"}}
	askRange(t, newClient(t, s, func(o *Options) {
		o.URL = "http://me:p%40ss@vm:8428/base/?extra_label=c%3D3&apikey=k&time=1&query=x&start=1&step=1"
		o.RoundDigits, o.AppendTypePrefix = 3, true
	}), q)

	got := s.only(t)
	equal(t, got.host, "tenant.example")
	equal(t, got.url, "http://vm:8428/base/prometheus/api/v1/query_range?apikey=k")
	equal(t, got.header["X-Scope-Orgid"], []string{"2"})
	equal(t, got.header["Authorization"], []string{"Basic bWU6cEBzcw=="})
	equal(t, got.form, url.Values{
		"query": {q.Expr}, "start": {"2026-03-01T12:00:00Z"}, "end": {"2026-03-01T13:00:00Z"}, "step": {"60s"},
		"nocache": {"1"}, "round_digits": {"1"}, "extra_label": {"a=1", "b=2"},
	})
}

func TestRangeQueryLeavesNocacheToWhoeverSaysIt(t *testing.T) {
	s := answering(emptyMatrix)
	q := hour()
	q.Params = map[string][]string{"nocache": {"0"}}
	askRange(t, newClient(t, s, nil), q)
	equal(t, s.only(t).form["nocache"], []string{"0"})

	s = answering(emptyMatrix)
	askRange(t, newClient(t, s, func(o *Options) { o.URL = "http://vm:8428?nocache=0" }), hour())
	equal(t, s.only(t).form["nocache"], nil)
	equal(t, s.only(t).url, "http://vm:8428/api/v1/query_range?nocache=0")
}

func TestWhatHasNoRangeQueriesSaysSoWithoutAsking(t *testing.T) {
	s := answering(emptyMatrix)
	c := newClient(t, s, nil)
	for _, typ := range []config.Type{"sql", "Graphite"} {
		q := hour()
		q.Type = typ
		_, err := c.QueryRange(t.Context(), q)
		if !errors.Is(err, ErrNoRange) || !errors.Is(err, rules.ErrRejected) || !strings.Contains(err.Error(), string(typ)) {
			t.Errorf("%s: got %v", typ, err)
		}
	}
	c = newClient(t, s, func(o *Options) { o.URL, o.DisablePathAppend = "http://me:hunter2@vm:8428/custom", true })
	_, err := c.QueryRange(t.Context(), hour())
	if !errors.Is(err, ErrNoRange) || !strings.HasPrefix(err.Error(), "http://vm:8428/custom: ") {
		t.Errorf("path used as it is: got %v", err)
	}
	equal(t, len(s.seen), 0)
}

func TestRangeQueryThatMakesNoSenseIsNotAsked(t *testing.T) {
	s := answering(emptyMatrix)
	for want, change := range map[string]func(*rules.RangeQuery){
		"whole milliseconds":  func(q *rules.RangeQuery) { q.Step = 1500 * time.Microsecond },
		"step of 0s":          func(q *rules.RangeQuery) { q.Step = 0 },
		"step of -1s":         func(q *rules.RangeQuery) { q.Step = -time.Second },
		"end is before the s": func(q *rules.RangeQuery) { q.To = q.From.Add(-time.Second) },
	} {
		q := hour()
		change(&q)
		if _, err := newClient(t, s, nil).QueryRange(t.Context(), q); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
	equal(t, len(s.seen), 0)
}

func TestErrorsOfRangeQueriesAreThoseOfInstantQueries(t *testing.T) {
	const at = "http://vm:8428/api/v1/query_range?apikey=<secret>: "
	for _, tt := range []struct {
		name     string
		reply    reply
		want     string
		rejected bool
	}{
		{"422 as VictoriaMetrics says it", reply{status: 422, body: `{"status":"error","errorType":"422","error":"cannot parse"}`},
			at + `answered 422: rejected by the datasource: 422: cannot parse`, true},
		{"400 of too many steps", reply{status: 400, body: `{"status":"error","errorType":"bad_data","error":"exceeded maximum resolution"}`},
			at + `answered 400: rejected by the datasource: bad_data: exceeded maximum resolution`, true},
		{"503", reply{status: 503}, at + "answered 503: Service Unavailable", false},
		{"error with status 200", reply{body: `{"status":"error","errorType":"timeout","error":"too slow"}`},
			at + "answered an error: timeout: too slow", false},
		{"instant vector", reply{body: emptyVector}, at + `answered 200: result type is "vector" where matrix is needed`, false},
		{"cut short", reply{body: emptyMatrix[:40]}, at + `answered 200: answer ends early, after 40 bytes`, false},
		{"times moved", reply{body: values(`[[1,"1"]]`)},
			at + `answered 200: range queries are not available: answer is for other times than those asked for: ` +
				`1000 is not among the times from 1772366400000 to 1772370000000, each 60000 ms`, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &fakeServer{replies: []reply{tt.reply}}
			c := newClient(t, s, func(o *Options) { o.URL = "http://me:hunter2@vm:8428?apikey=hunter2" })
			_, err := c.QueryRange(t.Context(), hour())
			if err == nil {
				t.Fatal("no error")
			}
			equal(t, err.Error(), tt.want)
			equal(t, errors.Is(err, rules.ErrRejected), tt.rejected)
			equal(t, len(s.seen), 1)
		})
	}
}

func TestRangeQueryIsTriedOnceMoreWhenItsConnectionBreaks(t *testing.T) {
	set := metrics.NewSet()
	body := values(`[[1772366400,"1"],[1772366460,"2"]]`)
	s := &fakeServer{replies: []reply{{body: body[:len(body)-20], broken: io.ErrUnexpectedEOF}, {body: body}}}
	got := askRange(t, newClient(t, s, func(o *Options) { o.Metrics = set }), hour())

	equal(t, got, []rules.Track{track([]rules.Point{{T: 1772366400000, V: 1}, {T: 1772366460000, V: 2}}, "a", "b")})
	equal(t, s.seen[1], s.seen[0])
	equal(t, metric(set, "tocsin_datasource_retries_total"), "1")
	equal(t, metric(set, "tocsin_datasource_range_queries_total"), "1")
}

func TestAnswersToRangeQueriesAreBoundedAfterDecompression(t *testing.T) {
	body, times := manyPoints(200, 61)
	s := &fakeServer{replies: []reply{{header: header("Content-Encoding", "gzip"), body: zipped(t, body)}}}
	c := newClient(t, s, func(o *Options) { o.MaxResponseSize = 100 << 10 })
	if _, err := c.QueryRange(t.Context(), hour()); !errors.Is(err, errTooLong) {
		t.Errorf("got %v", err)
	}
	c = newClient(t, s, nil)
	equal(t, len(askRange(t, c, hour())), 200)
	equal(t, times.steps(), 61)
}

func TestOnlyLongRangesAreAskedForCompressed(t *testing.T) {
	s := answering(emptyMatrix)
	q := hour()
	q.To = q.From.Add(2 * time.Minute)
	askRange(t, newClient(t, s, nil), q)
	equal(t, s.only(t).header.Get("Accept-Encoding"), "identity")
}

func TestWhatAnAnswerToARangeQueryLeavesOutIsCounted(t *testing.T) {
	set := metrics.NewSet()
	s := answering(`{"status":"success","isPartial":true,"warnings":["a"],"data":{"resultType":"matrix","result":[{"metric":{},"histograms":[[1,{}],[2,{}]]}]}}`)
	var log bytes.Buffer
	got := askRange(t, newClient(t, s, func(o *Options) { o.Metrics, o.Log = set, slog.New(slog.NewTextHandler(&log, nil)) }), hour())

	equal(t, len(got), 0)
	equal(t, metric(set, "tocsin_datasource_histograms_skipped_total"), "2")
	equal(t, metric(set, "tocsin_datasource_warnings_total"), "1")
	equal(t, metric(set, "tocsin_datasource_partial_answers_total"), "1")
	equal(t, log.String(), "")
}

func TestDebugLogsRangeQueriesWithoutSecrets(t *testing.T) {
	var log bytes.Buffer
	c := newClient(t, answering(emptyMatrix), func(o *Options) {
		o.URL, o.Log = "http://me:hunter2@vm:8428?apikey=hunter2", slog.New(slog.NewTextHandler(&log, nil))
	})
	q := hour()
	q.Debug = true
	q.Headers = []config.Pair{{Name: "X-Api-Key", Value: "hunter2"}}
	askRange(t, c, q)
	equal(t, messages(&log), []string{"range query sent", "range query answered"})
	if strings.Contains(log.String(), "hunter2") || !strings.Contains(log.String(), "start=2026-03-01T12:00:00Z") {
		t.Errorf("logged %s", &log)
	}
}

func TestRangeQueriesShareTheCapOfInstantQueries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{replies: []reply{{body: emptyVector}, {body: emptyMatrix}}}
		held := heldServer{s, make(chan struct{})}
		set := metrics.NewSet()
		c := newClient(t, held, func(o *Options) { o.MaxConcurrency, o.Metrics = 1, set })
		done := make(chan error, 2)
		go func() { _, err := c.Query(t.Context(), up()); done <- err }()
		synctest.Wait()

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := c.QueryRange(ctx, hour())
		if !errors.Is(err, context.DeadlineExceeded) || !strings.HasPrefix(err.Error(), "http://vm:8428/api/v1/query_range: waiting for a free query slot: ") {
			t.Errorf("while an instant query has the only slot: %v", err)
		}
		go func() { _, err := c.QueryRange(t.Context(), hour()); done <- err }()
		synctest.Wait()
		equal(t, metric(set, "tocsin_datasource_queries_waiting"), "1")
		held.gate <- struct{}{}
		held.gate <- struct{}{}
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		equal(t, metric(set, "tocsin_datasource_range_queries_total"), "1")
	})
}

func TestRangeQueryCutShortSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, heldServer{answering(emptyMatrix), nil}, nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.QueryRange(ctx, hour()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}
