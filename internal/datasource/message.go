package datasource

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"net/textproto"
	"net/url"

	"tocsin/config"
)

// usualArguments is how many arguments an instant query has without params, at most.
const usualArguments = 4

// message is what a query sends. Requests made of it share its memory, and the
// headers that of the endpoint. Nobody writes to it: a transport must leave a
// request as it is, and may still read a body it has given up on.
type message struct {
	url    *url.URL
	shown  string // the address as people may see it
	header http.Header
	host   string // that the group asks for; "" is that of url
	form   []byte
}

// newMessage returns the query that args ask of e; headers are the group's. It
// accepts a compressed answer, or only one that is not.
func newMessage(e *endpoint, args []argument, headers []config.Pair, compressed bool) message {
	m := message{
		url:    e.target(args),
		shown:  e.shown,
		header: e.identity,
		form:   appendForm(make([]byte, 0, formSize(args)), args),
	}
	if compressed {
		m.header = e.compressed
	}
	if len(headers) > 0 {
		m.header, m.host = withHeaders(m.header, headers)
	}
	return m
}

// request returns a new request to u.
func (m *message) request(ctx context.Context, u *url.URL) *http.Request {
	return (&http.Request{
		Method:        http.MethodPost,
		URL:           u,
		Header:        m.header,
		Host:          m.host,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		ContentLength: int64(len(m.form)),
		Body:          m.body(),
		GetBody:       func() (io.ReadCloser, error) { return m.body(), nil },
	}).WithContext(ctx)
}

// body returns the form to be read. net/http knows this type to be in memory, and
// writes the headers of any other in a system call of their own.
func (m *message) body() io.ReadCloser { return io.NopCloser(bytes.NewReader(m.form)) }

// withHeaders returns the headers of a query with those of its group and, apart, the
// Host that the group asks for. The last of several headers with one name counts.
// What describes the body cannot be replaced.
func withHeaders(usual http.Header, group []config.Pair) (h http.Header, host string) {
	h = make(http.Header, len(usual)+len(group))
	maps.Copy(h, usual)
	for _, p := range group {
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
