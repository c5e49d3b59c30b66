package datasource

import (
	"io"
	"strconv"
	"sync"

	"tocsin/rules"
)

// answer is what the body of a successful answer says. The samples of Result are
// those of an instant query, tracks those of a range query.
type answer struct {
	rules.Result
	tracks     []rules.Track
	warnings   []string // the first of them, cut to a readable length
	warned     int      // how many there were
	histograms int      // native histogram samples left out
	size       int64    // of the body in bytes, decompressed
	victoria   bool     // VictoriaMetrics gave it
}

// remoteError is the error an answer reports of itself.
type remoteError struct{ kind, text string }

func (e *remoteError) Error() string {
	switch {
	case e.kind == "":
		return e.text
	case e.text == "":
		return e.kind
	}
	return e.kind + ": " + e.text
}

// rejected reports whether the expression is at fault, not the server.
func (e *remoteError) rejected() bool {
	switch e.kind {
	case "bad_data", "execution", "400", "422": // Prometheus', then VictoriaMetrics'
		return true
	}
	return false
}

// shape is what an answer's result looks like, which is known before its type
// when the type comes after it.
type shape uint8

const (
	shapeNone shape = iota
	shapeNull
	shapeEmpty  // []
	shapeVector // [{"metric":...,"value":[...]},...]
	shapeMatrix // [{"metric":...,"values":[...]},...]
	shapeScalar // [time,"value"]
)

const (
	maxWarnings   = 3        // kept of one answer
	maxWarning    = 256      // bytes kept of one
	maxErrorText  = 2048     // bytes kept of the server's own error
	firstSamples  = 16       // samples collected before the result gets memory of its own
	maxKeptLabels = 64 << 10 // bytes of label memory a decoder keeps between answers
	maxKeptPoints = 4 << 10  // points for which a decoder keeps memory between answers
)

// decoder reads one answer of /api/v1/query or, if grid is given, of
// /api/v1/query_range at a time. Its memory is reused; nothing an answer is made
// of refers to it.
type decoder struct {
	lexer

	status, errorType, errorText string
	resultType                   string
	shape                        shape
	scalarTime                   int64
	scalarValue                  []byte // as written: its meaning depends on resultType
	ans                          answer

	first  [firstSamples]rules.Sample
	metric metricReader
	blanks bool // an empty value is no sample

	grid   grid          // the zero value for an instant query
	points []rules.Point // of the series being read
}

var decoders = sync.Pool{New: func() any {
	return &decoder{lexer: lexer{buf: make([]byte, lexerBuffer)}}
}}

// decodePrometheus reads an answer of at most limit bytes. It reads to the end
// unless it fails. The error is a *remoteError when the answer is well-formed
// and reports one, and wraps the error of r when that fails.
func decodePrometheus(r io.Reader, limit int64) (answer, error) {
	return decode(r, limit, grid{}, "")
}

// decodeRange is decodePrometheus for a range query that asked for the times of
// g. Every point must be at one of these, and later than the one before it.
func decodeRange(r io.Reader, limit int64, g grid) (answer, error) {
	return decode(r, limit, g, "")
}

// decodeStats is decodePrometheus, or decodeRange if g is given, for an answer of
// VictoriaLogs. Its samples have a label of the name statsResult instead of a
// name. It has empty values where there was nothing to compute one from, such as
// the maximum of a field that no log has; those are no samples.
func decodeStats(r io.Reader, limit int64, g grid) (answer, error) {
	return decode(r, limit, g, statsResult)
}

func decode(r io.Reader, limit int64, g grid, nameLabel string) (answer, error) {
	d := decoders.Get().(*decoder)
	d.begin(r, limit)
	d.grid = g
	d.metric.nameLabel, d.blanks = nameLabel, nameLabel == statsResult
	d.document()
	d.finish()
	ans, err := d.verdict()
	d.release()
	return ans, err
}

func (d *decoder) begin(r io.Reader, limit int64) {
	d.reset(r, limit)
	d.status, d.errorType, d.errorText, d.resultType = "", "", "", ""
	d.shape, d.scalarTime, d.scalarValue = shapeNone, 0, d.scalarValue[:0]
	d.ans = answer{Result: rules.Result{SeriesFetched: -1}}
	d.grid = grid{}
}

// release gives the decoder back, without anything that would keep an answer alive.
func (d *decoder) release() {
	d.src = nil
	d.ans = answer{}
	clear(d.first[:])
	if d.metric.size() > maxKeptLabels || cap(d.text) > maxKeptLabels {
		return
	}
	if cap(d.points) > maxKeptPoints {
		d.points = nil
	}
	decoders.Put(d)
}

func (d *decoder) document() {
	if !d.take('{', "a JSON object") {
		return
	}
	for first := true; d.key(first); first = false {
		switch string(d.text) {
		case "status":
			d.status = d.word()
		case "errorType":
			d.errorType = d.keep(64)
		case "error":
			d.errorText = d.keep(maxErrorText)
		case "data":
			d.data()
		case "stats":
			d.stats()
		case "isPartial":
			d.ans.Partial = d.boolean()
		case "warnings":
			d.warningList()
		default:
			d.skip()
		}
	}
}

func (d *decoder) data() {
	if d.null() {
		return
	}
	if !d.take('{', "an object as data") {
		return
	}
	for first := true; d.key(first); first = false {
		switch string(d.text) {
		case "resultType":
			d.resultType = d.word()
		case "result":
			d.result()
		case "stats":
			d.stats()
		default:
			d.skip()
		}
	}
}

// keep reads a string or null and returns at most n bytes of it.
func (d *decoder) keep(n int) string {
	if d.null() {
		return ""
	}
	d.text = d.appendString(d.text[:0])
	return string(d.text[:min(len(d.text), n)])
}

// word is keep for a string that is one of a few, which cost no memory.
func (d *decoder) word() string {
	if d.null() {
		return ""
	}
	d.text = d.appendString(d.text[:0])
	for _, w := range [...]string{"success", "vector", "scalar", "matrix", "error"} {
		if string(d.text) == w {
			return w
		}
	}
	return string(d.text[:min(len(d.text), 64)])
}

func (d *decoder) boolean() bool {
	switch d.peek() {
	case 't':
		return d.literal("true")
	case 'n':
		d.literal("null")
	default:
		d.literal("false")
	}
	return false
}

// stats reads the count of series out of statistics; what else there is, and a
// count that is none, tells nothing.
func (d *decoder) stats() {
	if d.peek() != '{' {
		d.skip()
		return
	}
	d.take('{', "an object")
	for first := true; d.key(first); first = false {
		if string(d.text) != "seriesFetched" {
			d.skip()
			continue
		}
		switch c := d.peek(); {
		case c == '"':
			d.text = d.appendString(d.text[:0])
		case c == '-' || c >= '0' && c <= '9':
			d.number()
		default:
			d.skip()
			continue
		}
		if n, err := strconv.Atoi(string(d.text)); err == nil && n >= 0 {
			d.ans.SeriesFetched = n
		}
	}
}

func (d *decoder) warningList() {
	if d.peek() != '[' {
		d.skip()
		return
	}
	d.take('[', "an array")
	for first := true; d.element(first); first = false {
		d.ans.warned++
		if d.peek() == '"' && len(d.ans.warnings) < maxWarnings {
			d.ans.warnings = append(d.ans.warnings, d.keep(maxWarning))
			continue
		}
		d.skip()
	}
}
