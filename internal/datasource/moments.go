package datasource

import (
	"context"
	"time"

	"tocsin/rules"
)

// The answers of Graphite depend on the whole time that is asked for: functions
// such as movingAverage or filterSeries see all of it. Those of VictoriaLogs
// depend on it where a query has a time filter of its own, a query inside it, or
// counts what is not there. What an instant query would have answered only an
// instant query tells.

// askMoments asks an instant query for each of times, oldest first.
func (c *Client) askMoments(ctx context.Context, q *rules.RangeQuery, times grid) ([]rules.Track, error) {
	var all weave
	for t := times.from; t <= times.to; t += times.step {
		instant := q.Query
		instant.Time = time.UnixMilli(t)
		res, err := c.Query(ctx, instant)
		if err != nil {
			return nil, err
		}
		tracks := make([]rules.Track, len(res.Samples))
		for i, s := range res.Samples {
			tracks[i] = rules.Track{Labels: s.Labels, Points: []rules.Point{{T: t, V: s.V}}}
		}
		all.add(tracks)
	}
	return all.sorted()
}
