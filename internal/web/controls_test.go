package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

func reloadFine(context.Context) error { return nil }

func planNothing(context.Context) (Plan, error) { return Plan{}, nil }

func countReloads(n *int) func(context.Context) error {
	return func(context.Context) error { *n++; return nil }
}

func TestProbes(t *testing.T) {
	s := demoServer()
	for path, want := range map[string]struct {
		status int
		body   string
	}{
		"/health":            {200, "OK"},
		"/-/healthy":         {200, "tocsin is healthy.\n"},
		"/-/ready":           {200, "tocsin is ready.\n"},
		"/ping":              {204, ""},
		"/ping?verbose=true": {200, ""},
		"/robots.txt":        {200, "User-agent: *\nDisallow: /\n"},
	} {
		resp, body := get(t, s, path)
		if resp.StatusCode != want.status || body != want.body {
			t.Errorf("%s: %d %q, want %d %q", path, resp.StatusCode, body, want.status, want.body)
		}
	}
}

func TestReadyTellsWhyNot(t *testing.T) {
	var reason error = errors.New("rules are not loaded yet")
	s := New(Options{Control: Control{Ready: func() error { return reason }}})
	resp, body := get(t, s, "/-/ready")
	if resp.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, "rules are not loaded yet") {
		t.Errorf("%d %q", resp.StatusCode, body)
	}
	if resp, _ := get(t, s, "/health"); resp.StatusCode != http.StatusOK {
		t.Errorf("/health: %d; a process that loads is alive", resp.StatusCode)
	}
	reason = nil
	if resp, _ := get(t, s, "/-/ready"); resp.StatusCode != http.StatusOK {
		t.Errorf("once loaded: %d", resp.StatusCode)
	}
}

func TestDrainTurnsProbesAwayAndServesTheRest(t *testing.T) {
	s := demoServer()
	s.Drain()
	for path, want := range map[string]int{"/health": 503, "/-/ready": 503, "/-/healthy": 200, "/api/v1/rules": 200} {
		if resp, _ := get(t, s, path); resp.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, resp.StatusCode, want)
		}
	}
}

func TestReloadAnswersToAnyMethodAfterTheReload(t *testing.T) {
	reloaded := 0
	s := New(Options{Control: Control{Reload: countReloads(&reloaded)}})
	for i, method := range []string{"GET", "POST", "PUT", "HEAD"} {
		resp, body := send(t, s, httptest.NewRequest(method, "/-/reload", nil))
		if resp.StatusCode != http.StatusOK || body != "" || reloaded != i+1 {
			t.Errorf("%s: %d %q after %d reloads", method, resp.StatusCode, body, reloaded)
		}
	}
}

func TestFailedReloadTellsEveryProblemOnItsLine(t *testing.T) {
	s := New(Options{Control: Control{Reload: func(context.Context) error {
		return errors.Join(errors.New("a.yml:3: bad expr"), errors.New("b.yml:9: no name"))
	}}})
	resp, body := get(t, s, "/-/reload")
	if resp.StatusCode != http.StatusInternalServerError || body != "a.yml:3: bad expr\nb.yml:9: no name\n" {
		t.Errorf("%d %q", resp.StatusCode, body)
	}
}

func TestReloadIsCompletedThoughTheClientLeft(t *testing.T) {
	var got error
	s := New(Options{Control: Control{Reload: func(ctx context.Context) error { got = ctx.Err(); return nil }}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	send(t, s, httptest.NewRequest("POST", "/-/reload", nil).WithContext(ctx))
	if got != nil {
		t.Errorf("the reload was told to stop: %s", got)
	}
}

func TestMetricsAreWritten(t *testing.T) {
	s := New(Options{Control: Control{WriteMetrics: func(w io.Writer) { _, _ = io.WriteString(w, "a 1\n") }}})
	resp, body := get(t, s, "/metrics")
	if body != "a 1\n" || resp.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("%q %v", body, resp.Header)
	}
}

func TestCommandLineOfProfilesIsMadeOfFlagsNotOfArguments(t *testing.T) {
	s := New(Options{Flags: []Flag{{"datasource.url", "secret", true}, {"rule", "x", false}}})
	if got, want := getOK(t, s, "/debug/pprof/cmdline"), os.Args[0]+"\x00-datasource.url=secret"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestProfilesAreServed(t *testing.T) {
	s := New(Options{PathPrefix: "/x"})
	if got := getOK(t, s, "/x/debug/pprof/goroutine?debug=1"); !strings.Contains(got, "goroutine profile:") {
		t.Errorf("got %.80q", got)
	}
	if got := getOK(t, s, "/x/debug/pprof/"); !strings.Contains(got, "heap") {
		t.Errorf("index: %.80q", got)
	}
}
