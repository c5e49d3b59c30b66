package httpx

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestRedactURL(t *testing.T) {
	for raw, want := range map[string]string{
		"http://host:8428":                             "http://host:8428",
		"https://host/a%20b/c?x=1&y=2":                 "https://host/a%20b/c?x=xxxxx&y=xxxxx",
		"http://user:pass@host/path":                   "http://xxxxx@host/path",
		"http://user@host":                             "http://xxxxx@host",
		"http://host/?sometoken":                       "http://host/?xxxxx",
		"http://host/#frag":                            "http://host/",
		"http://host:se cret":                          "<invalid URL>",
		"mailto:me@example.org":                        "mailto:xxxxx",
		"http://host/insert/0/prometheus?extra_label=": "http://host/insert/0/prometheus?extra_label=xxxxx",
	} {
		if got := RedactURL(raw); got != want {
			t.Errorf("RedactURL(%q) = %q, want %q", raw, got, want)
		}
	}
}

func TestRedactErrorHidesURLAndKeepsCause(t *testing.T) {
	const raw = "http://user:hunter2@127.0.0.1:1/?token=hunter2&q=%22"
	req, err := http.NewRequest(http.MethodGet, raw, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = http.DefaultClient.Do(req.WithContext(ctx))
	for _, err := range []error{err, fmt.Errorf("query: %w", err)} {
		got := RedactError(err)
		if strings.Contains(got.Error(), "hunter2") || !strings.Contains(got.Error(), "127.0.0.1:1") {
			t.Errorf("RedactError = %v", got)
		}
		if !errors.Is(got, context.Canceled) {
			t.Errorf("%v lost its cause", got)
		}
	}
}

func TestRedactErrorOfUnparsableURL(t *testing.T) {
	_, err := url.Parse("http://host:" + strings.ToLower("HUNTER2") + "/")
	if !strings.Contains(err.Error(), "hunter2") {
		t.Fatalf("%v no longer needs redaction", err)
	}
	if got := RedactError(err); strings.Contains(got.Error(), "hunter2") {
		t.Errorf("RedactError = %v", got)
	}
}

func TestRedactErrorLeavesOthersAlone(t *testing.T) {
	err := errors.New("connection refused")
	if got := RedactError(err); got != err {
		t.Errorf("RedactError = %v, want it untouched", got)
	}
	if got := RedactError(nil); got != nil {
		t.Errorf("RedactError(nil) = %v", got)
	}
}

func TestRedactErrorIsStillATimeout(t *testing.T) {
	err := RedactError(&url.Error{Op: "Post", URL: "http://h/?a=b", Err: context.DeadlineExceeded})
	var timeout interface{ Timeout() bool }
	if !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("%v is not a timeout", err)
	}
}

func TestIsSensitiveName(t *testing.T) {
	for _, name := range []string{"Authorization", "proxy-authorization", "Cookie", "X-API-Key", "X-Vault-Token", "My-Auth", "X-Session-Id", "X-Amz-Signature", "db_password"} {
		if !IsSensitiveName(name) {
			t.Errorf("%s counts as harmless", name)
		}
	}
	for _, name := range []string{"Host", "Content-Type", "X-Scope-OrgID", "AccountID"} {
		if IsSensitiveName(name) {
			t.Errorf("%s counts as sensitive", name)
		}
	}
}

func TestParseURL(t *testing.T) {
	for _, raw := range []string{"http://host", "https://u:p@host:1/x?y=z", "http://[::1]:8428/"} {
		if _, err := ParseURL(raw); err != nil {
			t.Errorf("ParseURL(%q): %v", raw, err)
		}
	}
	for _, raw := range []string{"", "host:8428", "//host", "http://", "ftp://host", "http://host:hunter2", "http:///path", "http://:80/"} {
		_, err := ParseURL(raw)
		if err == nil {
			t.Errorf("ParseURL(%q) takes it", raw)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("ParseURL(%q) repeats it: %v", raw, err)
		}
	}
}

func FuzzRedactURL(f *testing.F) {
	f.Add("http://user:pass@host/path?a=b#c")
	f.Add("http://a@b@c/?&=;")
	f.Fuzz(func(t *testing.T, raw string) {
		u, err := url.Parse(raw)
		got := RedactURL(raw)
		if err != nil || u.User == nil {
			return
		}
		password, ok := u.User.Password()
		if ok && len(password) > 8 && !strings.Contains(u.Path, password) && !strings.Contains(u.Host, password) &&
			!strings.Contains(u.RawQuery, password) && strings.Contains(got, password) {
			t.Errorf("RedactURL(%q) = %q", raw, got)
		}
	})
}
