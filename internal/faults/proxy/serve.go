package proxy

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"tocsin/internal/faults/plan"
)

// answer is what the server behind said.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// ServeHTTP treats a request as the mode in force says.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client has gone
	}
	mode, over := p.current()
	switch mode.Kind {
	case plan.Hang:
		// Like a process that was stopped: whoever still waits is served in the end.
		if wait(r.Context(), -1, over) {
			p.pass(w, r, body)
		}
	case plan.Slow:
		if wait(r.Context(), mode.Amount, nil) {
			p.pass(w, r, body)
		}
	case plan.Cut:
		p.cut(w, r, body)
	case plan.Rubbish:
		n := p.nonsense.Add(1) - 1
		say(w, []byte(p.options.Rubbish[n%int64(len(p.options.Rubbish))]))
	case plan.TooMany:
		w.Header().Set("Retry-After", strconv.Itoa(int(mode.Amount/time.Second)))
		http.Error(w, "too many requests", http.StatusTooManyRequests)
	case plan.ServerError:
		http.Error(w, "out of order", http.StatusInternalServerError)
	case plan.BadRequest:
		if p.options.Partial {
			if _, err := p.ask(r, body); err != nil {
				say(w, nil)
				return
			}
		}
		http.Error(w, "not understood", http.StatusBadRequest)
	case plan.Down:
		// The request came in just before the listener was closed.
		say(w, nil)
	default:
		p.pass(w, r, body)
	}
}

// pass asks the server behind and hands on what it says.
func (p *Proxy) pass(w http.ResponseWriter, r *http.Request, body []byte) {
	a, err := p.ask(r, body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // a client that has gone does not want it
}

func (p *Proxy) ask(r *http.Request, body []byte) (*answer, error) {
	out := r.Clone(r.Context())
	out.RequestURI = ""
	out.URL.Scheme, out.URL.Host = "http", p.options.Target
	out.Host = p.options.Target
	out.Body, out.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	out.TransferEncoding = nil
	out.Header.Del("Connection")
	resp, err := p.transport.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"Connection", "Keep-Alive", "Transfer-Encoding"} {
		resp.Header.Del(name)
	}
	return &answer{resp.StatusCode, resp.Header, got}, nil
}

// cut has the request served and breaks the answer off in the middle: in its body
// if it has one, else in its header.
func (p *Proxy) cut(w http.ResponseWriter, r *http.Request, body []byte) {
	a, err := p.ask(r, body)
	if err != nil {
		say(w, nil)
		return
	}
	var whole bytes.Buffer
	resp := http.Response{
		StatusCode: a.status, ProtoMajor: 1, ProtoMinor: 1, Header: a.header,
		Body: io.NopCloser(bytes.NewReader(a.body)), ContentLength: int64(len(a.body)),
	}
	_ = resp.Write(&whole) // to memory: never fails
	part := whole.Bytes()[:whole.Len()-len(a.body)/2]
	if len(a.body) < 2 {
		part = part[:len(part)/2]
	}
	say(w, part)
}

// say sends raw bytes instead of a response and breaks the connection.
func say(w http.ResponseWriter, raw []byte) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // the connection is gone
	}
	defer conn.Close()
	_, _ = conn.Write(raw) // a client that has gone does not want it
	if tcp, ok := conn.(*net.TCPConn); ok && len(raw) == 0 {
		_ = tcp.SetLinger(0) // reset instead of an orderly end; either will do
	}
}
