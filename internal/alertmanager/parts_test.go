package alertmanager

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestJudge(t *testing.T) {
	for status, want := range map[int]verdict{
		200: accepted, 202: accepted, 204: accepted, 226: accepted,
		302: unreachable, 400: partial, 401: unreachable, 404: unreachable,
		413: tooLarge, 422: refused, 429: unreachable, 500: unreachable, 503: unreachable,
	} {
		if got := judge(status); got != want {
			t.Errorf("judge(%d) = %d, want %d", status, got, want)
		}
	}
}

func TestAnswerKeepsReadableStart(t *testing.T) {
	a := readAnswer(respond(http.StatusBadRequest, "  bad \xff "+strings.Repeat("x", 1<<20)), time.Time{})
	want := "status 400: bad \ufffd " + strings.Repeat("x", bodyShown-len("  bad \xff "))
	if a.err.Error() != want {
		t.Errorf("error is %.60q... of %d bytes, want %.60q... of %d", a.err, len(a.err.Error()), want, len(want))
	}
	if a := readAnswer(respond(http.StatusBadGateway, " \n"), time.Time{}); a.err.Error() != "status 502" {
		t.Errorf("error is %q", a.err)
	}
}

func TestBatchSizeShrinksAndGrowsBack(t *testing.T) {
	now := time.Now()
	b := newBatchSize(100)
	step := func(what string, want int) {
		t.Helper()
		if b.limit != want {
			t.Errorf("%s: limit is %d, want %d", what, b.limit, want)
		}
	}
	b.shrink(100, false, now)
	step("refused", 50)
	b.grow(now)
	step("accepted", 100)
	b.shrink(90, true, now)
	step("too large", 45)
	b.grow(now.Add(limitHeld))
	step("accepted within the hour", 45)
	b.grow(now.Add(limitHeld + 1))
	step("accepted after it", 90)
	b.grow(now.Add(limitHeld + 1))
	step("and again", 100)
	b.shrink(3, true, now)
	step("too large", 1)
	if b.shrink(1, true, now) {
		t.Error("one alert was halved")
	}
	b.grow(now)
	step("the culprit is gone", 2)
}

func TestNotifierURL(t *testing.T) {
	for _, tt := range []struct{ url, posts, shown string }{
		{"http://am:9093", "http://am:9093/api/v2/alerts", "http://am:9093/api/v2/alerts"},
		{"http://am:9093/", "http://am:9093/api/v2/alerts", "http://am:9093/api/v2/alerts"},
		{"http://am/prefix/", "http://am/prefix/api/v2/alerts", "http://am/prefix/api/v2/alerts"},
		{"http://am/api/v2/alerts", "http://am/api/v2/alerts", "http://am/api/v2/alerts"},
		{"https://u:p@am/x?token=t#f", "https://u:p@am/x/api/v2/alerts?token=t", "https://am/x/api/v2/alerts"},
	} {
		if got := newSet(t, Options{}, Endpoint{URL: tt.url}).list()[0].endpoint; got.url != tt.posts || got.addr != tt.shown {
			t.Errorf("%s: %+v, want %s shown as %s", tt.url, got, tt.posts, tt.shown)
		}
	}
}

func TestWrongNotifierURLsAreReportedTogetherWithoutSecrets(t *testing.T) {
	s := newSet(t, Options{})
	err := s.Use(ended(), []Endpoint{
		{URL: ""}, {URL: "http://good"}, {URL: "ftp://x"}, {URL: "http:///path"},
		{URL: "http://user:secret%@host"}, {URL: "http://h:secret"},
	})
	want := `notifier url 1: must begin with http:// or https://
notifier url 3: must begin with http:// or https://
notifier url 4: has no host
notifier url 5: not a valid URL
notifier url 6: not a valid URL`
	if err == nil || err.Error() != want {
		t.Errorf("error is:\n%v\nwant:\n%s", err, want)
	}
	if got := s.Targets(); len(got) != 1 || got[0].Address != "http://good/api/v2/alerts" {
		t.Errorf("targets are %+v, want the good one", got)
	}
}

func TestShowURLShowsWholeAddress(t *testing.T) {
	const raw = "http://u:p@am/?token=t"
	for show, want := range map[bool]string{
		false: "http://am/api/v2/alerts",
		true:  "http://u:p@am/api/v2/alerts?token=t",
	} {
		targets := newSet(t, Options{ShowURL: show}, Endpoint{URL: raw}).list()
		if got := targets[0].Status().Address; got != want {
			t.Errorf("ShowURL %v: address is %s, want %s", show, got, want)
		}
		var b strings.Builder
		targets[0].mail.metrics.set.WritePrometheus(&b)
		if strings.Contains(b.String(), "token") || strings.Contains(b.String(), "u:p") {
			t.Errorf("ShowURL %v: metrics hold secrets:\n%s", show, b.String())
		}
	}
}

func TestDuplicateTargetIsReportedOnce(t *testing.T) {
	for suppress, lines := range map[bool]int{false: 1, true: 0} {
		var log bytes.Buffer
		o := Options{SuppressDuplicates: suppress, Log: slog.New(slog.NewTextHandler(&log, nil))}
		endpoints := []Endpoint{
			{URL: "http://am"}, {URL: "http://am/api/v2/alerts"}, {URL: "http://am?tenant=1"}, {URL: "http://other"},
		}
		s := newSet(t, o, endpoints...)
		if err := s.Use(ended(), endpoints); err != nil { // found again, which is no news
			t.Fatal(err)
		}
		addrs := addresses(s)
		want := []string{"http://am/api/v2/alerts", "http://am/api/v2/alerts#2", "http://other/api/v2/alerts"}
		if diff := cmp.Diff(want, addrs); diff != "" {
			t.Error(diff)
		}
		if got := strings.Count(log.String(), "given more than once"); got != lines {
			t.Errorf("suppress %v: logged %d times:\n%s", suppress, got, log.String())
		}
	}
}

func TestMetricLabelsAreEscaped(t *testing.T) {
	got := metricName("m", "addr", "a\\b\"c\nd é", "reason", "x")
	want := `m{addr="a\\b\"c\nd é",reason="x"}`
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
