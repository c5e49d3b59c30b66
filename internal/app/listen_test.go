package app

import (
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"tocsin/internal/httpserver"
)

func TestExternalURLIsHTTPSWithTLS(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		first, second *httpserver.TLS
		want          string
	}{
		{&httpserver.TLS{}, nil, "https://" + host + ":1/p"},
		{nil, &httpserver.TLS{}, "http://" + host + ":1/p"},
	} {
		o := Options{HTTP: HTTPOptions{PathPrefix: "/p", Server: httpserver.Options{
			Listeners: []httpserver.Listener{{Addr: ":1", TLS: tt.first}, {Addr: ":2", TLS: tt.second}},
		}}}
		if got := externalURL(&o); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

// What the flags say of headers holds for pages, which have their own otherwise.
func TestHeaderFlagsReplaceThoseOfPages(t *testing.T) {
	o := withBlackhole(options(newWorld(t), ruleFile(t, oneAlert)))
	headers := func(o Options) http.Header {
		d := start(t, o)
		resp, err := d.client.Get(d.url("/vmalert/groups"))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.Header
	}
	h := headers(o)
	if got := h.Get("Content-Security-Policy"); !strings.HasPrefix(got, "default-src 'none'") || h.Get("X-Frame-Options") != "DENY" {
		t.Errorf("unasked: %v", h)
	}
	o.HTTP.Server.Headers = httpserver.Headers{CSP: "default-src 'self'", FrameOptions: "SAMEORIGIN"}
	h = headers(o)
	if h.Values("Content-Security-Policy")[0] != "default-src 'self'" || h.Values("X-Frame-Options")[0] != "SAMEORIGIN" ||
		len(h.Values("Content-Security-Policy")) != 1 || len(h.Values("X-Frame-Options")) != 1 {
		t.Errorf("asked for: %v", h)
	}
}

func TestOtherSitesMayAskUnlessDisabled(t *testing.T) {
	o := withBlackhole(options(newWorld(t), ruleFile(t, oneAlert)))
	origin := func(o Options, method string) string {
		d := start(t, o)
		req, err := http.NewRequest(method, d.url("/api/v1/rules"), nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := d.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.Header.Get("Access-Control-Allow-Origin")
	}
	if got := origin(o, http.MethodOptions); got != "*" {
		t.Errorf("OPTIONS: %q, want any", got)
	}
	if got := origin(o, http.MethodGet); got != "" {
		t.Errorf("GET: %q, as vmalert says it for OPTIONS alone", got)
	}
	o.HTTP.DisableCORS = true
	if got := origin(o, http.MethodOptions); got != "" {
		t.Errorf("disabled: %q", got)
	}
}

func TestCompressionIsOnUnlessDisabled(t *testing.T) {
	o := withBlackhole(options(newWorld(t), ruleFile(t, oneAlert)))
	encoding := func(o Options) string {
		d := start(t, o)
		resp, err := (&http.Transport{DisableCompression: true, DisableKeepAlives: true}).RoundTrip(acceptsGzip(t, d.url("/metrics")))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.Header.Get("Content-Encoding")
	}
	if got := encoding(o); got != "gzip" {
		t.Errorf("unasked: %q", got)
	}
	o.HTTP.DisableCompression = true
	if got := encoding(o); got != "" {
		t.Errorf("disabled: %q", got)
	}
}

func acceptsGzip(t *testing.T, url string) *http.Request {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept-Encoding", "gzip")
	return req
}

// The last push comes when everything has been delivered, so that nobody wonders
// what became of the rest.
func TestLastPushTellsOfTheEnd(t *testing.T) {
	w := newWorld(t)
	pushed := make(chan string, 10)
	collector := w.serve(t, func(_ http.ResponseWriter, r *http.Request) {
		pushed <- r.Header.Get("Content-Type") + " " + r.Header.Get("X-Scope") + " " + readAll(t, r.Body)
	})
	o := delivering(t, w)
	o.Metrics = MetricsOptions{
		PushURLs: []string{collector.URL}, PushInterval: time.Hour, PushHeaders: []string{"X-Scope: a"}, PushUncompressed: true,
	}
	d := start(t, o)
	w.awaitAlert(t, "Down")
	if err := d.stop(); err != nil {
		t.Fatal(err)
	}
	got := <-pushed
	if !strings.HasPrefix(got, "text/plain a ") || !strings.Contains(got, "vmalert_alerts_fired_total 1\n") ||
		strings.Contains(got, "\nvmalert_remotewrite_sent_rows_total 0\n") {
		t.Errorf("the last push: %s", got)
	}
	if len(pushed) != 0 {
		t.Errorf("%d more pushes", len(pushed))
	}
}

func TestPushHeadersAreChecked(t *testing.T) {
	o := withBlackhole(options(newWorld(t), ruleFile(t, oneAlert)))
	o.Metrics = MetricsOptions{PushURLs: []string{"http://127.0.0.1:1"}, PushInterval: time.Hour, PushHeaders: []string{"s3cret"}}
	if err := startError(t, o); !strings.HasPrefix(err, "-pushmetrics: ") || strings.Contains(err, "s3cret") {
		t.Errorf("got %s", err)
	}
}

func readAll(t *testing.T, r io.Reader) string {
	t.Helper()
	text, err := io.ReadAll(r)
	if err != nil {
		t.Error(err)
	}
	return string(text)
}
