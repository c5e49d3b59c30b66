package datasource

import (
	"io"

	"tocsin/rules"
)

const (
	// usualRangeArguments is how many arguments a range query has without params, at most.
	usualRangeArguments = 6
	// compressSteps is the number of times from which answers are asked for compressed.
	compressSteps = 50
)

// pastQuery is the protocol of Prometheus' HTTP API for one range query.
type pastQuery struct {
	prometheus *prometheus
	times      grid
	step       string // as sent
	usual      string // the step of the group's instant queries
}

func (p *pastQuery) endpoint() *endpoint { return p.prometheus.past }

// arguments asks for nocache unless the group or the URL says something about
// it: VictoriaMetrics otherwise moves the times to multiples of the step and
// leaves out the newest. The group's params cannot replace the times, which here
// are not what the group is configured for but what is missing.
func (p *pastQuery) arguments(dst []argument, q *rules.Query) []argument {
	dst = append(dst,
		argument{"query", q.Expr},
		argument{"start", timeString(p.times.first())},
		argument{"end", timeString(p.times.last())},
		argument{"step", p.step},
	)
	if !named(p.endpoint().query, "nocache") {
		dst = appendDefault(dst, q, "nocache", "1")
	}
	return p.prometheus.appendParams(dst, q, "query", "start", "end", "step", "time")
}

func (p *pastQuery) span() grid { return p.times }

func (p *pastQuery) decode(r io.Reader, limit int64) (answer, error) {
	return decodeRange(r, limit, p.times)
}
