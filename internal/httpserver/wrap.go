package httpserver

import (
	"context"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"time"
)

// bodyTimeout is how long a client may take to send the body of a request.
const bodyTimeout = 30 * time.Second

// wrapped does for every request what is the same at all addresses.
type wrapped struct {
	next    http.Handler
	headers [][2]string // names are canonical
	metrics *serverMetrics
}

func wrap(next http.Handler, h *Headers, m *serverMetrics) *wrapped {
	w := &wrapped{next: next, metrics: m}
	for _, header := range [][2]string{
		{"Strict-Transport-Security", h.HSTS},
		{"X-Frame-Options", h.FrameOptions},
		{"Content-Security-Policy", h.CSP},
		{"X-Server-Hostname", h.Hostname},
	} {
		if header[1] != "" {
			w.headers = append(w.headers, header)
		}
	}
	return w
}

// ServeHTTP answers r by the handler.
func (s *wrapped) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	for i := range s.headers {
		h[s.headers[i][0]] = []string{s.headers[i][1]}
	}
	if isAged(r.Context(), time.Now()) {
		s.metrics.aged.Inc()
		h["Connection"] = []string{"close"}
	}
	if r.Body != nil && r.Body != http.NoBody {
		boundBody(w, r)
	}
	s.next.ServeHTTP(w, r)
}

// boundBody gives the client a while to send the body of r. The bound holds for
// what net/http reads after the handler, too, but not for how long the handler
// takes: a deadline that is left in place would end the context of the request.
func boundBody(w http.ResponseWriter, r *http.Request) {
	c := http.NewResponseController(w)
	if c.SetReadDeadline(time.Now().Add(bodyTimeout)) == nil {
		r.Body = &boundedBody{ReadCloser: r.Body, conn: c}
	}
}

type boundedBody struct {
	io.ReadCloser
	conn *http.ResponseController
}

func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		_ = b.conn.SetReadDeadline(time.Time{}) // a connection that is gone shows by itself
	}
	return n, err
}

// endKey is the key of the moment after which a connection is old, in the context
// of its requests.
type endKey struct{}

// agingContext returns how a connection gets the moment after which it is old; nil
// if it never is.
func agingContext(timeout time.Duration) func(context.Context, net.Conn) context.Context {
	if timeout <= 0 {
		return nil
	}
	return func(ctx context.Context, _ net.Conn) context.Context {
		jitter := rand.N(timeout/10 + 1)
		return context.WithValue(ctx, endKey{}, time.Now().Add(timeout+jitter))
	}
}

func isAged(ctx context.Context, now time.Time) bool {
	end, ok := ctx.Value(endKey{}).(time.Time)
	return ok && now.After(end)
}
