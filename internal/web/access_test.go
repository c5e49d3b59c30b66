package web

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/VictoriaMetrics/metrics"
)

// paths of each sort of access, with what a request with everything right gets.
var (
	openPaths  = map[string]int{"/health": 200, "/-/healthy": 200, "/-/ready": 200, "/ping": 204, "/robots.txt": 200, "/favicon.ico": 200, "/vmalert/favicon.ico": 200, "/vmalert/static/style.css": 200}
	basicPaths = map[string]int{
		"/": 200, "/vmalert": 200, "/vmalert/": 200, "/vmalert/home": 200, "/vmalert/groups": 200, "/vmalert/alerts": 200,
		"/vmalert/notifiers": 200, "/rules": 200, "/alerts": 200, "/notifiers": 200,
		"/api/v1/rules": 200, "/vmalert/api/v1/rules": 200, "/api/v1/alerts": 200, "/vmalert/api/v1/alerts": 200,
		"/api/v1/notifiers": 200, "/vmalert/api/v1/notifiers": 200, "/api/v1/status/buildinfo": 200,
		"/api/v1/status/reloads": 200, "/vmalert/api/v1/status/reloads": 200,
		"/api/v1/group": 400, "/api/v1/rule": 400, "/api/v1/alert": 400, "/nosuch": 400,
	}
	keyPaths = map[string]string{
		"/-/reload": "reload", "/-/reload/plan": "reload", "/metrics": "metrics", "/flags": "flags", "/api/v1/status/flags": "flags",
		"/debug/pprof/": "pprof", "/debug/pprof/cmdline": "pprof", "/debug/pprof/goroutine": "pprof",
	}
)

func guarded(a Auth) *Server {
	o := Options{State: demoState(demo()...), Auth: a, Control: Control{Reload: reloadFine, Plan: planNothing}}
	return New(o)
}

// ask sends a request with the given user and authKey and returns its status.
func ask(t *testing.T, s http.Handler, method, path, user, password, key string) int {
	t.Helper()
	if key != "" {
		path += "?authKey=" + url.QueryEscape(key)
	}
	r := httptest.NewRequest(method, path, nil)
	if user != "" {
		r.SetBasicAuth(user, password)
	}
	resp, _ := send(t, s, r)
	return resp.StatusCode
}

func TestWithoutAuthEverythingIsOpen(t *testing.T) {
	s := guarded(Auth{Password: "alone it means nothing"})
	for _, paths := range []map[string]int{openPaths, basicPaths} {
		for path, want := range paths {
			if got := ask(t, s, "GET", path, "", "", ""); got != want {
				t.Errorf("%s: %d, want %d", path, got, want)
			}
		}
	}
	for path := range keyPaths {
		if got := ask(t, s, "GET", path, "", "", ""); got != 200 {
			t.Errorf("%s: %d", path, got)
		}
	}
}

func TestBasicAuthGuardsEverythingButProbes(t *testing.T) {
	s := guarded(Auth{Username: "ann", Password: "pw"})
	for path, want := range openPaths {
		if got := ask(t, s, "GET", path, "", "", ""); got != want {
			t.Errorf("%s without auth: %d, want %d", path, got, want)
		}
	}
	guardedPaths := map[string]int{}
	for path, want := range basicPaths {
		guardedPaths[path] = want
	}
	for path := range keyPaths {
		guardedPaths[path] = 200
	}
	for path, want := range guardedPaths {
		if got := ask(t, s, "GET", path, "ann", "pw", ""); got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
		for _, wrong := range [][2]string{{"", ""}, {"ann", "PW"}, {"ann", ""}, {"bob", "pw"}, {"annp", "w"}} {
			for _, method := range []string{"GET", "POST", "HEAD", "OPTIONS", "DELETE"} {
				if got := ask(t, s, method, path, wrong[0], wrong[1], "pw"); got != 401 {
					t.Errorf("%s %s as %q: %d, want 401", method, path, wrong, got)
				}
			}
		}
	}
}

func TestBasicAuthIsAskedForSoThatBrowsersAsk(t *testing.T) {
	resp, _ := get(t, guarded(Auth{Username: "ann", Password: "pw"}), "/vmalert/groups")
	if got := resp.Header.Get("WWW-Authenticate"); !strings.HasPrefix(got, "Basic realm=") {
		t.Errorf("WWW-Authenticate %q", got)
	}
}

func TestAuthKeyReplacesBasicAuth(t *testing.T) {
	s := guarded(Auth{
		Username: "ann", Password: "pw",
		ReloadKey: "k-reload", MetricsKey: "k-metrics", FlagsKey: "k-flags", PprofKey: "k-pprof",
	})
	for path, sort := range keyPaths {
		if got := ask(t, s, "GET", path, "", "", "k-"+sort); got != 200 {
			t.Errorf("%s with its key: %d", path, got)
		}
		for _, wrong := range []string{"", "k", "k-other", "k-" + sort + "x"} {
			for _, method := range []string{"GET", "POST", "OPTIONS"} {
				if got := ask(t, s, method, path, "ann", "pw", wrong); got != 401 {
					t.Errorf("%s %s with key %q and the password: %d, want 401", method, path, wrong, got)
				}
			}
		}
	}
	if got := ask(t, s, "GET", "/api/v1/rules", "", "", "k-flags"); got != 401 {
		t.Errorf("a key opens the API: %d", got)
	}
}

func TestAuthKeyMayBePosted(t *testing.T) {
	s := guarded(Auth{ReloadKey: "k"})
	if resp, body := post(t, s, "/-/reload", url.Values{"authKey": {"k"}}); resp.StatusCode != 200 {
		t.Errorf("status %d: %s", resp.StatusCode, body)
	}
}

func TestRefusedKeyIsNotRepeated(t *testing.T) {
	_, body := get(t, guarded(Auth{ReloadKey: "right"}), "/-/reload?authKey=guess")
	if strings.Contains(body, "right") || strings.Contains(body, "guess") || !strings.Contains(body, "-reloadAuthKey") {
		t.Errorf("got %q", body)
	}
}

func TestRefusedRequestReloadsNothing(t *testing.T) {
	reloaded := 0
	s := New(Options{Auth: Auth{ReloadKey: "k"}, Control: Control{Reload: countReloads(&reloaded)}})
	ask(t, s, "POST", "/-/reload", "", "", "wrong")
	ask(t, s, "OPTIONS", "/-/reload", "", "", "k")
	if reloaded != 0 {
		t.Errorf("reloaded %d times", reloaded)
	}
}

func TestRequestsAreCounted(t *testing.T) {
	set := metrics.NewSet()
	s := New(Options{Metrics: set, Auth: Auth{Username: "ann", Password: "pw", FlagsKey: "k"}, Control: Control{WriteMetrics: func(io.Writer) {}}})
	for _, r := range []struct{ path, password, key string }{
		{"/api/v1/rules", "pw", ""}, {"/vmalert/api/v1/rules", "pw", ""}, {"/api/v1/rules?type=x", "pw", ""},
		{"/nosuch", "pw", ""}, {"/api/v1/alerts", "no", ""}, {"/flags", "", "no"}, {"/health", "", ""},
	} {
		ask(t, s, "GET", r.path, "ann", r.password, r.key)
	}
	var b strings.Builder
	set.WritePrometheus(&b)
	for name, want := range map[string]int{
		`vm_http_requests_all_total`:                                                  7,
		`vm_http_requests_total{path="/api/v1/rules"}`:                                3,
		`vm_http_requests_total{path="/api/v1/alerts"}`:                               1,
		`vm_http_requests_total{path="/health"}`:                                      1,
		`vm_http_request_errors_total{path="*",reason="unsupported"}`:                 1,
		`vm_http_request_errors_total{path="*",reason="wrong_basic_auth"}`:            1,
		`vm_http_request_errors_total{path="*",reason="wrong_auth_key"}`:              1,
		`vm_http_request_errors_total{path="/api/v1/rules",reason="bad_request"}`:     1,
		`vm_http_request_errors_total{path="/api/v1/notifiers",reason="bad_request"}`: 0,
	} {
		if line := fmt.Sprintf("%s %d\n", name, want); !strings.Contains(b.String(), line) {
			t.Errorf("no %s in\n%s", line, b.String())
		}
	}
}
