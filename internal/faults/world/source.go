package world

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// maxPoints is how many points of a series one answer may have, as with
// Prometheus.
const maxPoints = 11_000

// Source is a datasource that answers instant and range queries from a world. It
// may be used from many goroutines.
type Source struct {
	world *World

	Instant, Range atomic.Int64 // queries answered

	mu   sync.Mutex // guards the fields below
	lag  time.Duration
	late time.Time // since when data comes late; zero if it does not
}

// NewSource returns a source of w.
func NewSource(w *World) *Source { return &Source{world: w} }

// Delay makes data come late from now on: nothing new is there until lag has
// passed, and then all that is older. No delay makes all data be there at once.
func (s *Source) Delay(lag time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lag, s.late = lag, time.Time{}
	if lag > 0 {
		s.late = time.Now()
	}
}

// visible returns up to when data is there; it never goes back.
func (s *Source) visible() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	// Queries about the future are answered as well: clocks differ by a little.
	now := time.Now().Add(time.Minute)
	if s.late.IsZero() {
		return now
	}
	if v := time.Now().Add(-s.lag); v.After(s.late) {
		return v
	}
	return s.late
}

// ServeHTTP answers /api/v1/query and /api/v1/query_range.
func (s *Source) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var times []time.Time
	var err error
	matrix := false
	switch r.URL.Path {
	case "/api/v1/query":
		s.Instant.Add(1)
		times, err = instant(r)
	case "/api/v1/query_range":
		s.Range.Add(1)
		matrix = true
		times, err = span(r)
	default:
		http.NotFound(w, r)
		return
	}
	if err != nil {
		refuse(w, err)
		return
	}
	elements, ok := s.world.answer(r.FormValue("query"), times, s.visible())
	if !ok {
		refuse(w, fmt.Errorf("query %q is not about this world", r.FormValue("query")))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(encode(elements, matrix)) // a client that has gone does not want it
}

func refuse(w http.ResponseWriter, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusUnprocessableEntity)
	_ = json.NewEncoder(w).Encode(map[string]string{ // a client that has gone does not want it
		"status": "error", "errorType": "execution", "error": err.Error(),
	})
}

// instant returns the time of an instant query.
func instant(r *http.Request) ([]time.Time, error) {
	if r.FormValue("time") == "" {
		return []time.Time{time.Now()}, nil
	}
	at, err := ParseTime(r.FormValue("time"))
	return []time.Time{at}, err
}

// span returns the times of a range query.
func span(r *http.Request) ([]time.Time, error) {
	from, err := ParseTime(r.FormValue("start"))
	if err != nil {
		return nil, err
	}
	to, err := ParseTime(r.FormValue("end"))
	if err != nil {
		return nil, err
	}
	step, err := ParseStep(r.FormValue("step"))
	if err != nil {
		return nil, err
	}
	if to.Before(from) || to.Sub(from)/step >= maxPoints {
		return nil, fmt.Errorf("a range from %s to %s by %s", from, to, step)
	}
	var times []time.Time
	for t := from; !t.After(to); t = t.Add(step) {
		times = append(times, t)
	}
	return times, nil
}

func encode(elements []element, matrix bool) []byte {
	var b bytes.Buffer
	kind := "vector"
	if matrix {
		kind = "matrix"
	}
	fmt.Fprintf(&b, `{"status":"success","data":{"resultType":%q,"result":[`, kind)
	for i, e := range elements {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`{"metric":{`)
		for j := 0; j < len(e.labels); j += 2 {
			if j > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, "%q:%q", e.labels[j], e.labels[j+1])
		}
		b.WriteString(`},`)
		encodePoints(&b, e.points, matrix)
		b.WriteByte('}')
	}
	b.WriteString(`]}}`)
	return b.Bytes()
}

func encodePoints(b *bytes.Buffer, points []point, matrix bool) {
	if !matrix {
		b.WriteString(`"value":`)
		encodePoint(b, points[0])
		return
	}
	b.WriteString(`"values":[`)
	for i, p := range points {
		if i > 0 {
			b.WriteByte(',')
		}
		encodePoint(b, p)
	}
	b.WriteByte(']')
}

func encodePoint(b *bytes.Buffer, p point) {
	seconds := strconv.FormatFloat(float64(p.at.UnixMilli())/1000, 'f', -1, 64)
	fmt.Fprintf(b, `[%s,"%s"]`, seconds, strconv.FormatFloat(p.v, 'f', -1, 64))
}
