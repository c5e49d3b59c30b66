// Package httpserver listens: it serves a handler at several addresses, each with
// its own TLS, client certificates and proxy protocol, and looks after the
// connections. What is answered, and to whom, is the handler's.
//
// A Server owns its listeners, its connections and one goroutine for each
// address, from Serve until Shutdown has returned.
package httpserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// headerTimeout is how long a client may take for a TLS handshake, and for the
// header of a request.
const headerTimeout = 5 * time.Second

// maxHeaderBytes bounds the header of a request.
const maxHeaderBytes = 256 << 10

// Server serves one handler at all of its addresses.
type Server struct {
	listeners []*listener
	http      *http.Server // one for all listeners
	grace     time.Duration
	cut       context.CancelFunc // ends the contexts of all requests
	log       *slog.Logger
	fresh     *freshConns

	serving sync.WaitGroup
	broken  chan error
}

// Open opens every address of o and reads the files it names. Connections are
// kept waiting until Serve is called. Metrics go to set. Errors name the flag of
// the address; nothing stays open with one.
func Open(o Options, h http.Handler, set *metrics.Set, log *slog.Logger) (*Server, error) {
	return openWith(net.Listen, o, h, set, log)
}

// listenFunc is a net.Listen.
type listenFunc func(network, addr string) (net.Listener, error)

func openWith(listen listenFunc, o Options, h http.Handler, set *metrics.Set, log *slog.Logger) (*Server, error) {
	m := newServerMetrics(set)
	report := newReporter(log, m)
	s := &Server{
		grace: o.MaxGracefulShutdown, log: log, fresh: newFreshConns(),
		broken: make(chan error, len(o.Listeners)),
	}
	builder := &tlsBuilder{issuer: newIssuer(&o.Autocert), metrics: set, report: report}
	for _, l := range o.Listeners {
		if err := s.open(listen, &o, l, builder); err != nil {
			return nil, errors.Join(err, s.closeListeners())
		}
	}
	s.http = newHTTPServer(&o, wrap(h, &o.Headers, m), report)
	s.http.ConnState = s.fresh.note
	requests, cut := context.WithCancel(context.Background())
	s.http.BaseContext = func(net.Listener) context.Context { return requests }
	s.cut = cut
	return s, nil
}

func (s *Server) open(listen listenFunc, o *Options, l Listener, b *tlsBuilder) error {
	cfg, err := b.config(&l)
	if err != nil {
		return err
	}
	under, err := listen(o.network(), l.Addr)
	if err != nil {
		return fmt.Errorf("%s: %w", l.Flag, err)
	}
	ln := &listener{Listener: under, config: l, tls: cfg, metrics: newListenerMetrics(b.metrics, &l)}
	if l.ProxyProtocol {
		ln.unproxied = b.report.seldom("connection without a header of the proxy protocol is refused", "address", l.Addr)
	}
	s.listeners = append(s.listeners, ln)
	return nil
}

func newHTTPServer(o *Options, h http.Handler, report *reporter) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	server := &http.Server{
		Handler:           h,
		Protocols:         protocols,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       o.IdleConnTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ConnContext:       agingContext(o.ConnTimeout),
		ErrorLog:          report.logger(),
	}
	server.SetKeepAlivesEnabled(!o.DisableKeepAlive)
	return server
}

// Serve begins to answer at every address.
func (s *Server) Serve() {
	for _, ln := range s.listeners {
		s.log.Info("listening", "address", ln.Addr().String(), "scheme", ln.config.scheme())
		s.serving.Go(func() {
			if err := s.http.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
				s.broken <- fmt.Errorf("%s: %w", ln.config.Flag, err)
			}
		})
	}
}

// Broken tells of addresses at which nothing can be accepted any more. At most
// one error is sent for each; the channel is never closed.
func (s *Server) Broken() <-chan error { return s.broken }

// Shutdown stops listening, and gives requests under way MaxGracefulShutdown to
// end. Shortly before, their contexts end; what goes on after that is cut off, and
// an error says so. No goroutine of the Server is left then.
func (s *Server) Shutdown() error {
	defer s.cut()
	ctx, cancel := context.WithTimeout(context.Background(), s.grace)
	defer cancel()
	hint := time.AfterFunc(s.grace-min(s.grace/5, 2*time.Second), s.cut)
	defer hint.Stop()
	s.fresh.end()
	err := s.http.Shutdown(ctx)
	if err != nil {
		// It looks only every half second whether requests have ended: look again.
		err = s.http.Shutdown(ctx)
	}
	if err != nil {
		err = errors.Join(err, s.http.Close())
	}
	s.serving.Wait()
	return err
}

// closeListeners is for a Server that is not told to Serve.
func (s *Server) closeListeners() error {
	var errs []error
	for _, ln := range s.listeners {
		errs = append(errs, ln.Close())
	}
	return errors.Join(errs...)
}
