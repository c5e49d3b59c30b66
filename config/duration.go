package config

import (
	"errors"
	"math"
	"strings"
	"time"

	"github.com/VictoriaMetrics/metricsql"
)

var (
	errDuration = errors.New("not a duration")
	errTooLong  = errors.New("longer than 292 years")
)

// parseDuration reads a duration as rule files write it: a number of seconds, or
// numbers with the units ms, s, m, h, d, w and y in any order and with fractions,
// such as 1h30m and 1.5d. A leading minus negates the whole. Units below a
// millisecond are lost.
//
// M is no unit (elsewhere it is a million), nor is i (a step, which a duration of
// configuration does not have).
func parseDuration(text string) (time.Duration, error) {
	if strings.ContainsAny(text, "iI$_xX") {
		return 0, errDuration
	}
	ms, err := metricsql.DurationValue(text, 0)
	if err != nil {
		return 0, errDuration
	}
	if ms > math.MaxInt64/int64(time.Millisecond) || ms < math.MinInt64/int64(time.Millisecond) {
		return 0, errTooLong
	}
	return time.Duration(ms) * time.Millisecond, nil
}
