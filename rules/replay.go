package rules

import (
	"context"
	"time"

	"github.com/prometheus/prometheus/model/value"
)

// replay evaluates rule i for every time of s, with the results of tracks, and
// returns how many of these evaluations were good.
func (l *loop) replay(ctx context.Context, i int, ev evaluation, m RuleMemory, s span, tracks []Track) (next RuleMemory, past output, done int) {
	past.series = make([]Series, 0, pointsOf(tracks))
	cursors := make([]int, len(tracks))
	for t := s.from; t <= s.to; t = t.Add(s.interval) {
		var out output
		m, out, _ = l.replayAt(ctx, i, ev, m, resultAt(tracks, cursors, t), t)
		if out.good {
			done++
		}
		past.append(out)
	}
	return m, past, done
}

// replayAt evaluates rule i for the time t with the result it had then.
func (g *Group) replayAt(ctx context.Context, i int, ev evaluation, m RuleMemory, res Result, t Instant) (RuleMemory, output, error) {
	ev.at, ev.now, ev.quiet = t, t, true
	return g.rules[i].apply(ctx, ev, m, res, nil)
}

// replayBetween evaluates a recording rule for the times of s, while those before
// and after it were evaluated long ago. Of these, it takes which series began
// or ended with s; tracks are of them, too.
func (f *filling) replayBetween(ctx context.Context, s span, tracks []Track) (past output, done int) {
	first, last := s.widened(), s.widened()
	first.to, last.from = first.from, last.to
	m, _, _ := f.replay(ctx, f.rule, f.ev, RuleMemory{}, first, tracks)
	m, past, done = f.replay(ctx, f.rule, f.ev, m, s, tracks)
	_, after, _ := f.replay(ctx, f.rule, f.ev, m, last, tracks)
	for _, x := range after.series {
		if value.IsStaleNaN(x.V) {
			past.series = append(past.series, x)
		}
	}
	return past, done
}

// append adds what a later evaluation has to tell.
func (o *output) append(later output) {
	o.series = append(o.series, later.series...)
	o.alerts = append(o.alerts, later.alerts...)
	o.fired += later.fired
}

func pointsOf(tracks []Track) int {
	n := 0
	for i := range tracks {
		n += len(tracks[i].Points)
	}
	return n
}

// resultAt returns the samples that tracks have for the time t, which grows from
// call to call; cursors are where the last call left off.
func resultAt(tracks []Track, cursors []int, t Instant) Result {
	return Result{SeriesFetched: -1, Samples: appendSamplesAt(nil, tracks, cursors, t)}
}

// appendSamplesAt appends the samples of resultAt to dst.
func appendSamplesAt(dst []Sample, tracks []Track, cursors []int, t Instant) []Sample {
	at := t.Add(time.Millisecond / 2).Milli()
	for i := range tracks {
		points := tracks[i].Points
		for cursors[i] < len(points) && points[cursors[i]].T < at {
			cursors[i]++
		}
		if c := cursors[i]; c < len(points) && points[c].T == at {
			dst = append(dst, Sample{Labels: tracks[i].Labels, T: at, V: points[c].V})
		}
	}
	return dst
}
