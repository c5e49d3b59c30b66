package datasource

import (
	"io"
	"maps"
	"slices"
	"strconv"
	"time"

	"tocsin/rules"
)

// prometheus is the protocol of Prometheus' HTTP API. Its methods are for instant
// queries; pastQuery is for ranges.
type prometheus struct {
	at          *endpoint
	past        *endpoint // of range queries; nil if the URL's path is used as it is
	step        string    // fixed step; "" is the group's interval
	sendStep    bool
	roundDigits string // "" sends none
}

func newPrometheus(o *Options) (*prometheus, error) {
	path := "/api/v1/query"
	if o.AppendTypePrefix {
		path = "/prometheus" + path
	}
	if o.DisablePathAppend {
		path = ""
	}
	at, err := newEndpoint(o.URL, path, o.ShowURL)
	if err != nil {
		return nil, err
	}
	p := &prometheus{at: at, sendStep: !o.DisableStepParam}
	if path != "" {
		past, err := newEndpoint(o.URL, path+"_range", o.ShowURL)
		if err != nil {
			return nil, err
		}
		p.past = past.without("time")
	}
	if o.QueryStep > 0 {
		p.step = stepString(o.QueryStep)
	}
	if o.RoundDigits > 0 {
		p.roundDigits = strconv.Itoa(o.RoundDigits)
	}
	return p, nil
}

func (p *prometheus) endpoint() *endpoint { return p.at }

// arguments puts the group's params last; one named time, step or round_digits
// replaces ours. The expression cannot be replaced.
func (p *prometheus) arguments(dst []argument, q *rules.Query) []argument {
	dst = append(dst, argument{"query", q.Expr})
	dst = appendDefault(dst, q, "time", timeString(q.Time))
	if p.sendStep {
		step := p.step
		if step == "" && q.Interval > 0 {
			step = stepString(q.Interval)
		}
		dst = appendDefault(dst, q, "step", step)
	}
	return p.appendParams(dst, q, func(name string) bool { return name == "query" })
}

// appendParams appends what the flags and the group add to queries of any kind,
// less the group's params whose names are reserved.
func (p *prometheus) appendParams(dst []argument, q *rules.Query, reserved func(string) bool) []argument {
	dst = appendDefault(dst, q, "round_digits", p.roundDigits)
	if len(q.Params) == 0 {
		return dst
	}
	for _, name := range slices.Sorted(maps.Keys(q.Params)) {
		if reserved(name) {
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

func (p *prometheus) decode(r io.Reader, limit int64) (answer, error) {
	return decodePrometheus(r, limit)
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
