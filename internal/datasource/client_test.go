package datasource

import (
	"context"
	"errors"
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

func TestQueryPostsAForm(t *testing.T) {
	s := answering(emptyVector)
	q := up()
	q.Expr = "sum(x{a=\"ü&+%\"})\n> 0"
	ask(t, newClient(t, s, nil), q)

	got := s.only(t)
	equal(t, got.method, "POST")
	equal(t, got.url, "http://vm:8428/api/v1/query")
	equal(t, got.header, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Accept-Encoding": {"identity"}})
	equal(t, got.form, url.Values{"query": {q.Expr}, "time": {"2026-03-01T12:00:00Z"}, "step": {"300s"}})
}

func TestTimeIsRFC3339AndWholeSecondsUnlessItHasAFraction(t *testing.T) {
	for at, want := range map[time.Time]string{
		noon:                              "2026-03-01T12:00:00Z",
		noon.Add(250 * time.Millisecond):  "2026-03-01T12:00:00.25Z",
		noon.In(time.FixedZone("", 3600)): "2026-03-01T12:00:00Z",
	} {
		s := answering(emptyVector)
		q := up()
		q.Time = at
		ask(t, newClient(t, s, nil), q)
		equal(t, s.only(t).form.Get("time"), want)
	}
}

func TestStep(t *testing.T) {
	for _, tt := range []struct {
		name           string
		step, interval time.Duration
		disabled       bool
		want           []string
	}{
		{"flag", 5 * time.Minute, time.Minute, false, []string{"300s"}},
		{"flag is 0: the interval", 0, time.Minute, false, []string{"60s"}},
		{"interval below a second", 0, 500 * time.Millisecond, false, []string{"500ms"}},
		{"interval with a fraction", 0, 1500 * time.Millisecond, false, []string{"1500ms"}},
		{"interval below a millisecond", 0, time.Microsecond, false, []string{"1ms"}},
		{"neither", 0, 0, false, nil},
		{"disabled", 5 * time.Minute, time.Minute, true, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := answering(emptyVector)
			q := up()
			q.Interval = tt.interval
			ask(t, newClient(t, s, func(o *Options) { o.QueryStep, o.DisableStepParam = tt.step, tt.disabled }), q)
			equal(t, s.only(t).form["step"], tt.want)
		})
	}
}

func TestRoundDigitsReachTheServer(t *testing.T) {
	s := answering(emptyVector)
	ask(t, newClient(t, s, func(o *Options) { o.RoundDigits = 3 }), up())
	equal(t, s.only(t).form["round_digits"], []string{"3"})
}

func TestGroupParamsOverrideAndAddUp(t *testing.T) {
	s := answering(emptyVector)
	q := up()
	q.Params = map[string][]string{
		"time": {"5"}, "step": {"7s"}, "round_digits": {"1"}, "query": {"down"},
		"extra_label": {"a=1", "b=2"}, "nocache": {"1"},
	}
	ask(t, newClient(t, s, func(o *Options) {
		o.URL = "http://vm:8428/?extra_label=c%3D3&apikey=k&time=1&query=x"
		o.RoundDigits = 3
	}), q)

	got := s.only(t)
	equal(t, got.url, "http://vm:8428/api/v1/query?apikey=k")
	equal(t, got.form, url.Values{
		"query": {q.Expr}, "time": {"5"}, "step": {"7s"}, "round_digits": {"1"},
		"extra_label": {"a=1", "b=2"}, "nocache": {"1"},
	})
}

func TestURLArgumentsAreKept(t *testing.T) {
	s := answering(emptyVector)
	const address = "http://vm:8428/select/0/prometheus/?extra_filters[]={a=%22b%22}&extra_label=x%3D1&extra_label=y%3D2"
	ask(t, newClient(t, s, func(o *Options) { o.URL = address }), up())
	equal(t, s.only(t).url, strings.Replace(address, "/?", "/api/v1/query?", 1))
}

func TestPath(t *testing.T) {
	for _, tt := range []struct {
		url               string
		prefix, asWritten bool
		want              string
	}{
		{"http://vm:8428", false, false, "http://vm:8428/api/v1/query"},
		{"http://vm:8428/", true, false, "http://vm:8428/prometheus/api/v1/query"},
		{"https://vm/a%2Fb/", false, false, "https://vm/a%2Fb/api/v1/query"},
		{"http://vm:8428/custom/path?x=1", false, true, "http://vm:8428/custom/path?x=1"},
		{"http://vm:8428/custom/", true, true, "http://vm:8428/custom/prometheus"},
	} {
		s := answering(emptyVector)
		ask(t, newClient(t, s, func(o *Options) {
			o.URL, o.AppendTypePrefix, o.DisablePathAppend = tt.url, tt.prefix, tt.asWritten
		}), up())
		equal(t, s.only(t).url, tt.want)
	}
}

func TestGroupHeaders(t *testing.T) {
	s := answering(emptyVector)
	q := up()
	q.Headers = []config.Pair{
		{Name: "x-scope-orgid", Value: "1"}, {Name: "X-Scope-OrgID", Value: "2"}, {Name: "Host", Value: "tenant.example"},
		{Name: "Authorization", Value: "Bearer group"}, {Name: "Content-Type", Value: "application/json"}, {Name: "Content-Length", Value: "1"},
	}
	ask(t, newClient(t, s, func(o *Options) { o.URL = "http://me:pw@vm:8428" }), q)

	got := s.only(t)
	equal(t, got.host, "tenant.example")
	equal(t, got.url, "http://vm:8428/api/v1/query")
	equal(t, got.header, http.Header{
		"Content-Type": {"application/x-www-form-urlencoded"}, "Accept-Encoding": {"identity"},
		"X-Scope-Orgid": {"2"}, "Authorization": {"Bearer group"},
	})
}

func TestHeadersOfAGroupAreItsOwn(t *testing.T) {
	s := answering(emptyVector)
	c := newClient(t, s, func(o *Options) { o.URL = "http://me:pw@vm:8428" })
	theirs := up()
	theirs.Headers = []config.Pair{
		{Name: "Host", Value: "tenant.example"}, {Name: "X-Team", Value: "a"},
		{Name: "Authorization", Value: "Bearer group"}, {Name: "Accept-Encoding", Value: "gzip"},
	}
	for _, q := range []rules.Query{up(), theirs, up()} {
		ask(t, c, q)
	}
	for _, got := range []seen{s.seen[0], s.seen[2]} {
		equal(t, got.host, "")
		equal(t, got.header, http.Header{
			"Content-Type": {"application/x-www-form-urlencoded"}, "Accept-Encoding": {"identity"},
			"Authorization": {"Basic bWU6cHc="},
		})
	}
}

func TestUserOfTheURLBecomesBasicAuth(t *testing.T) {
	s := answering(emptyVector)
	ask(t, newClient(t, s, func(o *Options) { o.URL = "http://me:p%40ss@vm:8428" }), up())
	equal(t, s.only(t).header["Authorization"], []string{"Basic bWU6cEBzcw=="})
}

func TestNewRefusesBadURLsWithoutRepeatingThem(t *testing.T) {
	for raw, want := range map[string]string{
		"":                               "scheme",
		"vm.example":                     "scheme",
		"ftp://me:hunter2@vm":            "scheme",
		"http://":                        "no host",
		"http://me:hunter2@":             "no host",
		"http://me:hunter2@vm:port":      "does not parse",
		"http://me:hun ter2@vm":          "does not parse",
		"http://vm/?token=%zz&p=hunter2": "query argument",
	} {
		_, err := New(Options{URL: raw, Transport: answering("")})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q in it", raw, err, want)
		} else if strings.Contains(err.Error(), "hun") {
			t.Errorf("error repeats the password: %v", err)
		}
	}
	if _, err := New(Options{URL: "http://vm"}); err == nil {
		t.Error("a client without transport")
	}
}

func TestTypesThatAreNotSupportedAreAnError(t *testing.T) {
	s := answering(emptyVector)
	c := newClient(t, s, nil)
	for _, typ := range []config.Type{"sql", "Graphite"} {
		q := up()
		q.Type = typ
		_, err := c.Query(t.Context(), q)
		if err == nil || !strings.Contains(err.Error(), string(typ)) {
			t.Errorf("%s: got %v", typ, err)
		}
		equal(t, c.Request(q), "")
	}
	equal(t, len(s.seen), 0)
}

// heldServer keeps every request until it may go.
type heldServer struct {
	next http.RoundTripper
	gate chan struct{}
}

func (h heldServer) RoundTrip(r *http.Request) (*http.Response, error) {
	select {
	case <-h.gate:
		return h.next.RoundTrip(r)
	case <-r.Context().Done():
		return nil, errors.New("net/http: request canceled")
	}
}

func TestQueriesBeyondTheCapWaitAndHonourTheirContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := answering(emptyVector)
		held := heldServer{s, make(chan struct{})}
		set := metrics.NewSet()
		c := newClient(t, held, func(o *Options) { o.MaxConcurrency, o.Metrics = 2, set })
		done := make(chan error, 3)
		for range 2 {
			go func() { _, err := c.Query(t.Context(), up()); done <- err }()
		}
		synctest.Wait()

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := c.Query(ctx, up())
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "waiting for a free query slot") {
			t.Errorf("the third query: %v", err)
		}
		go func() { _, err := c.Query(t.Context(), up()); done <- err }()
		synctest.Wait()
		equal(t, metric(set, "tocsin_datasource_queries_waiting"), "1")
		close(held.gate)
		for range 3 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		equal(t, len(s.seen), 3)
		equal(t, metric(set, "tocsin_datasource_queries_waiting"), "0")
	})
}

func TestQueryCutShortSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := answering(emptyVector)
		set := metrics.NewSet()
		c := newClient(t, heldServer{s, nil}, func(o *Options) { o.Metrics = set })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.Query(ctx, up()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		equal(t, metric(set, "tocsin_datasource_retries_total"), "0")
	})
}
