package template

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/VictoriaMetrics/metricsql"
)

// toNumber accepts what templates may pass for a number.
func toNumber(v any) (float64, error) {
	switch n := v.(type) {
	case float64:
		return n, nil
	case string:
		return strconv.ParseFloat(n, 64)
	case int:
		return float64(n), nil
	case int64:
		return float64(n), nil
	case int32:
		return float64(n), nil
	case uint64:
		return float64(n), nil
	case uint32:
		return float64(n), nil
	case uint:
		return float64(n), nil
	case float32:
		return float64(n), nil
	case time.Duration:
		return n.Seconds(), nil
	}
	return 0, fmt.Errorf("%T is not a number", v)
}

func isFinite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// appendShort appends v with four significant digits.
func appendShort(dst []byte, v float64) []byte { return strconv.AppendFloat(dst, v, 'g', 4, 64) }

const (
	largePrefixes = "kMGTPEZY"
	smallPrefixes = "munpfazy"
)

// scaleDown divides v by base as often as there are prefixes for it, and
// returns the last prefix used or "".
func scaleDown(v, base float64) (float64, string) {
	prefix := ""
	for i := 0; i < len(largePrefixes) && math.Abs(v) >= base; i++ {
		prefix = largePrefixes[i : i+1]
		v /= base
	}
	return v, prefix
}

// scaleUp multiplies v, which is not 0, until it is 1 or more.
func scaleUp(v float64) (float64, string) {
	prefix := ""
	for i := 0; i < len(smallPrefixes) && math.Abs(v) < 1; i++ {
		prefix = smallPrefixes[i : i+1]
		v *= 1000
	}
	return v, prefix
}

func appendHumanized(dst []byte, v float64) ([]byte, error) {
	prefix := ""
	switch {
	case v == 0 || !isFinite(v):
	case math.Abs(v) >= 1:
		v, prefix = scaleDown(v, 1000)
	default:
		v, prefix = scaleUp(v)
	}
	return append(appendShort(dst, v), prefix...), nil
}

func appendHumanized1024(dst []byte, v float64) ([]byte, error) {
	if math.Abs(v) <= 1 || !isFinite(v) {
		return appendShort(dst, v), nil
	}
	v, prefix := scaleDown(v, 1024)
	dst = append(appendShort(dst, v), prefix...)
	if prefix != "" {
		dst = append(dst, 'i')
	}
	return dst, nil
}

func appendHumanizedPercentage(dst []byte, v float64) ([]byte, error) {
	return append(appendShort(dst, v*100), '%'), nil
}

// appendHumanizedDuration appends v seconds. The seconds are whole from one
// minute on.
func appendHumanizedDuration(dst []byte, v float64) ([]byte, error) {
	switch abs := math.Abs(v); {
	case !isFinite(v):
		return appendShort(dst, v), nil
	case v == 0 || abs >= 1 && abs < 60 || abs >= math.MaxInt64:
		return append(appendShort(dst, v), 's'), nil
	case abs < 1:
		v, prefix := scaleUp(v)
		dst = append(appendShort(dst, v), prefix...)
		return append(dst, 's'), nil
	}
	if v < 0 {
		dst = append(dst, '-')
	}
	return appendWholeDuration(dst, int64(math.Abs(v))), nil
}

// appendWholeDuration appends seconds, which are 60 or more.
func appendWholeDuration(dst []byte, seconds int64) []byte {
	units := [...]struct {
		amount int64
		unit   string
	}{
		{seconds / 86400, "d "},
		{seconds / 3600 % 24, "h "},
		{seconds / 60 % 60, "m "},
		{seconds % 60, "s"},
	}
	first := 0
	for units[first].amount == 0 {
		first++
	}
	for _, u := range units[first:] {
		dst = strconv.AppendInt(dst, u.amount, 10)
		dst = append(dst, u.unit...)
	}
	return dst
}

const timeLayout = "2006-01-02 15:04:05.999999999 -0700 MST"

func appendHumanizedTimestamp(dst []byte, v float64) ([]byte, error) {
	if !isFinite(v) {
		return appendShort(dst, v), nil
	}
	t, err := secondsToTime(v)
	if err != nil {
		return dst, err
	}
	return t.AppendFormat(dst, timeLayout), nil
}

// secondsToTime returns the time v seconds after the Unix epoch, cut to
// milliseconds.
func secondsToTime(v float64) (time.Time, error) {
	if ms := v * 1e3; ms > math.MinInt64 && ms < math.MaxInt64 {
		return time.UnixMilli(int64(ms)).UTC(), nil
	}
	return time.Time{}, fmt.Errorf("%v seconds are not a time", v)
}

func toTime(v any) (time.Time, error) {
	n, err := toNumber(v)
	if err != nil {
		return time.Time{}, err
	}
	return secondsToTime(n)
}

// formatTime writes a time, given as such or as seconds since the Unix epoch,
// by a layout of package time.
func formatTime(layout string, v any) (string, error) {
	t, ok := v.(time.Time)
	if !ok {
		var err error
		if t, err = toTime(v); err != nil {
			return "", err
		}
	}
	return t.Format(layout), nil
}

// toDuration returns the duration of v seconds.
func toDuration(v any) (time.Duration, error) {
	n, err := toNumber(v)
	if err != nil {
		return 0, err
	}
	if ns := n * 1e9; ns > math.MinInt64 && ns < math.MaxInt64 {
		return time.Duration(ns), nil
	}
	return 0, fmt.Errorf("%v seconds are not a duration", n)
}

// parseDuration reads a duration as rule files write them.
func parseDuration(s string) (time.Duration, error) {
	ms, err := metricsql.DurationValue(s, 0)
	if err != nil {
		return 0, err
	}
	const limit = math.MaxInt64 / int64(time.Millisecond)
	if ms > limit || ms < -limit {
		return 0, fmt.Errorf("duration %q is too long", s)
	}
	return time.Duration(ms) * time.Millisecond, nil
}

func parseSeconds(s string) (float64, error) {
	d, err := parseDuration(s)
	return d.Seconds(), err
}
