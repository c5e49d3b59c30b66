package httpx

import (
	"net/http"
	"testing"
	"time"
)

func TestRetryAfter(t *testing.T) {
	const most = 5 * time.Minute
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"": 0, "0": 0, "-7": 0, "1.5": 0, "soon": 0, "99999999999999999999999": 0,
		"7": 7 * time.Second, " 7 ": 7 * time.Second, "299": 299 * time.Second,
		"300": most, "86400": most, "9223372036854775807": most, "18446744073709551615": most,
		"Sun, 22 Nov 2026 12:00:30 GMT":              30 * time.Second,
		"Sun, 22 Nov 2026 11:00:00 GMT":              0,
		"Sun, 22 Nov 2099 11:00:00 GMT":              most,
		now.Add(time.Minute).Format(http.TimeFormat): time.Minute,
	} {
		if got := RetryAfter(header, now, most); got != want {
			t.Errorf("Retry-After %q is %s, want %s", header, got, want)
		}
	}
}

func TestRetryAfterWithinAFractionOfASecond(t *testing.T) {
	const most = 500 * time.Millisecond
	for header, want := range map[string]time.Duration{"0": 0, "1": most} {
		if got := RetryAfter(header, time.Time{}, most); got != want {
			t.Errorf("Retry-After %q is %s, want %s", header, got, want)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	f.Add("120", int64(time.Minute))
	f.Add("Sun, 22 Nov 2026 12:00:30 GMT", int64(time.Second))
	f.Fuzz(func(t *testing.T, header string, most int64) {
		most = max(most, -(most + 1))
		if d := RetryAfter(header, time.Unix(0, 0), time.Duration(most)); d < 0 || d > time.Duration(most) {
			t.Errorf("Retry-After %q is %s", header, d)
		}
	})
}
