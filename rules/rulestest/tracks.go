package rulestest

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/rules"
)

var _ rules.RangeQuerier = (*Datasource)(nil)

// SetTrack makes expr answer the samples that f returns for a time, to instant
// queries and range queries alike. f may be called from any goroutine.
func (d *Datasource) SetTrack(expr string, f func(at time.Time) []rules.Sample) {
	d.set(expr, answer{at: f})
}

// HookRange has f called at the beginning of each range query, after what Hook
// was given; an error of its is the answer. It may block.
func (d *Datasource) HookRange(f func(context.Context, rules.RangeQuery) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rangeHook = f
}

// QueryRange implements rules.RangeQuerier. What Set has made an expression
// answer it answers at each time.
func (d *Datasource) QueryRange(ctx context.Context, q rules.RangeQuery) ([]rules.Track, error) {
	d.mu.Lock()
	d.askedRanges = append(d.askedRanges, q)
	a, hook, rangeHook := d.answers[q.Expr], d.hook, d.rangeHook
	d.mu.Unlock()
	if hook != nil {
		if err := hook(ctx, q.Query); err != nil {
			return nil, err
		}
	}
	if rangeHook != nil {
		if err := rangeHook(ctx, q); err != nil {
			return nil, err
		}
	}
	if a.err != nil {
		return nil, a.err
	}
	if q.Step <= 0 || q.To.Before(q.From) {
		return nil, errors.New("range query without a time")
	}
	var tracks []rules.Track
	for at := q.From; !at.After(q.To); at = at.Add(q.Step) {
		for _, s := range a.samples(at) {
			tracks = appendPoint(tracks, s.Labels, rules.Point{T: at.UnixMilli(), V: s.V})
		}
	}
	return tracks, nil
}

// AskedRanges returns the range queries so far, and forgets them.
func (d *Datasource) AskedRanges() []rules.RangeQuery {
	d.mu.Lock()
	defer d.mu.Unlock()
	asked := d.askedRanges
	d.askedRanges = nil
	return asked
}

// samples returns what is to be answered for at.
func (a *answer) samples(at time.Time) []rules.Sample {
	if a.at != nil {
		return a.at(at)
	}
	return a.result.Samples
}

// appendPoint adds a point to the track with the labels. A label set that comes
// twice at one time gets two tracks, as a datasource would answer it.
func appendPoint(tracks []rules.Track, ls labels.Labels, p rules.Point) []rules.Track {
	for i := range tracks {
		t := &tracks[i]
		if labels.Equal(t.Labels, ls) && t.Points[len(t.Points)-1].T != p.T {
			t.Points = append(t.Points, p)
			return tracks
		}
	}
	return append(tracks, rules.Track{Labels: ls, Points: []rules.Point{p}})
}
