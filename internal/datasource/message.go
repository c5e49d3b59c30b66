package datasource

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/textproto"
	"net/url"

	"tocsin/config"
)

// usualArguments is how many arguments an instant query has without params, at most.
const usualArguments = 4

// message is what a query sends. Requests made of it share its memory, which
// nobody writes to: a transport may still read a body it has given up on.
type message struct {
	url     *url.URL
	shown   string // the address as people may see it
	auth    string // Authorization unless headers have one; "" for none
	headers []config.Pair
	accept  string // Accept-Encoding unless headers have one
	form    []byte
}

// newMessage returns the query that args ask of e; headers are the group's. It
// accepts a compressed answer, or only one that is not.
func newMessage(e *endpoint, args []argument, headers []config.Pair, compressed bool) message {
	accept := "identity"
	if compressed {
		accept = "gzip"
	}
	return message{
		url:     e.target(args),
		shown:   e.shown,
		auth:    e.auth,
		headers: headers,
		accept:  accept,
		form:    appendForm(make([]byte, 0, formSize(args)), args),
	}
}

// request returns a new request to u. It shares no header with another one.
func (m *message) request(ctx context.Context, u *url.URL) *http.Request {
	r := (&http.Request{
		Method:        http.MethodPost,
		URL:           u,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		ContentLength: int64(len(m.form)),
		Body:          m.body(),
		GetBody:       func() (io.ReadCloser, error) { return m.body(), nil },
	}).WithContext(ctx)
	r.Header, r.Host = m.header()
	return r
}

// body returns the form to be read. net/http knows this type to be in memory, and
// writes the headers of any other in a system call of their own.
func (m *message) body() io.ReadCloser { return io.NopCloser(bytes.NewReader(m.form)) }

// header returns the headers with, apart, the Host the group asks for. The last
// of several headers with one name counts. What describes the body cannot be
// replaced.
func (m *message) header() (h http.Header, host string) {
	h = make(http.Header, 3+len(m.headers))
	fixed := [...]string{"application/x-www-form-urlencoded", m.accept, m.auth}
	h["Content-Type"] = fixed[0:1:1]
	h["Accept-Encoding"] = fixed[1:2:2]
	if m.auth != "" {
		h["Authorization"] = fixed[2:3:3]
	}
	for _, p := range m.headers {
		switch name := textproto.CanonicalMIMEHeaderKey(p.Name); name {
		case "Host":
			host = p.Value
		case "Content-Type", "Content-Length", "Content-Encoding", "Transfer-Encoding":
		default:
			h[name] = []string{p.Value}
		}
	}
	return h, host
}
