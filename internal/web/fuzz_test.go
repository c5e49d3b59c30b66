package web

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
)

// FuzzQuery asks the API and the pages with arbitrary queries: the answer is
// always 200, 400 or 404, and JSON where JSON was asked for.
func FuzzQuery(f *testing.F) {
	for _, query := range []string{
		"", "type=alert&state=firing,pending&search=x", "group_limit=1&page_num=2", "group_limit=1&group_next_token=ab",
		`match[]={a=~"b.*" or c!="d"}`, "group_id=3282191581672841545&alert_id=11145849433096643897&rule_id=5278699922878458567",
		"datasource_type=vlogs&extended_states=true&exclude_alerts=yes", "%zz", "a=b;c=d", "page_num=99999999999999999999",
	} {
		f.Add(query)
	}
	s := demoServer()
	f.Fuzz(func(t *testing.T, query string) {
		for _, path := range []string{"/api/v1/rules", "/api/v1/alerts", "/api/v1/alert", "/api/v1/rule", "/api/v1/group", "/vmalert/groups", "/vmalert/alerts", "/vmalert/alert", "/vmalert/rule"} {
			r := httptest.NewRequest(http.MethodGet, path, nil)
			r.URL.RawQuery = query
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			switch w.Code {
			case http.StatusOK, http.StatusBadRequest, http.StatusNotFound:
			default:
				t.Fatalf("%s?%s: %d", path, query, w.Code)
			}
			if w.Header().Get("Content-Type") == jsonType && !json.Valid(w.Body.Bytes()) {
				t.Fatalf("%s?%s: not JSON: %s", path, query, w.Body)
			}
		}
	})
}

// FuzzMarkup puts arbitrary text wherever a rule file, a series, an error or an
// Alertmanager may have some: no page runs it or is led astray by it.
func FuzzMarkup(f *testing.F) {
	for _, text := range []string{hostile, "javascript:alert(1)", "//x.example", `" onfocus="x" autofocus="`, "{{.}}", "https://x.example/\"><script>", "\x00\xff</title>", "--><!--"} {
		f.Add(text)
	}
	var shown string
	s := serverOf(&shown)
	f.Fuzz(func(t *testing.T, text string) {
		shown = text
		for _, target := range pagesAbout(text) {
			_, body := get(t, s, target)
			wantSafe(t, target, body)
		}
	})
}

// FuzzSelectors parses arbitrary selectors; those that parse match without
// failing.
func FuzzSelectors(f *testing.F) {
	for _, s := range []string{`{a="b"}`, `x{a=~"b|c",d!~"e"}`, `{a="b" or c="d"}`, "sum(x)", "{", `{"utf-8 name"="x"}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		list, err := parseSelectors([]string{text})
		if err == nil && len(list) == 0 {
			t.Fatalf("%q: no error and nothing to match", text)
		}
		list.matchPairs(pairs("a", "b", "c", "d"))
	})
}

// FuzzPath asks arbitrary paths.
func FuzzPath(f *testing.F) {
	for _, p := range []string{"/", "//", "/vmalert/static/../x", "/pre", "/pre/health", "/debug/pprof/heap", "\x00"} {
		f.Add(p)
	}
	s := New(Options{PathPrefix: "pre", State: demoState(demo()...), Auth: Auth{Username: "ann", Password: "pw"}})
	f.Fuzz(func(t *testing.T, path string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.URL.Path = path
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code == http.StatusOK && w.Header().Get("Content-Type") == jsonType {
			t.Fatalf("%q: the API answered without a password", path)
		}
	})
}
