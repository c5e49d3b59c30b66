package datasource

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/VictoriaMetrics/metrics"

	"tocsin/config"
	"tocsin/rules"
)

// metric returns the value of the metric called name, as /metrics shows it.
func metric(set *metrics.Set, name string) string {
	var b bytes.Buffer
	set.WritePrometheus(&b)
	for line := range strings.Lines(b.String()) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func TestWhatAnAnswerLeavesOutIsCounted(t *testing.T) {
	set := metrics.NewSet()
	s := answering(`{"status":"success","isPartial":true,"warnings":["a","b"],"data":{"resultType":"vector","result":[` +
		`{"metric":{},"histogram":[1,{}]},{"metric":{},"histogram":[1,{}]}]}}`)
	r := ask(t, newClient(t, s, func(o *Options) { o.Metrics = set }), up())

	equal(t, r, rules.Result{SeriesFetched: -1, Partial: true})
	equal(t, metric(set, "tocsin_datasource_histograms_skipped_total"), "2")
	equal(t, metric(set, "tocsin_datasource_warnings_total"), "2")
	equal(t, metric(set, "tocsin_datasource_partial_answers_total"), "1")
}

func TestClientsMayShareASet(t *testing.T) {
	set := metrics.NewSet()
	for range 2 {
		s := answering(vector(`{"metric":{},"histogram":[1,{}]}`))
		ask(t, newClient(t, s, func(o *Options) { o.Metrics = set }), up())
	}
	equal(t, metric(set, "tocsin_datasource_histograms_skipped_total"), "2")
}

// messages returns the messages of log lines, in order.
func messages(b *bytes.Buffer) []string {
	var got []string
	for line := range strings.Lines(b.String()) {
		_, after, _ := strings.Cut(line, `msg="`)
		msg, _, _ := strings.Cut(after, `"`)
		got = append(got, msg)
	}
	return got
}

func TestWarningsAreLoggedWhenTheyChange(t *testing.T) {
	const warned = `{"status":"success","warnings":["no metric"],"data":{"resultType":"vector","result":[]}}`
	s := &fakeServer{replies: []reply{{body: warned}, {body: warned}, {body: emptyVector}, {body: emptyVector}, {body: warned}}}
	var log bytes.Buffer
	c := newClient(t, s, func(o *Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	for range 5 {
		ask(t, c, up())
	}
	const began, ended = "datasource answers a query with warnings", "datasource answers a query without warnings again"
	equal(t, messages(&log), []string{began, ended, began})
}

func TestDebugLogsTheRequestAndTheAnswer(t *testing.T) {
	var log bytes.Buffer
	c := newClient(t, answering(emptyVector), func(o *Options) {
		o.URL, o.Log = "http://me:hunter2@vm:8428?apikey=hunter2", slog.New(slog.NewTextHandler(&log, nil))
	})
	ask(t, c, up())
	equal(t, log.Len(), 0)

	q := up()
	q.Debug = true
	q.Headers = []config.Pair{{Name: "X-Api-Key", Value: "hunter2"}}
	ask(t, c, q)
	equal(t, messages(&log), []string{"query sent", "query answered"})
	if strings.Contains(log.String(), "hunter2") {
		t.Errorf("a secret is logged: %s", &log)
	}
}

func TestExprSetIsBounded(t *testing.T) {
	var s exprSet
	for i := range maxExprs {
		if !s.put(strings.Repeat("x", i), true) {
			t.Fatal("put of a new member changes nothing")
		}
	}
	if s.put("one more", true) || s.has("one more") {
		t.Error("the set grows past its bound")
	}
	if !s.put("x", false) || s.has("x") || !s.put("one more", true) {
		t.Error("a member that left makes no room")
	}
}
