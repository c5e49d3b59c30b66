package datasource

import (
	"bytes"
	"compress/gzip"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/VictoriaMetrics/metrics"

	"tocsin/config"
	"tocsin/rules"
)

func zipped(t testing.TB, s string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(s)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func header(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return h
}

func TestErrorsOfTheDatasource(t *testing.T) {
	const at = "http://vm:8428/api/v1/query?apikey=<secret>: "
	for _, tt := range []struct {
		name     string
		reply    reply
		want     string
		rejected bool
	}{
		{"422 as VictoriaMetrics says it", reply{status: 422, body: `{"status":"error","errorType":"422","error":"cannot parse \"up ==\""}`},
			at + `answered 422: rejected by the datasource: 422: cannot parse "up =="`, true},
		{"400 as Prometheus says it", reply{status: 400, body: `{"status":"error","errorType":"bad_data","error":"parse error"}`},
			at + "answered 400: rejected by the datasource: bad_data: parse error", true},
		{"400 of a proxy", reply{status: 400, body: "<html>\n\t<b>bad</b>\x00\xff request</html>"},
			at + "answered 400: rejected by the datasource: <html> <b>bad</b> request</html>", true},
		{"503 with a reason", reply{status: 503, body: `{"status":"error","errorType":"unavailable","error":"too busy"}`},
			at + "answered 503: unavailable: too busy", false},
		{"401 without a body", reply{status: 401}, at + "answered 401: Unauthorized", false},
		{"303", reply{status: 303, header: header("Location", "/x")}, at + "answered 303: See Other", false},
		{"302 to nowhere", reply{status: 302}, at + "answered 302: Found", false},
		{"500 with a compressed reason", reply{status: 500, header: header("Content-Encoding", "gzip"), body: zipped(t, "out of memory")},
			at + "answered 500: out of memory", false},
		{"error with status 200", reply{body: `{"status":"error","errorType":"execution","error":"many-to-many"}`},
			at + "answered an error: rejected by the datasource: execution: many-to-many", true},
		{"error of the server with status 200", reply{body: `{"status":"error","errorType":"timeout","error":"too slow"}`},
			at + "answered an error: timeout: too slow", false},
		{"login page with status 200", reply{header: header("Content-Type", "text/html; charset=utf-8"), body: "<html>"},
			at + `answered 200 with content of type "text/html; charset=utf-8": unexpected '<' at byte 0, want a JSON object`, false},
		{"204", reply{status: 204, header: header()}, at + "answered 204: answer ends early, after 0 bytes", false},
		{"encoding not asked for", reply{header: header("Content-Encoding", "br"), body: "x"}, at + `answer is encoded as "br"`, false},
		{"not gzip", reply{header: header("Content-Encoding", "gzip"), body: strings.Repeat("x", 50)}, at + "decompressing the answer: gzip: invalid header", false},
		{"empty gzip", reply{header: header("Content-Encoding", "gzip")}, at + "decompressing the answer: answer ends early, after 0 bytes", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &fakeServer{replies: []reply{tt.reply}}
			c := newClient(t, s, func(o *Options) { o.URL = "http://me:hunter2@vm:8428?apikey=hunter2" })
			_, err := c.Query(t.Context(), up())
			checkError(t, err, tt.want, tt.rejected)
			equal(t, len(s.seen), 1)
		})
	}
}

func checkError(t *testing.T, err error, want string, rejected bool) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	equal(t, err.Error(), want)
	equal(t, errors.Is(err, rules.ErrRejected), rejected)
}

func TestAnErrorShowsOnlyTheStartOfALongBody(t *testing.T) {
	s := &fakeServer{replies: []reply{{status: 502, body: strings.Repeat("x ", 1<<20)}}}
	_, err := newClient(t, s, nil).Query(t.Context(), up())
	if err == nil || len(err.Error()) > 2*maxErrorShown || !strings.HasSuffix(err.Error(), "x x...") {
		t.Errorf("got %.1000v", err)
	}
}

func TestAnswersAreBounded(t *testing.T) {
	s := &fakeServer{replies: []reply{{header: header("Content-Encoding", "gzip"), body: zipped(t, manySeries(5000))}}}
	c := newClient(t, s, func(o *Options) { o.MaxResponseSize = 100 << 10 })
	if _, err := c.Query(t.Context(), up()); !errors.Is(err, errTooLong) {
		t.Errorf("got %v", err)
	}
}

func TestOnlyLongAnswersAreAskedForCompressed(t *testing.T) {
	long := manySeries(1000)
	s := &fakeServer{replies: []reply{
		{body: long},
		{header: header("Content-Encoding", "gzip"), body: zipped(t, long)},
		{header: header("Content-Encoding", "gzip"), body: zipped(t, emptyVector)},
		{body: emptyVector},
	}}
	c := newClient(t, s, nil)
	var lengths []int
	for range 4 {
		lengths = append(lengths, len(ask(t, c, up()).Samples))
	}
	equal(t, lengths, []int{1000, 1000, 0, 0})
	var accepted []string
	for _, r := range s.seen {
		accepted = append(accepted, r.header.Get("Accept-Encoding"))
	}
	equal(t, accepted, []string{"identity", "gzip", "gzip", "identity"})
}

func TestAGroupMayAskForCompression(t *testing.T) {
	s := &fakeServer{replies: []reply{{header: header("Content-Encoding", "gzip"), body: zipped(t, manySeries(1))}}}
	q := up()
	q.Headers = []config.Pair{{Name: "Accept-Encoding", Value: "gzip"}}
	equal(t, len(ask(t, newClient(t, s, nil), q).Samples), 1)
	equal(t, s.only(t).header["Accept-Encoding"], []string{"gzip"})
}

func TestRedirectsKeepTheForm(t *testing.T) {
	for _, status := range []int{301, 302, 307, 308} {
		s := &fakeServer{replies: []reply{
			{status: status, header: header("Location", "https://vm/elsewhere?x=1"), body: "moved"},
			{status: status, header: header("Location", "/there")},
			{body: emptyVector},
		}}
		set := metrics.NewSet()
		ask(t, newClient(t, s, func(o *Options) { o.Metrics = set }), up())
		equal(t, metric(set, "tocsin_datasource_redirects_total"), "2")
		equal(t, len(s.seen), 3)
		equal(t, s.seen[2].url, "https://vm/there")
		equal(t, s.seen[2].method, "POST")
		equal(t, s.seen[2].form, s.seen[0].form)
	}
}

// A server does not know by which of several addresses it was found.
func TestRedirectsOfABalancedHost(t *testing.T) {
	for location, want := range map[string]string{
		"/there":                  "http://srv+vm:8481/there",
		"http://vm:8481/there":    "http://srv+vm:8481/there",
		"https://vm:8443/there":   "https://vm:8443/there",
		"https://srv+vm/there":    "https://srv+vm/there",
		"http://srv+vm:8481/x?a=": "http://srv+vm:8481/x?a=",
	} {
		s := &fakeServer{replies: []reply{{status: 307, header: header("Location", location)}, {body: emptyVector}}}
		ask(t, newClient(t, s, func(o *Options) { o.URL = "http://srv+vm:8481" }), up())
		equal(t, s.seen[1].url, want)
	}
}

func TestRedirectsThatAreNotFollowed(t *testing.T) {
	for location, want := range map[string]string{
		"https://evil.example/?token=hunter2": `redirect to another host, "evil.example", is not followed`,
		"http://vm/api/v1/query":              "redirect from https to http is not followed",
		"ftp://vm/":                           "redirect from https to ftp is not followed",
		"http://[":                            "does not parse",
		"/loop":                               "redirected more than 5 times",
	} {
		s := &fakeServer{replies: []reply{{status: 307, header: header("Location", location)}}}
		c := newClient(t, s, func(o *Options) { o.URL = "https://me:pw@vm" })
		_, err := c.Query(t.Context(), up())
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got %v, want %q in it", location, err, want)
		}
	}
}
