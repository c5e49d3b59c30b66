// Package proxy stands between the daemon and a server and misbehaves on demand:
// it refuses connections, hangs, answers slowly, wrongly or in part.
package proxy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"tocsin/internal/faults/plan"
)

// Mode is how a proxy behaves. The zero Mode passes everything on.
type Mode struct {
	Kind   plan.Kind
	Amount time.Duration // as the kind says
}

// Options says what a proxy stands before.
type Options struct {
	Addr   string // where it listens
	Target string // host and port of the server behind it
	// Rubbish are the answers it gives, in turn, to make no sense: whole HTTP
	// responses, or what should be one. At least one.
	Rubbish []string
	// Partial has a request served before it is called a bad one, as Alertmanager
	// takes the good part of such a request.
	Partial bool
}

// Proxy is a running proxy. Set and Close are called by one goroutine.
type Proxy struct {
	options   Options
	transport *http.Transport
	nonsense  atomic.Int64 // answers of Rubbish given

	server  *http.Server // nil while connections are refused
	serving sync.WaitGroup

	mu   sync.Mutex // guards the fields below
	mode Mode
	over chan struct{} // closed when mode is no longer in force
}

// Start starts a proxy that passes everything on.
func Start(o Options) (*Proxy, error) {
	p := &Proxy{
		options: o,
		// Nothing is kept open to a server that may stop at any time.
		transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true},
		over:      make(chan struct{}),
	}
	return p, p.listen()
}

// URL returns the address under which clients reach it.
func (p *Proxy) URL() string { return "http://" + p.options.Addr }

// Set puts a mode in force. Requests that hang go on as the new mode says.
func (p *Proxy) Set(m Mode) error {
	p.change(m)
	if m.Kind == plan.Down {
		return p.refuse()
	}
	return p.listen()
}

func (p *Proxy) change(m Mode) {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.over)
	p.mode, p.over = m, make(chan struct{})
}

func (p *Proxy) current() (Mode, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mode, p.over
}

// listen accepts connections, if it does not yet.
func (p *Proxy) listen() error {
	if p.server != nil {
		return nil
	}
	l, err := net.Listen("tcp", p.options.Addr)
	if err != nil {
		return fmt.Errorf("listen for %s: %w", p.options.Target, err)
	}
	// What it would log is what it is made for.
	s := &http.Server{Handler: p, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	p.server = s
	p.serving.Go(func() {
		_ = s.Serve(l) // ends with Close
	})
	return nil
}

// refuse breaks all connections and accepts no more.
func (p *Proxy) refuse() error {
	if p.server == nil {
		return nil
	}
	err := p.server.Close()
	p.server = nil
	if err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("close the listener for %s: %w", p.options.Target, err)
	}
	return nil
}

// Close ends the proxy and its connections, and returns when none is served.
func (p *Proxy) Close() error {
	p.change(Mode{})
	err := p.refuse()
	p.serving.Wait()
	p.transport.CloseIdleConnections()
	return err
}

// wait returns true after d, or as soon as the mode is over if d is negative; it
// returns false if the client gives up before.
func wait(ctx context.Context, d time.Duration, over <-chan struct{}) bool {
	var after <-chan time.Time
	if d >= 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		after, over = timer.C, nil
	}
	select {
	case <-after:
	case <-over:
	case <-ctx.Done():
		return false
	}
	return true
}
