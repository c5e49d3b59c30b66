package alertmanager

import (
	"errors"
	"io"
	"sync"
)

var errReclaimed = errors.New("request body read after the request has ended")

// payload lends one buffer to the bodies of a request and takes it back. A
// transport may go on reading a body after it has returned, in a goroutine of its
// own; without this, it would send what the buffer is used for next.
type payload struct {
	mu   sync.Mutex
	data []byte // nil once reclaimed
}

// body returns a new reader of the payload.
func (p *payload) body() (io.ReadCloser, error) { return &payloadBody{payload: p}, nil }

// reclaim ends the loan: later reads fail.
func (p *payload) reclaim() {
	p.mu.Lock()
	p.data = nil
	p.mu.Unlock()
}

type payloadBody struct {
	payload *payload
	offset  int
}

func (b *payloadBody) Read(dst []byte) (int, error) {
	b.payload.mu.Lock()
	defer b.payload.mu.Unlock()
	if b.payload.data == nil {
		return 0, errReclaimed
	}
	n := copy(dst, b.payload.data[b.offset:])
	b.offset += n
	if n == 0 && len(dst) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (b *payloadBody) Close() error { return nil }
