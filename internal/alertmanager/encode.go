package alertmanager

import (
	"net/url"
	"slices"
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
	names []string // label names made up for the current alert
	start timestamp
	end   timestamp
	link  linkChecker
}

// encode returns the array and how many alerts are in it: those without labels
// are left out. The bytes are valid until the next call.
func (e *encoder) encode(alerts []sending) (body []byte, n int) {
	e.buf = append(e.buf[:0], '[')
	for i := range alerts {
		mark := len(e.buf)
		if n > 0 {
			e.buf = append(e.buf, ',')
		}
		if !e.alert(&alerts[i].state) {
			e.buf = e.buf[:mark]
			continue
		}
		n++
	}
	e.buf = append(e.buf, ']')
	return e.buf, n
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
		e.buf = append(jsontext.AppendString(e.buf, s.generatorURL), ',')
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

// labels appends the labels that have a value, under names every Alertmanager
// takes. Where two names become one, the label that needed no change wins, and
// else the first in order. It reports whether there was any.
func (e *encoder) labels(ls labels.Labels) bool {
	n := 0
	e.names = e.names[:0]
	ls.Range(func(l labels.Label) {
		if l.Name == "" || l.Value == "" {
			return
		}
		name := l.Name
		if !validName(name) {
			name = sanitizedName(name)
			if ls.Get(name) != "" || slices.Contains(e.names, name) {
				return
			}
			e.names = append(e.names, name)
		}
		e.pair(name, l.Value, n)
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

func validName(name string) bool {
	for i := range len(name) {
		if !plainNameByte(name[i]) {
			return false
		}
	}
	return true
}

func plainNameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_'
}

// sanitizedName returns name with an underscore for each character that is not
// allowed in the label names of older Alertmanagers.
func sanitizedName(name string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x80 && plainNameByte(byte(r)) {
			return r
		}
		return '_'
	}, name)
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

// valid reports whether link is a URL that Alertmanager parses.
func (c *linkChecker) valid(link string) bool {
	if link == "" {
		return false
	}
	if c.origin != "" && strings.HasPrefix(link, c.origin) && plainPath(link[len(c.origin):]) {
		return true
	}
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
