package datasource

import (
	"io"

	"tocsin/config"
	"tocsin/internal/logsql"
	"tocsin/rules"
)

// statsResult is the label that tells the results of one stats pipe apart. They
// come as the names of the samples.
const statsResult = "stats_result"

// vlogs is the protocol of VictoriaLogs' stats API. Its methods are for instant
// queries; pastLogs is for ranges.
type vlogs struct {
	at   *endpoint
	past *endpoint // of range queries; nil if no path is appended to the URL
}

func newVLogs(o *Options) (*vlogs, error) {
	at, err := newEndpoint(o.URL, o.path(config.VLogs), o.ShowURL)
	if err != nil {
		return nil, err
	}
	v := &vlogs{at: at}
	if !o.DisablePathAppend {
		past, err := newEndpoint(o.URL, o.path(config.VLogs)+"_range", o.ShowURL)
		if err != nil {
			return nil, err
		}
		v.past = past.without("time")
	}
	return v, nil
}

func (v *vlogs) endpoint() *endpoint { return v.at }

// arguments asks for the logs of one interval up to the evaluation time, unless
// the expression has a time filter of its own. It puts the group's params last;
// one named time, start or end replaces ours. The expression cannot be replaced.
func (v *vlogs) arguments(dst []argument, q *rules.Query) []argument {
	dst = append(dst, argument{"query", q.Expr})
	dst = appendDefault(dst, q, "time", timeString(q.Time))
	if q.Interval > 0 && !logsql.Describe(q.Expr).TimeFilter {
		dst = appendDefault(dst, q, "start", timeString(q.Time.Add(-q.Interval)))
		dst = appendDefault(dst, q, "end", timeString(q.Time))
	}
	return appendParams(dst, q, "query")
}

func (v *vlogs) decode(r io.Reader, limit int64) (answer, error) {
	return decodeStats(r, limit, grid{})
}

// pastQuery returns how q is asked at once, or nil if that would be answered
// otherwise than instant queries are. Logs are then dealt out to times that are
// multiples of the step, each being answered for those from it to the next one:
// what an instant query one interval later looks at.
func (v *vlogs) pastQuery(q *rules.RangeQuery, times grid) *pastLogs {
	if v.past == nil || q.Step != q.Interval || times.from%times.step != 0 || !logsql.Describe(q.Expr).Stepwise {
		return nil
	}
	for _, name := range [...]string{"time", "start", "end", "step", "offset"} {
		if _, own := q.Params[name]; own || named(v.past.query, name) {
			return nil
		}
	}
	return &pastLogs{vlogs: v, times: times}
}

// pastLogs is the protocol of VictoriaLogs' stats API for one range query.
type pastLogs struct {
	vlogs *vlogs
	times grid
}

func (p *pastLogs) endpoint() *endpoint { return p.vlogs.past }

func (p *pastLogs) span() grid { return p.times }

func (p *pastLogs) arguments(dst []argument, q *rules.Query) []argument {
	dst = append(dst,
		argument{"query", q.Expr},
		argument{"start", timeString(p.buckets().first())},
		argument{"end", timeString(p.times.last())},
		argument{"step", stepString(p.times.distance())},
	)
	return appendParams(dst, q, "query")
}

// buckets returns the times under which the results for those of p are answered.
func (p *pastLogs) buckets() grid {
	g := p.times
	g.from, g.to = g.from-g.step, g.to-g.step
	return g
}

func (p *pastLogs) decode(r io.Reader, limit int64) (answer, error) {
	ans, err := decodeStats(r, limit, p.buckets())
	for _, t := range ans.tracks {
		for i := range t.Points {
			t.Points[i].T += p.times.step
		}
	}
	return ans, err
}
