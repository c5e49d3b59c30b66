package remotewrite

import (
	"net/http"
	"testing"
	"time"
)

func TestBackoffDoublesToItsCap(t *testing.T) {
	for n, base := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 3: 4 * time.Second, 5: maxBackoff, 1000: maxBackoff} {
		for range 20 {
			if got := backoff(time.Second, n); got < base || got > base+base/4 {
				t.Errorf("retry %d after %s, want %s to a quarter more", n, got, base)
			}
		}
	}
	if got := backoff(time.Minute, 3); got < time.Minute {
		t.Errorf("a first pause above the cap became %s", got)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, " 7 ": 7 * time.Second, "0": 0, "-3": 0, "soon": 0, "1.5": 0,
		"86400": maxRetryAfter, "9223372036854775807": maxRetryAfter,
		now.Add(20 * time.Second).Format(http.TimeFormat): 20 * time.Second,
		now.Add(-time.Hour).Format(http.TimeFormat):       0,
		now.Add(time.Hour).Format(http.TimeFormat):        maxRetryAfter,
	} {
		if got := retryAfter(header, now); got != want {
			t.Errorf("Retry-After %q is %s, want %s", header, got, want)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	f.Add("120")
	f.Add("Fri, 02 Jan 2026 03:04:05 GMT")
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	f.Fuzz(func(t *testing.T, header string) {
		if d := retryAfter(header, now); d < 0 || d > maxRetryAfter {
			t.Errorf("Retry-After %q is %s", header, d)
		}
	})
}
