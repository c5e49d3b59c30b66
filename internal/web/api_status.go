package web

import (
	"crypto/rand"
	"net/url"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"tocsin/config"
	"tocsin/internal/jsontext"
	"tocsin/rules"
)

// showFlags lists all flags in force as Prometheus does.
func (s *Server) showFlags(url.Values) (answer, error) {
	pairs := make([]config.Pair, 0, len(s.opts.Flags))
	for _, f := range s.opts.Flags {
		pairs = append(pairs, config.Pair{Name: f.Name, Value: f.Value})
	}
	dst := appendPairs([]byte(`{"status":"success","data":`), pairs)
	return rendered(append(dst, '}')), nil
}

// listAlertmanagers lists the notifiers as Prometheus does.
func (s *Server) listAlertmanagers(url.Values) (answer, error) {
	dst := []byte(`{"status":"success","data":{"activeAlertmanagers":[`)
	first := true
	for _, g := range s.opts.State.Notifiers() {
		for _, t := range g.Targets {
			if !first {
				dst = append(dst, ',')
			}
			first = false
			dst = append(dst, `{"url":`...)
			dst = append(jsontext.AppendString(dst, t.Address), '}')
		}
	}
	return rendered(append(dst, `],"droppedAlertmanagers":[]}}`...)), nil
}

// self is what tells this process from others.
type self struct {
	started rules.Instant
	nonce   [16]byte // no other process has it
}

func newSelf() self {
	s := self{started: rules.InstantOf(time.Now())}
	_, _ = rand.Read(s.nonce[:]) // never fails
	return s
}

// showRuntime tells of the process as Prometheus does; what is said of a database
// there is empty.
func (s *Server) showRuntime(url.Values) (answer, error) {
	host, _ := os.Hostname() // one that has no name is shown without
	dir, _ := os.Getwd()
	dst := []byte(`{"status":"success","data":{"startTime":`)
	dst = appendTime(dst, s.self.started)
	dst = append(dst, `,"CWD":`...)
	dst = jsontext.AppendString(dst, dir)
	dst = append(dst, `,"hostname":`...)
	dst = jsontext.AppendString(dst, host)
	dst = append(dst, `,"serverTime":`...)
	dst = appendTime(dst, rules.InstantOf(time.Now()))
	dst = append(dst, `,"reloadConfigSuccess":`...)
	dst = strconv.AppendBool(dst, s.opts.Control.Stale() == nil)
	dst = append(dst, `,"lastConfigTime":`...)
	dst = appendTime(dst, s.lastConfigTime())
	dst = append(dst, `,"corruptionCount":0,"goroutineCount":`...)
	dst = strconv.AppendInt(dst, int64(runtime.NumGoroutine()), 10)
	dst = append(dst, `,"GOMAXPROCS":`...)
	dst = strconv.AppendInt(dst, int64(runtime.GOMAXPROCS(0)), 10)
	dst = append(dst, `,"GOMEMLIMIT":`...)
	dst = strconv.AppendInt(dst, debug.SetMemoryLimit(-1), 10) // which only reads it
	dst = append(dst, `,"GOGC":`...)
	dst = jsontext.AppendString(dst, os.Getenv("GOGC"))
	dst = append(dst, `,"GODEBUG":`...)
	dst = jsontext.AppendString(dst, os.Getenv("GODEBUG"))
	dst = append(dst, `,"storageRetention":""}}`...)
	// The clock is in it, so no two answers are the same.
	return answer{write: func(out *body) { out.buf = append(out.buf, dst...) }}, nil
}

// lastConfigTime returns when the configuration was last put in force, if that is
// remembered.
func (s *Server) lastConfigTime() rules.Instant {
	for _, r := range s.opts.Control.Reloads() {
		if !r.Refused {
			return rules.InstantOf(r.At)
		}
	}
	return 0
}
