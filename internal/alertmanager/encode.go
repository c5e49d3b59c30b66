package alertmanager

import (
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"tocsin/internal/jsontext"
	"tocsin/rules"
)

// encoder writes alerts as the JSON array of POST /api/v2/alerts. It is used by
// one goroutine and remembers what successive alerts share.
type encoder struct {
	buf   []byte
	count int // of alerts in buf
	names labelNames
	start timestamp
	end   timestamp
	link  linkChecker
}

// begin starts a new array.
func (e *encoder) begin() { e.buf, e.count = append(e.buf[:0], '['), 0 }

// add appends an alert to the array and reports whether it did: one without
// labels is left out.
func (e *encoder) add(s *state) bool {
	mark := len(e.buf)
	if e.count > 0 {
		e.buf = append(e.buf, ',')
	}
	if !e.alert(s) {
		e.buf = e.buf[:mark]
		return false
	}
	e.count++
	return true
}

// finish returns the array and how many alerts are in it. The bytes are valid until
// the next begin.
func (e *encoder) finish() (body []byte, n int) {
	e.buf = append(e.buf, ']')
	return e.buf, e.count
}

// alert appends one alert; false, with garbage appended, if it has no labels.
func (e *encoder) alert(s *state) bool {
	e.buf = append(e.buf, '{')
	if s.startsAt != 0 {
		e.buf = append(e.buf, `"startsAt":"`...)
		e.buf = append(e.buf, e.start.text(s.startsAt)...)
		e.buf = append(e.buf, `",`...)
	}
	if e.link.valid(s.generatorURL) {
		e.buf = append(e.buf, `"generatorURL":`...)
		e.buf = append(s.generatorURL.AppendJSON(e.buf), ',')
	}
	if s.endsAt != 0 {
		e.buf = append(e.buf, `"endsAt":"`...)
		e.buf = append(e.buf, e.end.text(s.endsAt)...)
		e.buf = append(e.buf, `",`...)
	}
	e.buf = append(e.buf, `"labels":{`...)
	if !e.labels(s.labels) {
		return false
	}
	e.buf = append(e.buf, `},"annotations":{`...)
	n := 0
	s.annotations.Range(func(l labels.Label) {
		e.pair(l.Name, l.Value, n)
		n++
	})
	e.buf = append(e.buf, `}}`...)
	return true
}

// labels appends the labels as a peer takes them, and reports whether there was any.
func (e *encoder) labels(ls labels.Labels) bool {
	n := 0
	e.names.each(ls, func(name, value string) {
		e.pair(name, value, n)
		n++
	})
	return n > 0
}

// pair appends the n-th member of an object.
func (e *encoder) pair(name, value string, n int) {
	if n > 0 {
		e.buf = append(e.buf, ',')
	}
	e.buf = append(jsontext.AppendString(e.buf, name), ':')
	e.buf = jsontext.AppendString(e.buf, value)
}

// timestamp is the text of the last moment asked for: the alerts of a batch share
// few of them.
type timestamp struct {
	at  rules.Instant
	buf []byte
}

func (t *timestamp) text(at rules.Instant) []byte {
	if at != t.at {
		t.at, t.buf = at, at.Time().AppendFormat(t.buf[:0], time.RFC3339Nano)
	}
	return t.buf
}

// linkChecker tells the links Alertmanager takes. One it does not parse would
// make it refuse the whole request.
type linkChecker struct {
	origin string // scheme and authority, up to the slash, last found to be valid
}

// valid reports whether l is a URL that Alertmanager parses.
func (c *linkChecker) valid(l rules.Link) bool {
	if l == (rules.Link{}) {
		return false
	}
	// Digits at the end of a plain path leave it plain.
	if c.origin != "" && strings.HasPrefix(l.Base, c.origin) && plainPath(l.Base[len(c.origin):]) {
		return true
	}
	link := l.String()
	u, err := url.ParseRequestURI(link)
	if err != nil {
		return false
	}
	if prefix := u.Scheme + "://"; u.Host != "" && strings.HasPrefix(link, prefix) {
		if slash := strings.IndexByte(link[len(prefix):], '/'); slash >= 0 {
			c.origin = strings.Clone(link[:len(prefix)+slash+1])
		}
	}
	return true
}

// plainPath reports whether a path with its query surely parses: it has only
// printable ASCII and no escapes before the query.
func plainPath(s string) bool {
	query := false
	for i := range len(s) {
		switch c := s[i]; {
		case c <= ' ' || c >= 0x7f:
			return false
		case c == '?':
			query = true
		case c == '%' && !query:
			return false
		}
	}
	return true
}
