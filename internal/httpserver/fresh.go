package httpserver

import (
	"net"
	"net/http"
	"sync"
)

// freshConns are the connections on which no request has come yet, such as
// browsers and balancers make in advance. http.Server.Shutdown would wait for
// them for seconds.
type freshConns struct {
	mu    sync.Mutex // guards the fields below
	conns map[net.Conn]struct{}
	ended bool
}

func newFreshConns() *freshConns { return &freshConns{conns: make(map[net.Conn]struct{})} }

// note is a http.Server.ConnState.
func (f *freshConns) note(c net.Conn, state http.ConnState) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case state != http.StateNew:
		delete(f.conns, c)
	case f.ended:
		_ = c.Close() // there is nobody to tell
	default:
		f.conns[c] = struct{}{}
	}
}

// end closes those there are and, as a last one may just be accepted, those to
// come.
func (f *freshConns) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = true
	for c := range f.conns {
		_ = c.Close() // there is nobody to tell
	}
}
