package web

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/config"
	"tocsin/internal/jsontext"
	"tocsin/rules"
)

// The functions of this file append JSON values in the form that encoding/json
// gives them, without reflection and without allocating.

// appendID appends a number as a string, for readers whose numbers are floats.
func appendID(dst []byte, id uint64) []byte {
	dst = append(dst, '"')
	dst = strconv.AppendUint(dst, id, 10)
	return append(dst, '"')
}

// appendValue appends a sample value as a string, which NaN and Inf need anyway.
func appendValue(dst []byte, v float64) []byte {
	dst = append(dst, '"')
	dst = strconv.AppendFloat(dst, v, 'f', -1, 64)
	return append(dst, '"')
}

// appendSeconds appends d as a number of seconds.
func appendSeconds(dst []byte, d time.Duration) []byte {
	if d%time.Second == 0 {
		return strconv.AppendInt(dst, int64(d/time.Second), 10)
	}
	v := d.Seconds()
	if math.Abs(v) >= 1e-6 {
		return strconv.AppendFloat(dst, v, 'f', -1, 64)
	}
	dst = strconv.AppendFloat(dst, v, 'e', -1, 64)
	if n := len(dst); dst[n-2] == '0' { // e-09 is written e-9
		dst[n-2] = dst[n-1]
		dst = dst[:n-1]
	}
	return dst
}

// appendTime appends t in RFC 3339; unset is the year 1.
func appendTime(dst []byte, t rules.Instant) []byte {
	dst = append(dst, '"')
	dst = t.Time().AppendFormat(dst, time.RFC3339Nano)
	return append(dst, '"')
}

// appendPairs appends pairs as an object.
func appendPairs(dst []byte, pairs []config.Pair) []byte {
	dst = append(dst, '{')
	for i, p := range pairs {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(jsontext.AppendString(dst, p.Name), ':')
		dst = jsontext.AppendString(dst, p.Value)
	}
	return append(dst, '}')
}

// sortedPairs returns the entries of m sorted by name.
func sortedPairs(m map[string]string) []config.Pair {
	pairs := make([]config.Pair, 0, len(m))
	for _, name := range slices.Sorted(maps.Keys(m)) {
		pairs = append(pairs, config.Pair{Name: name, Value: m[name]})
	}
	return pairs
}

// appendLabels appends l as an object.
func appendLabels(dst []byte, l labels.Labels) []byte {
	dst = append(dst, '{')
	first := true
	l.Range(func(l labels.Label) {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(jsontext.AppendString(dst, l.Name), ':')
		dst = jsontext.AppendString(dst, l.Value)
	})
	return append(dst, '}')
}

// appendStrings appends list as an array.
func appendStrings(dst []byte, list []string) []byte {
	dst = append(dst, '[')
	for i, s := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = jsontext.AppendString(dst, s)
	}
	return append(dst, ']')
}
