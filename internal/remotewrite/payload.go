package remotewrite

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"
)

// payload is the bytes of one request, which may be sent several times. A
// transport may go on reading a request's body after it has returned, so the
// bytes must not be overwritten before every body made of them is closed.
type payload struct {
	data []byte
	open atomic.Int32 // bodies not closed yet
}

// reusable returns a payload whose bytes may be overwritten: p, or a new one
// while a transport still reads p.
func (p *payload) reusable() *payload {
	if p.open.Load() == 0 {
		return p
	}
	return &payload{}
}

// body returns the bytes as the body of a request.
func (p *payload) body() io.ReadCloser {
	p.open.Add(1)
	return &body{payload: p, rest: p.data}
}

type body struct {
	payload *payload

	mu     sync.Mutex // guards the fields below; Close waits for a Read under way
	rest   []byte
	closed bool
}

var errBodyClosed = errors.New("read of a closed request body")

func (b *body) Read(dst []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return 0, errBodyClosed
	}
	if len(b.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(dst, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

func (b *body) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed {
		b.closed, b.rest = true, nil
		b.payload.open.Add(-1)
	}
	return nil
}
