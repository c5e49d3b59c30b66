package datasource

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"tocsin/rules"
)

// appendParams appends the group's params, by name, less those whose names are
// reserved.
func appendParams(dst []argument, q *rules.Query, reserved ...string) []argument {
	if len(q.Params) == 0 {
		return dst
	}
	for _, name := range slices.Sorted(maps.Keys(q.Params)) {
		if slices.Contains(reserved, name) {
			continue
		}
		for _, value := range q.Params[name] {
			dst = append(dst, argument{name, value})
		}
	}
	return dst
}

// appendDefault appends an argument unless it is empty or the group has its own.
func appendDefault(dst []argument, q *rules.Query, name, value string) []argument {
	if value == "" {
		return dst
	}
	if _, own := q.Params[name]; own {
		return dst
	}
	return append(dst, argument{name, value})
}

// timeString writes t as RFC 3339, with a fraction only if t has one.
func timeString(t time.Time) string {
	var buf [len(time.RFC3339Nano)]byte
	return string(t.UTC().AppendFormat(buf[:0], time.RFC3339Nano))
}

// stepString writes d in whole seconds where it is; otherwise in milliseconds,
// since Prometheus does not read "0.5s". A d below a millisecond is one.
func stepString(d time.Duration) string {
	if d%time.Second == 0 {
		return strconv.FormatInt(int64(d/time.Second), 10) + "s"
	}
	return strconv.FormatInt(max(d.Milliseconds(), 1), 10) + "ms"
}
