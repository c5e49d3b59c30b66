package datasource

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"unsafe"
)

// numeric reports whether c can be part of a JSON number.
func numeric(c byte) bool {
	return c >= '0' && c <= '9' || c == '.' || c == '-' || c == '+' || c == 'e' || c == 'E'
}

// validNumber reports whether b is a number as JSON writes them.
func validNumber(b []byte) bool {
	if len(b) > 0 && b[0] == '-' {
		b = b[1:]
	}
	whole := digits(b)
	if whole == 0 || whole > 1 && b[0] == '0' {
		return false
	}
	b = b[whole:]
	if len(b) > 0 && b[0] == '.' {
		n := digits(b[1:])
		if n == 0 {
			return false
		}
		b = b[1+n:]
	}
	if len(b) > 0 && b[0]|0x20 == 'e' {
		b = b[1:]
		if len(b) > 0 && (b[0] == '+' || b[0] == '-') {
			b = b[1:]
		}
		n := digits(b)
		if n == 0 {
			return false
		}
		b = b[n:]
	}
	return len(b) == 0
}

// digits returns how many digits b starts with.
func digits(b []byte) int {
	n := 0
	for n < len(b) && b[n] >= '0' && b[n] <= '9' {
		n++
	}
	return n
}

var errTimestamp = errors.New("timestamp is out of range")

// parseMillis turns seconds since the epoch, written as a JSON number, into
// milliseconds, rounding halves away from zero.
func parseMillis(b []byte) (int64, error) {
	if !validNumber(b) {
		return 0, fmt.Errorf("timestamp %q is not a number", clip(b))
	}
	if ms, ok := plainMillis(b); ok {
		return ms, nil
	}
	f, err := strconv.ParseFloat(string(b), 64)
	if err != nil || math.Abs(f) >= math.MaxInt64/1000 {
		return 0, fmt.Errorf("%w: %q", errTimestamp, clip(b))
	}
	return int64(math.Round(f * 1000)), nil
}

// plainMillis is parseMillis, exactly, for a valid number without an exponent
// and of at most 15 digits before the point.
func plainMillis(b []byte) (int64, bool) {
	negative := b[0] == '-'
	if negative {
		b = b[1:]
	}
	whole := digits(b)
	if whole > 15 {
		return 0, false
	}
	var ms int64
	for _, c := range b[:whole] {
		ms = ms*10 + int64(c-'0')
	}
	ms *= 1000
	if b = b[whole:]; len(b) > 0 {
		if b[0] != '.' {
			return 0, false
		}
		b = b[1:]
		n := digits(b)
		if n != len(b) {
			return 0, false
		}
		for i, unit := 0, int64(100); i < n && i < 3; i, unit = i+1, unit/10 {
			ms += int64(b[i]-'0') * unit
		}
		if n > 3 && b[3] >= '5' {
			ms++
		}
	}
	if negative {
		ms = -ms
	}
	return ms, true
}

// parseValue reads a sample value: a number, NaN, or Inf with a sign or without.
func parseValue(b []byte) (float64, error) {
	v, err := strconv.ParseFloat(unsafeString(b), 64)
	if err != nil {
		return 0, fmt.Errorf("value %q is not a number", clip(b))
	}
	return v, nil
}

// unsafeString returns b as a string without copying. It may be used only until
// b changes.
func unsafeString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// clip shortens b for an error message.
func clip(b []byte) []byte { return b[:min(len(b), 64)] }
