package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestUnknownPathIsNamedInTheAnswer(t *testing.T) {
	for path, shown := range map[string]string{
		"/nosuch": `"/nosuch"`, "/ready": `"/ready"`, "/vmalert/nosuch": `"/vmalert/nosuch"`,
		"/api/v1/query": `"/api/v1/query"`, "/a%22b": `"/a\"b"`,
	} {
		resp, body := get(t, demoServer(), path)
		if resp.StatusCode != http.StatusBadRequest || body != "unsupported path requested: "+shown+"\n" {
			t.Errorf("%s: %d %q", path, resp.StatusCode, body)
		}
	}
}

func TestDoubledSlashesAreOne(t *testing.T) {
	if resp, body := get(t, demoServer(), "//vmalert//api/v1/rules"); resp.StatusCode != http.StatusOK {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
}

func TestPathPrefix(t *testing.T) {
	for _, prefix := range []string{"foo", "/foo", "/foo/", "foo/"} {
		s := New(Options{State: demoState(demo()...), PathPrefix: prefix})
		for path, want := range map[string]int{
			"/foo/api/v1/rules": 200, "/foo/vmalert/groups": 200, "/foo/": 200, "/foo/health": 200, "/foo/metrics": 200,
			"/foo/vmalert/static/style.css": 200, "/foo/nosuch": 400,
			"/foo": 302, "/": 400, "/api/v1/rules": 400, "/foobar/api/v1/rules": 400,
		} {
			if resp, _ := get(t, s, path); resp.StatusCode != want {
				t.Errorf("prefix %s: %s: %d, want %d", prefix, path, resp.StatusCode, want)
			}
		}
		if resp, _ := get(t, s, "/foo?x=1"); resp.Header.Get("Location") != "/foo/" {
			t.Errorf("prefix %s: redirected to %q", prefix, resp.Header.Get("Location"))
		}
		if _, body := get(t, s, "/bar"); !strings.Contains(body, `missing -http.pathPrefix="/foo/" in the requested path "/bar"`) {
			t.Errorf("prefix %s: %q", prefix, body)
		}
	}
}

func TestRequestIsNotChangedForOthers(t *testing.T) {
	r := httptest.NewRequest("GET", "/foo/api/v1/rules", nil)
	send(t, New(Options{PathPrefix: "foo"}), r)
	if r.URL.Path != "/foo/api/v1/rules" {
		t.Errorf("the path became %s", r.URL.Path)
	}
}

func TestOverviewIsOnlyRead(t *testing.T) {
	for _, path := range []string{"/", "/vmalert", "/vmalert/"} {
		resp, _ := send(t, demoServer(), httptest.NewRequest("POST", path, nil))
		if resp.StatusCode != http.StatusMethodNotAllowed || resp.Header.Get("Allow") != "GET, HEAD, OPTIONS" {
			t.Errorf("POST %s: %d, Allow %q", path, resp.StatusCode, resp.Header.Get("Allow"))
		}
	}
}

func TestOtherPathsTakeAnyMethod(t *testing.T) {
	for _, method := range []string{"GET", "POST", "PUT", "HEAD"} {
		for _, path := range []string{"/api/v1/rules", "/vmalert/groups"} {
			if resp, _ := send(t, demoServer(), httptest.NewRequest(method, path, nil)); resp.StatusCode != http.StatusOK {
				t.Errorf("%s %s: %d", method, path, resp.StatusCode)
			}
		}
	}
}

func TestOptionsTellsWhatIsAllowed(t *testing.T) {
	resp, body := send(t, demoServer(), httptest.NewRequest("OPTIONS", "/api/v1/rules", nil))
	if resp.StatusCode != http.StatusNoContent || body != "" || resp.Header.Get("Allow") != "GET, HEAD, POST, OPTIONS" {
		t.Errorf("%d %q %v", resp.StatusCode, body, resp.Header)
	}
}
