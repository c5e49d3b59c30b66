package daemon

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// Stub is everything that an alerting daemon talks to: it answers every query
// with the same series at the time asked for, and swallows what is sent to it.
type Stub struct {
	URL    string
	server *http.Server
	series []byte // the elements of an answer, with timeMark for the time

	Queries, Posts, Writes atomic.Int64 // how many there were; posts are of alerts
}

const timeMark = "\x00"

// NewStub returns a stub on loopback that answers with that many series.
func NewStub(series int) (*Stub, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Stub{URL: "http://" + ln.Addr().String(), series: answer(series)}
	mux := http.NewServeMux()
	mux.HandleFunc("/api/v1/query", s.query)
	mux.HandleFunc("/api/v1/write", s.swallow(&s.Writes))
	mux.HandleFunc("/api/v2/alerts", s.swallow(&s.Posts))
	s.server = &http.Server{Handler: mux}
	go func() { _ = s.server.Serve(ln) }() // ends with Close
	return s, nil
}

// answer returns the elements of a vector of n series.
func answer(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"metric":{"__name__":"latency_seconds","instance":"host-%05d.example.com:9100",`+
			`"job":"api","zone":"eu-west-1%c","cluster":"prod","pod":"api-7f9c-%d"},"value":[`+timeMark+`,"%d.25"]}`,
			i, 'a'+i%3, i, i%7)
	}
	return b.Bytes()
}

func (s *Stub) query(w http.ResponseWriter, r *http.Request) {
	s.Queries.Add(1)
	at := time.Now()
	if t, err := time.Parse(time.RFC3339, r.FormValue("time")); err == nil {
		at = t
	}
	w.Header().Set("Content-Type", "application/json")
	sec := strconv.AppendInt(nil, at.Unix(), 10)
	var b bytes.Buffer
	b.Grow(len(s.series) + 128)
	b.WriteString(`{"status":"success","data":{"resultType":"vector","result":[`)
	for rest := s.series; len(rest) > 0; {
		i := bytes.IndexByte(rest, timeMark[0])
		if i < 0 {
			b.Write(rest)
			break
		}
		b.Write(rest[:i])
		b.Write(sec)
		rest = rest[i+1:]
	}
	b.WriteString(`]},"stats":{"seriesFetched":"1"}}`)
	_, _ = w.Write(b.Bytes()) // a peer that has gone is not the stub's concern
}

func (s *Stub) swallow(n *atomic.Int64) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		n.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusNoContent)
	}
}

// Close ends the stub.
func (s *Stub) Close() { _ = s.server.Close() }
