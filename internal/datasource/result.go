package datasource

import (
	"errors"
	"slices"

	"tocsin/rules"
)

// result reads data.result, whose type may not be known yet.
func (d *decoder) result() {
	if d.shape != shapeNone {
		d.fail(errors.New("answer has two results"))
		return
	}
	if err := d.unwanted(); err != nil {
		d.fail(err)
		return
	}
	if d.null() {
		d.shape = shapeNull
		return
	}
	if !d.take('[', "an array as result") {
		return
	}
	switch c := d.peek(); {
	case c == ']':
		d.take(']', "the end of the array")
		d.shape = shapeEmpty
	case c == '{' && d.grid.given():
		d.shape = shapeMatrix
		d.matrix()
	case c == '{':
		d.shape = shapeVector
		d.vector()
	case c == '"' || c == '-' || c >= '0' && c <= '9':
		d.shape = shapeScalar
		d.scalarTime = d.pair()
		d.scalarValue = append(d.scalarValue[:0], d.text...)
	default:
		d.unexpected("a series or a timestamp")
	}
}

// unwanted reports a type, if it is known already, whose result need not be read.
func (d *decoder) unwanted() error {
	switch {
	case d.resultType == "matrix" && !d.grid.given():
		return errMatrix
	case d.resultType != "matrix" && d.resultType != "" && d.grid.given():
		return noMatrix(d.resultType)
	}
	return nil
}

// vector reads the series of a result whose bracket is consumed.
func (d *decoder) vector() {
	samples := d.first[:0]
	for first := true; d.element(first); first = false {
		s, ok := d.series()
		if !ok {
			continue
		}
		if len(samples) == cap(samples) {
			// Doubling: append's smaller steps would copy a long result more often.
			samples = slices.Grow(samples, len(samples))
		}
		samples = append(samples, s)
	}
	switch {
	case d.err != nil || len(samples) == 0:
	case len(samples) <= firstSamples:
		d.ans.Samples = append(make([]rules.Sample, 0, len(samples)), samples...)
	default:
		d.ans.Samples = samples
	}
}

// series reads one element of a vector. It is false if there is no sample to
// take: a native histogram, or a series of a matrix.
func (d *decoder) series() (s rules.Sample, ok bool) {
	if !d.take('{', "a series") {
		return s, false
	}
	var hasMetric, hasValue, hasHistogram, hasRange, blank bool
	for first := true; d.key(first); first = false {
		switch string(d.text) {
		case "metric":
			if hasMetric {
				d.fail(errors.New("a series has two metrics"))
				return s, false
			}
			hasMetric = true
			s.Labels = d.metric.read(&d.lexer)
		case "value":
			hasValue = true
			if !d.take('[', "a timestamp with a value") {
				return s, false
			}
			s.T = d.pair()
			if blank = d.blank(); !blank {
				s.V = d.value()
			}
		case "histogram":
			hasHistogram = true
			d.skip()
		case "values", "histograms":
			hasRange = true
			d.skip()
		default:
			d.skip()
		}
	}
	switch {
	case d.err != nil:
	case hasRange:
		d.shape = shapeMatrix
	case !hasMetric:
		d.fail(errors.New("a series has no metric"))
	case hasValue:
		return s, !blank
	case hasHistogram:
		d.ans.histograms++
	default:
		d.fail(errors.New("a series has no value"))
	}
	return s, false
}

// pair reads a timestamp and a value up to the closing bracket. It returns the
// timestamp in milliseconds and leaves the value, as written, in text.
func (d *decoder) pair() int64 {
	if !d.half(true) {
		return 0
	}
	t, err := parseMillis(d.text)
	if err != nil {
		d.fail(err)
		return 0
	}
	if !d.half(false) {
		return 0
	}
	d.take(']', "the end of a timestamp with its value")
	return t
}

// half reads one of the two numbers of a pair, quoted or not, into text.
func (d *decoder) half(first bool) bool {
	if !d.element(first) {
		if d.err == nil {
			d.fail(errors.New("a timestamp with its value is incomplete"))
		}
		return false
	}
	if d.peek() == '"' {
		d.text = d.appendString(d.text[:0])
	} else {
		d.number()
	}
	return d.err == nil
}

// blank reports whether the value just read says that there is none.
func (d *decoder) blank() bool { return d.blanks && len(d.text) == 0 && d.err == nil }

func (d *decoder) value() float64 {
	if d.err != nil {
		return 0
	}
	v, err := parseValue(d.text)
	if err != nil {
		d.fail(err)
	}
	return v
}
