package datasource

import (
	"io"
	"strconv"

	"tocsin/config"
	"tocsin/rules"
)

// prometheus is the protocol of Prometheus' HTTP API. Its methods are for instant
// queries; pastQuery is for ranges.
type prometheus struct {
	at          *endpoint
	past        *endpoint // of range queries; nil if no path is appended to the URL
	step        string    // fixed step; "" is the group's interval
	sendStep    bool
	roundDigits string // "" sends none
}

func newPrometheus(o *Options) (*prometheus, error) {
	path := o.path(config.Prometheus)
	at, err := newEndpoint(o.URL, path, o.ShowURL)
	if err != nil {
		return nil, err
	}
	p := &prometheus{at: at, sendStep: !o.DisableStepParam}
	if !o.DisablePathAppend {
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
	return p.appendParams(dst, q, "query")
}

// appendParams appends what the flags and the group add to queries of any kind,
// less the group's params whose names are reserved.
func (p *prometheus) appendParams(dst []argument, q *rules.Query, reserved ...string) []argument {
	return appendParams(appendDefault(dst, q, "round_digits", p.roundDigits), q, reserved...)
}

func (p *prometheus) decode(r io.Reader, limit int64) (answer, error) {
	return decodePrometheus(r, limit)
}
