package world

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// maxSeconds bounds times and steps, so that they can be counted in nanoseconds.
const maxSeconds = 1 << 33

// ParseTime reads a time as queries have it: RFC 3339 or seconds since the Unix
// epoch.
func ParseTime(s string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return t, nil
	}
	seconds, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(seconds) || math.Abs(seconds) > maxSeconds {
		return time.Time{}, fmt.Errorf("time %q", s)
	}
	return time.UnixMilli(int64(math.Round(seconds * 1000))), nil
}

// ParseStep reads a step as queries have it: a duration such as 10s or 500ms, or
// seconds. It is more than zero.
func ParseStep(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil {
		var seconds float64
		if seconds, err = strconv.ParseFloat(s, 64); err == nil && math.Abs(seconds) < maxSeconds {
			d = time.Duration(seconds * float64(time.Second))
		}
	}
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("step %q", s)
	}
	return d, nil
}
