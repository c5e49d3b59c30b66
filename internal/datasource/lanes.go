package datasource

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"tocsin/rules"
)

// To VictoriaMetrics a step says not only which times are asked for: selectors
// without a range look back that far, and rate(x) is over that long. Instant
// queries have a step of their own, usually five minutes, so a range query with
// the group's interval as its step would answer something else: increase(x) a
// twentieth of it, and absent(x) too early.
//
// So the times are dealt out to lanes. Each lane is a range query with the step
// of the instant queries, and the lanes interleave: with a step of 5m, times 1m
// apart make five lanes, the first of the times 0m, 5m, 10m and so on, the second
// of 1m, 6m, 11m. Where the step is no multiple of the distance, each time is a
// lane of its own.

// stepUnsaid is the step VictoriaMetrics takes where a query has none.
const stepUnsaid = 5 * time.Minute

// usualStep returns the step with which instant queries like q are evaluated.
func (p *prometheus) usualStep(q *rules.Query) string {
	if own := q.Params["step"]; len(own) > 0 {
		return own[0]
	}
	if p.sendStep {
		if p.step != "" {
			return p.step
		}
		if q.Interval > 0 {
			return stepString(q.Interval)
		}
	}
	for _, a := range p.at.query {
		if a.name == "step" {
			return a.value
		}
	}
	return stepString(stepUnsaid)
}

// stride returns how many times of p lie between two of one lane.
func (p *pastQuery) stride() int64 {
	usual, ok := parseStep(p.usual)
	if ms := usual.Milliseconds(); ok && ms >= p.times.step && ms%p.times.step == 0 {
		return ms / p.times.step
	}
	return p.times.steps()
}

// lanes returns into how many lanes p can be dealt out.
func (p *pastQuery) lanes() int64 { return min(p.stride(), p.times.steps()) }

// lane returns the n-th lane of p, from 0.
func (p *pastQuery) lane(n int64) *pastQuery {
	l := *p
	l.times = p.times.every(p.stride(), n)
	l.step = p.usual
	return &l
}

// askLanes asks p, which is q, as so many lanes. The label sets are in the order
// in which they are answered first.
func (c *Client) askLanes(ctx context.Context, q *rules.RangeQuery, p *pastQuery, lanes int64) ([]rules.Track, error) {
	var all weave
	for n := range lanes {
		ans, err := c.askPast(ctx, q, p.lane(n))
		if err != nil {
			return nil, err
		}
		if lanes == 1 {
			return ans.tracks, nil
		}
		all.add(ans.tracks)
	}
	return all.sorted()
}

// weave is what lanes have answered. The zero value is nothing.
type weave struct {
	tracks []rules.Track
	index  map[labels.Labels]int // of tracks by Labels
}

func (w *weave) add(tracks []rules.Track) {
	if w.index == nil {
		w.index = make(map[labels.Labels]int, len(tracks))
	}
	for _, t := range tracks {
		i, ok := w.index[t.Labels]
		if !ok {
			w.index[t.Labels] = len(w.tracks)
			w.tracks = append(w.tracks, t)
			continue
		}
		w.tracks[i].Points = append(w.tracks[i].Points, t.Points...)
	}
}

// sorted returns the tracks with their points in order of time. Lanes have no
// time in common, so a time that comes twice is a label set that came twice.
func (w *weave) sorted() ([]rules.Track, error) {
	for _, t := range w.tracks {
		slices.SortFunc(t.Points, func(a, b rules.Point) int { return cmp.Compare(a.T, b.T) })
		for i := 1; i < len(t.Points); i++ {
			if t.Points[i].T == t.Points[i-1].T {
				return nil, fmt.Errorf("answer has two series %s at %d", clip([]byte(t.Labels.String())), t.Points[i].T)
			}
		}
	}
	return w.tracks, nil
}

// parseStep reads a step as the servers do: a duration, or seconds.
func parseStep(s string) (time.Duration, bool) {
	if seconds, err := strconv.ParseFloat(s, 64); err == nil {
		return time.Duration(seconds * float64(time.Second)), seconds > 0 && seconds < 1e9
	}
	d, err := model.ParseDuration(s)
	return time.Duration(d), err == nil
}
