package datasource

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/rules"
)

// targetLabel is the label that holds what a series is called where the server
// has no tags to tell.
const targetLabel = "name"

// renderDecoder reads one answer of /render at a time. Of each series it keeps
// the last point only. Its memory is reused; nothing an answer is made of refers
// to it.
type renderDecoder struct {
	lexer

	metric metricReader
	target []byte // of the series being read
	value  []byte // of the point being read, as written
	latest []byte // the value that counts so far
	ans    answer
}

var renderDecoders = sync.Pool{New: func() any {
	return &renderDecoder{lexer: lexer{buf: make([]byte, lexerBuffer)}, metric: metricReader{bare: true}}
}}

// decodeGraphite reads an answer of at most limit bytes, to its end unless it
// fails. The error is a *remoteError when the answer is well-formed and reports
// one, and wraps the error of r when that fails.
func decodeGraphite(r io.Reader, limit int64) (answer, error) {
	d := renderDecoders.Get().(*renderDecoder)
	d.reset(r, limit)
	d.ans = answer{Result: rules.Result{SeriesFetched: -1}}
	remote := d.document()
	d.finish()
	ans, err := d.ans, d.err
	ans.size = d.offset()
	d.release()
	switch {
	case err != nil:
		return answer{}, err
	case remote != "":
		return answer{}, &remoteError{text: remote}
	}
	return ans, nil
}

func (d *renderDecoder) release() {
	d.src, d.ans = nil, answer{}
	if d.metric.size() <= maxKeptLabels && cap(d.text) <= maxKeptLabels && cap(d.target) <= maxKeptLabels {
		renderDecoders.Put(d)
	}
}

// document reads the series, or returns the error that stands in their place.
func (d *renderDecoder) document() (remote string) {
	if d.peek() == '{' {
		return d.reported()
	}
	if !d.take('[', "an array of series") {
		return ""
	}
	for first := true; d.element(first); first = false {
		s, ok := d.series()
		if !ok {
			continue
		}
		if n := len(d.ans.Samples); n == cap(d.ans.Samples) {
			d.ans.Samples = slices.Grow(d.ans.Samples, max(n, 1))
		}
		d.ans.Samples = append(d.ans.Samples, s)
	}
	return ""
}

// reported reads the object by which VictoriaMetrics tells of an error that came
// too late for the status of the response.
func (d *renderDecoder) reported() (text string) {
	d.take('{', "an object")
	for first := true; d.key(first); first = false {
		if string(d.text) == "error" && d.peek() == '"' {
			d.text = d.appendString(d.text[:0])
			text = string(d.text[:min(len(d.text), maxErrorText)])
			continue
		}
		d.skip()
	}
	if text == "" && d.err == nil {
		d.fail(errors.New("answer is an object where an array of series is needed"))
	}
	return text
}

// series reads one series. It is false if all of its points are null.
func (d *renderDecoder) series() (s rules.Sample, ok bool) {
	if !d.take('{', "a series") {
		return s, false
	}
	d.target = d.target[:0]
	s.Labels = labels.EmptyLabels()
	var hasTags, hasPoints bool
	for first := true; d.key(first); first = false {
		switch string(d.text) {
		case "target":
			d.target = d.appendString(d.target[:0])
		case "tags":
			if hasTags {
				d.fail(errors.New("a series has its tags twice"))
			}
			hasTags = true
			s.Labels = d.metric.read(&d.lexer)
		case "datapoints":
			if hasPoints {
				d.fail(errors.New("a series has its datapoints twice"))
			}
			hasPoints = true
			s.T, s.V, ok = d.points()
		default:
			d.skip()
		}
	}
	if d.err == nil && !hasPoints {
		d.fail(errors.New("a series has no datapoints"))
	}
	if d.err != nil {
		return s, false
	}
	if s.Labels.IsEmpty() && len(d.target) > 0 {
		s.Labels = labels.FromStrings(targetLabel, string(d.target))
	}
	return s, ok
}

// points reads the points of a series and returns the last that is not null. It
// turns the value of no other into a number.
func (d *renderDecoder) points() (t int64, v float64, ok bool) {
	if !d.take('[', "an array of datapoints") {
		return 0, 0, false
	}
	for first := true; d.element(first); first = false {
		if !d.take('[', "a value with its timestamp") || !d.half(true) {
			break
		}
		given := !d.null()
		if given {
			d.number()
			d.value = append(d.value[:0], d.text...)
		}
		if !d.half(false) {
			break
		}
		at := d.timestamp()
		if !d.take(']', "the end of a datapoint") {
			break
		}
		if given && (!ok || at >= t) {
			t, ok = at, true
			d.value, d.latest = d.latest, d.value
		}
	}
	if d.err != nil || !ok {
		return 0, 0, false
	}
	v, err := strconv.ParseFloat(unsafeString(d.latest), 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) { // graphite-web writes infinity as 1e9999
		d.fail(fmt.Errorf("value %q is not a number", clip(d.latest)))
		return 0, 0, false
	}
	return t, v, true
}

// half moves to the value or the timestamp of a datapoint.
func (d *renderDecoder) half(first bool) bool {
	if d.element(first) {
		return true
	}
	if d.err == nil {
		d.fail(errors.New("a datapoint is incomplete"))
	}
	return false
}

// timestamp reads seconds since the epoch and returns milliseconds.
func (d *renderDecoder) timestamp() int64 {
	d.number()
	if d.err != nil {
		return 0
	}
	t, err := parseMillis(d.text)
	if err != nil {
		d.fail(err)
	}
	return t
}
