package main

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// errNoDuration says how durations are written.
var errNoDuration = errors.New("not a duration; write for example 30s, 5m, 1h30m or 1d")

// durationUnits are the units of a duration by their names.
var durationUnits = map[string]time.Duration{
	"ns": time.Nanosecond,
	"us": time.Microsecond,
	"µs": time.Microsecond,
	"ms": time.Millisecond,
	"s":  time.Second,
	"m":  time.Minute,
	"h":  time.Hour,
	"d":  24 * time.Hour,
	"w":  7 * 24 * time.Hour,
	"y":  365 * 24 * time.Hour,
}

// parseDuration reads what time.ParseDuration reads and, beyond it, days, weeks
// and years of 365 days. A bare number other than 0 is refused, because it
// could mean seconds as well as minutes.
func parseDuration(s string) (time.Duration, error) {
	if d, err := time.ParseDuration(s); err == nil {
		return d, nil
	}
	rest, negative := strings.CutPrefix(s, "-")
	if rest == "" {
		return 0, errNoDuration
	}
	var sum float64
	for rest != "" {
		part, tail, err := leadingDuration(rest)
		if err != nil {
			return 0, err
		}
		sum += part
		rest = tail
	}
	if sum >= math.MaxInt64 {
		return 0, errors.New("the duration is too long")
	}
	if negative {
		sum = -sum
	}
	return time.Duration(sum), nil
}

// leadingDuration reads one number with its unit, in nanoseconds, and returns
// what follows it.
func leadingDuration(s string) (nanoseconds float64, rest string, err error) {
	isNumber := func(r rune) bool { return r >= '0' && r <= '9' || r == '.' }
	unitAt := strings.IndexFunc(s, func(r rune) bool { return !isNumber(r) })
	if unitAt < 0 {
		return 0, "", fmt.Errorf("the number %s has no unit; write for example %ss or %sm", s, s, s)
	}
	number, err := strconv.ParseFloat(s[:unitAt], 64)
	if err != nil {
		return 0, "", errNoDuration
	}
	s = s[unitAt:]
	end := strings.IndexFunc(s, isNumber)
	if end < 0 {
		end = len(s)
	}
	unit, ok := durationUnits[s[:end]]
	if !ok {
		return 0, "", errNoDuration
	}
	return number * float64(unit), s[end:], nil
}

// sizeUnits are the suffixes of a size in lower case. Longer suffixes come first
// as "b" ends all of them.
var sizeUnits = []struct {
	suffix string
	bytes  float64
}{
	{"kib", 1 << 10}, {"mib", 1 << 20}, {"gib", 1 << 30}, {"tib", 1 << 40},
	{"kb", 1e3}, {"mb", 1e6}, {"gb", 1e9}, {"tb", 1e12},
	{"b", 1}, {"", 1},
}

// parseSize reads a number of bytes: 4096, 64KB (thousands) or 32MiB (powers of
// two), in upper or lower case.
func parseSize(s string) (int64, error) {
	for _, unit := range sizeUnits {
		number, ok := strings.CutSuffix(strings.ToLower(s), unit.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(number, 64)
		if err != nil || !(n*unit.bytes > -math.MaxInt64 && n*unit.bytes < math.MaxInt64) {
			break
		}
		return int64(n * unit.bytes), nil
	}
	return 0, errors.New("not a size; write for example 4096, 64KB or 32MiB")
}

// formatSize writes a size with the largest power-of-two unit that divides it.
func formatSize(n int64) string {
	units := []string{"", "KiB", "MiB", "GiB", "TiB"}
	u := 0
	for n != 0 && n%1024 == 0 && u < len(units)-1 {
		n /= 1024
		u++
	}
	return strconv.FormatInt(n, 10) + units[u]
}
