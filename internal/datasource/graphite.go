package datasource

import (
	"io"
	"strconv"
	"time"

	"tocsin/config"
	"tocsin/rules"
)

// graphiteLookback is how far before the evaluation time a point may lie to count.
const graphiteLookback = 5 * time.Minute

// graphite is the protocol of Graphite's render API. An instant is the last point
// of each series that is not null, in the five minutes up to the evaluation time.
type graphite struct{ at *endpoint }

func newGraphite(o *Options) (*graphite, error) {
	at, err := newEndpoint(o.URL, o.path(config.Graphite), o.ShowURL)
	if err != nil {
		return nil, err
	}
	return &graphite{at}, nil
}

func (g *graphite) endpoint() *endpoint { return g.at }

// arguments puts the group's params last; one named from or until replaces ours.
// The expression and the format of the answer cannot be replaced.
func (g *graphite) arguments(dst []argument, q *rules.Query) []argument {
	dst = append(dst, argument{"target", q.Expr}, argument{"format", "json"})
	dst = appendDefault(dst, q, "from", strconv.FormatInt(q.Time.Add(-graphiteLookback).Unix(), 10))
	dst = appendDefault(dst, q, "until", strconv.FormatInt(q.Time.Unix(), 10))
	return appendParams(dst, q, "target", "format", "jsonp")
}

func (g *graphite) decode(r io.Reader, limit int64) (answer, error) {
	return decodeGraphite(r, limit)
}
