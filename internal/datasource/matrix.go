package datasource

import (
	"errors"
	"fmt"
	"slices"

	"tocsin/rules"
)

// firstTracks is for how many label sets there is room at first.
const firstTracks = 4

// matrix reads the series of a range query's result whose bracket is consumed.
func (d *decoder) matrix() {
	var tracks []rules.Track
	for first := true; d.element(first); first = false {
		t, ok := d.track()
		if !ok {
			continue
		}
		if len(tracks) == cap(tracks) {
			tracks = slices.Grow(tracks, max(len(tracks), firstTracks))
		}
		tracks = append(tracks, t)
	}
	d.ans.tracks = tracks
}

// track reads one series of a matrix. It is false if there is nothing to take:
// all of it is native histograms, or there is no point.
func (d *decoder) track() (t rules.Track, ok bool) {
	if !d.take('{', "a series") {
		return t, false
	}
	var hasMetric, hasValues, hasHistograms bool
	for first := true; d.key(first); first = false {
		switch string(d.text) {
		case "metric":
			if hasMetric {
				d.fail(errors.New("a series has two metrics"))
				return t, false
			}
			hasMetric = true
			t.Labels = d.metric.read(&d.lexer)
		case "values":
			if hasValues {
				d.fail(errors.New("a series has its values twice"))
				return t, false
			}
			hasValues = true
			t.Points = d.values()
		case "histograms":
			hasHistograms = true
			d.skipHistograms()
		default:
			d.skip()
		}
	}
	switch {
	case d.err != nil:
	case !hasMetric:
		d.fail(errors.New("a series has no metric"))
	case !hasValues && !hasHistograms:
		d.fail(errors.New("a series has no values"))
	default:
		return t, len(t.Points) > 0
	}
	return t, false
}

// values reads the points of a series into memory of exactly their size.
func (d *decoder) values() []rules.Point {
	d.points = d.points[:0]
	if !d.take('[', "an array of values") {
		return nil
	}
	for first := true; d.element(first); first = false {
		if !d.take('[', "a timestamp with a value") {
			return nil
		}
		p := rules.Point{T: d.pair()}
		if d.blank() {
			continue
		}
		p.V = d.value()
		if d.err != nil {
			return nil
		}
		if err := d.follows(p.T); err != nil {
			d.fail(err)
			return nil
		}
		d.points = append(d.points, p)
	}
	if d.err != nil || len(d.points) == 0 {
		return nil
	}
	return append(make([]rules.Point, 0, len(d.points)), d.points...)
}

// follows reports what is wrong with a point at t after the points read so far.
func (d *decoder) follows(t int64) error {
	if n := len(d.points); n > 0 && t <= d.points[n-1].T {
		return fmt.Errorf("timestamps of a series are not in order: %d comes after %d", t, d.points[n-1].T)
	}
	if !d.grid.has(t) {
		return fmt.Errorf("%w: %d is not among the times from %d to %d, each %d ms", errMoved, t, d.grid.from, d.grid.to, d.grid.step)
	}
	return nil
}

// skipHistograms counts the native histograms of a series, which rules cannot use.
func (d *decoder) skipHistograms() {
	if !d.take('[', "an array of histograms") {
		return
	}
	for first := true; d.element(first); first = false {
		d.skip()
		d.ans.histograms++
	}
}
